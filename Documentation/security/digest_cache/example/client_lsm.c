// SPDX-License-Identifier: GPL-2.0-only
/*
 * Example of an LSM that is a client of digest_cache: it denies the execution
 * of files whose SHA-256 digest is in no digest list.
 *
 * It is built in, as every LSM, for instance as security/client_lsm.c with
 *
 *	config SECURITY_CLIENT_LSM
 *		bool "Example of a client of digest_cache"
 *		depends on SECURITY_DIGEST_CACHE
 *		select CRYPTO_LIB_SHA256
 *
 * in security/Kconfig and
 *
 *	obj-$(CONFIG_SECURITY_CLIENT_LSM) += client_lsm.o
 *
 * in security/Makefile. It must be counted in include/linux/lsm_count.h, and
 * enabled with both names in the list of LSMs: lsm=digest_cache,client
 *
 * What it leaves out to stay small: it looks at what execve() is given, and at
 * the interpreters that are named there, but not at shared libraries, which
 * takes an mmap_file hook.
 */
#define pr_fmt(fmt) "client: " fmt

#include <crypto/sha2.h>
#include <linux/binfmts.h>
#include <linux/digest_cache.h>
#include <linux/fs.h>
#include <linux/kernel_read_file.h>
#include <linux/lsm_hooks.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stat.h>

/* A real LSM has an id of its own in include/uapi/linux/lsm.h. */
#define LSM_ID_CLIENT	999

/* How often to ask again when lists change while a file is looked up */
#define MAX_TRIES	8

/* The name of what is attached to digest lists */
static const char verif_id[] = "client";

/**
 * struct client_verdict - what was found out about a digest list
 * @accepted: whether its digests count
 */
struct client_verdict {
	bool accepted;
};

/**
 * struct client_decision - that a file may be executed
 * @digest_cache: number of the digest cache with which that was decided, 0 if
 *		  nothing was decided
 * @version: change cookie of the file at that time
 * @ctime: its change time, as the inode of a stacked file system may get to
 *	   stand for another file
 *
 * What is denied is not remembered: it does not happen often.
 */
struct client_decision {
	u64 digest_cache;
	u64 version;
	struct timespec64 ctime;
};

static struct lsm_blob_sizes client_blobs __ro_after_init = {
	.lbs_inode = sizeof(struct client_decision),
};

/* Protects the decisions of all inodes; held for an instant. */
static DEFINE_SPINLOCK(decisions_lock);

/* Until programs can be verified, there is no use in denying them. */
static bool client_ready __ro_after_init;

static struct client_decision *decision_of(const struct inode *inode)
{
	return inode->i_security + client_blobs.lbs_inode;
}

/*
 * Tells on what a decision depends that is about to be made. Returns false if
 * a change of the file would not be noticed, so that nothing can be remembered.
 */
static bool prepare_decision(struct client_decision *decision,
			     struct digest_cache *cache, struct file *file)
{
	struct kstat stat;

	if (vfs_getattr_nosec(&file->f_path, &stat,
			      STATX_CHANGE_COOKIE | STATX_CTIME,
			      AT_STATX_SYNC_AS_STAT) ||
	    !(stat.result_mask & STATX_CHANGE_COOKIE))
		return false;

	decision->digest_cache = digest_cache_id(cache);
	decision->version = stat.change_cookie;
	decision->ctime = stat.ctime;
	return true;
}

/* Tells whether the same was decided before. */
static bool is_decided(const struct inode *inode,
		       const struct client_decision *wanted)
{
	const struct client_decision *present = decision_of(inode);
	bool same;

	spin_lock(&decisions_lock);
	same = present->digest_cache == wanted->digest_cache &&
	       present->version == wanted->version &&
	       timespec64_equal(&present->ctime, &wanted->ctime);
	spin_unlock(&decisions_lock);
	return same;
}

static void remember(struct inode *inode,
		     const struct client_decision *decision)
{
	spin_lock(&decisions_lock);
	*decision_of(inode) = *decision;
	spin_unlock(&decisions_lock);
}

/*
 * A digest cache that a file used was reset: nothing that was decided about the
 * file is left.
 *
 * Called without any lock, with the inode pinned. It makes decisions void at
 * once, for whatever else would use them. It does not make it needless to
 * compare the number of the digest cache: a change that has no hook comes to
 * light only when the digest cache is asked for, and a decision may be written
 * down just after this was called.
 */
static int client_event(struct notifier_block *nb, unsigned long event,
			void *data)
{
	const struct digest_cache_event_data *reset = data;
	static const struct client_decision none;

	if (event != DIGEST_CACHE_RESET)
		return NOTIFY_DONE;

	remember(reset->inode, &none);
	return NOTIFY_OK;
}

static struct notifier_block client_nb = {
	.notifier_call = client_event,
};

/*
 * Whether the digests of a list count. Here all lists do. A provider that
 * protects something verifies a signature of what is in the buffer, and of
 * nothing else: that is what is parsed.
 */
static bool accepts(const char *buf, loff_t size)
{
	return true;
}

/*
 * A file was read for the kernel. If it is a digest list, records with the
 * digest cache that is being made of it what was found out about it.
 *
 * An error fails the read, and with that the digest cache: without the record
 * all files of the list would be denied until the list changes, although
 * a lack of memory, say, has long passed.
 */
static int client_post_read_file(struct file *file, char *buf, loff_t size,
				 enum kernel_read_file_id id)
{
	struct client_verdict verdict;

	if (id != READING_DIGEST_LIST)
		return 0;

	verdict.accepted = accepts(buf, size);
	return digest_cache_verif_set(file, verif_id, &verdict,
				      sizeof(verdict));
}

/*
 * Nobody can write to the file meanwhile, as it is about to be executed
 * (execve() denies that, see deny_write_access()).
 */
static int hash_file(struct file *file, u8 digest[SHA256_DIGEST_SIZE])
{
	struct sha256_ctx ctx;
	loff_t pos = 0;
	ssize_t len;
	u8 *buf;

	buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;

	sha256_init(&ctx);
	while ((len = kernel_read(file, buf, PAGE_SIZE, &pos)) > 0)
		sha256_update(&ctx, buf, len);
	sha256_final(&ctx, digest);

	kfree(buf);
	return len;
}

/*
 * Returns 0 if the file may be executed, -EACCES if not, -EAGAIN if its digest
 * cache was reset meanwhile, or another error.
 */
static int client_try(struct file *file)
{
	const struct client_verdict *verdict;
	u8 digest[SHA256_DIGEST_SIZE];
	struct client_decision decision;
	struct digest_cache *cache, *list;
	bool lasts;
	int ret;

	/* Reads the digest list, if nobody has. No lock may be held here. */
	cache = digest_cache_get(file);
	if (!cache)
		return -EACCES;

	/* Before the file is read: what changes from here on shows. */
	lasts = prepare_decision(&decision, cache, file);
	if (lasts && is_decided(file_inode(file), &decision)) {
		ret = 0;
		goto out_put;
	}

	ret = hash_file(file, digest);
	if (ret)
		goto out_put;

	list = digest_cache_lookup(file_dentry(file), cache, digest,
				   HASH_ALGO_SHA256);
	if (IS_ERR(list)) {
		ret = PTR_ERR(list);
		goto out_put;
	}

	/*
	 * With a directory of lists, the list that has the digest is another
	 * digest cache than that of the file: its verdict is what counts.
	 */
	verdict = list ? digest_cache_verif_get(list, verif_id) : NULL;
	if (verdict && verdict->accepted) {
		if (lasts)
			remember(file_inode(file), &decision);
	} else {
		ret = -EACCES;
	}
	digest_cache_put(list);
out_put:
	digest_cache_put(cache);
	return ret;
}

static int client_bprm_check(struct linux_binprm *bprm)
{
	int ret = -EAGAIN;
	int tries;

	if (!client_ready)
		return 0;

	for (tries = 0; ret == -EAGAIN && tries < MAX_TRIES; tries++)
		ret = client_try(bprm->file);

	/* Lists do not change that often for ever, unless somebody sees to it. */
	if (ret == -EAGAIN)
		ret = -EACCES;
	if (ret)
		pr_notice_ratelimited("%pD4: denied: error %d\n", bprm->file,
				      ret);
	return ret;
}

static struct security_hook_list client_hooks[] __ro_after_init = {
	LSM_HOOK_INIT(bprm_check_security, client_bprm_check),
	LSM_HOOK_INIT(kernel_post_read_file, client_post_read_file),
};

static const struct lsm_id client_lsmid = {
	.name = "client",
	.id = LSM_ID_CLIENT,
};

static int __init client_init(void)
{
	security_add_hooks(client_hooks, ARRAY_SIZE(client_hooks),
			   &client_lsmid);
	return 0;
}

/* Programs are executed after this, but for helpers of the kernel. */
static int __init client_init_late(void)
{
	int ret = digest_cache_register_notifier(&client_nb);

	if (ret) {
		pr_err("no digest caches, nothing is denied: error %d\n", ret);
		return ret;
	}
	client_ready = true;
	return 0;
}

DEFINE_LSM(client) = {
	.id = &client_lsmid,
	.blobs = &client_blobs,
	.init = client_init,
	.initcall_late = client_init_late,
};
