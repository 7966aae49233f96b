/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Client API of the digest_cache LSM.
 *
 * A digest cache holds the reference digests of one digest list, or stands for
 * a directory of digest lists. An integrity provider gets the digest cache of
 * the file that it verifies, looks the file's digest up in it, and asks what
 * it had itself recorded about the digest list when the list was read:
 *
 *	dc = digest_cache_get(file);
 *	if (dc) {
 *		found = digest_cache_lookup(dentry, dc, digest, algo);
 *		if (!IS_ERR_OR_NULL(found)) {
 *			verdict = digest_cache_verif_get(found, "provider");
 *			...
 *			digest_cache_put(found);
 *		}
 *		digest_cache_put(dc);
 *	}
 *
 * The digest cache never grants or denies anything by itself.
 */
#ifndef _LINUX_DIGEST_CACHE_H
#define _LINUX_DIGEST_CACHE_H

#include <linux/err.h>
#include <linux/list.h>
#include <linux/types.h>
#include <uapi/linux/hash_info.h>

struct dentry;
struct digest_cache;
struct file;
struct inode;
struct module;
struct notifier_block;

/* Longest name of a format of digest lists, with its terminating NUL */
#define DIGEST_CACHE_FORMAT_LEN		20

/**
 * enum digest_cache_event - what subscribers are notified of
 * @DIGEST_CACHE_RESET: a digest cache was reset, or is not that of the inode any
 *			more: what was decided with it about the inode is void.
 *			Data: struct digest_cache_event_data.
 */
enum digest_cache_event {
	DIGEST_CACHE_RESET,
};

/**
 * struct digest_cache_event_data - data of a notification
 * @digest_cache: the digest cache that the inode had, never NULL; if it was
 *		  reset it answers no more, but its number can be asked for
 * @inode: the inode, pinned while subscribers are called
 */
struct digest_cache_event_data {
	struct digest_cache *digest_cache;
	struct inode *inode;
};

/**
 * struct parser - a format of digest lists that a module understands
 * @list: of the digest cache; the caller only provides the memory
 * @owner: THIS_MODULE, which is kept from being unloaded while @func runs
 * @name: name of the format, as in the file names of digest lists; neither a
 *	  built-in one nor one that is registered already, and without '-'
 * @func: adds the digests of a digest list, from which an appended signature
 *	  was stripped, to the digest cache that is being made from it, with
 *	  digest_cache_htable_init() and digest_cache_htable_add(). May sleep.
 *	  Returns 0, or a negative error, with which loading fails. All but
 *	  -ENOMEM, -EINTR and -EAGAIN are taken for an error in the digest list,
 *	  which is not parsed again until it is reset.
 */
struct parser {
	struct list_head list;
	struct module *owner;
	const char name[DIGEST_CACHE_FORMAT_LEN];
	int (*func)(struct digest_cache *digest_cache, const u8 *data,
		    size_t data_len);
};

#ifdef CONFIG_SECURITY_DIGEST_CACHE

struct digest_cache *digest_cache_get(struct file *file);
void digest_cache_put(struct digest_cache *digest_cache);
struct digest_cache *digest_cache_lookup(struct dentry *dentry,
					 struct digest_cache *digest_cache,
					 const u8 *digest, enum hash_algo algo);
u64 digest_cache_id(struct digest_cache *digest_cache);
u32 digest_cache_algos(struct digest_cache *digest_cache);
bool digest_cache_opened_fd(struct file *file);
int digest_cache_verif_set(struct file *file, const char *verif_id,
			   const void *data, size_t size);
void *digest_cache_verif_get(struct digest_cache *digest_cache,
			     const char *verif_id);
int digest_cache_register_notifier(struct notifier_block *nb);
int digest_cache_unregister_notifier(struct notifier_block *nb);
int digest_cache_register_parser(struct parser *parser);
void digest_cache_unregister_parser(struct parser *parser);
int digest_cache_htable_init(struct digest_cache *digest_cache, u64 num_digests,
			     enum hash_algo algo);
int digest_cache_htable_add(struct digest_cache *digest_cache, const u8 *digest,
			    enum hash_algo algo);
int digest_cache_htable_lookup(struct dentry *dentry,
			       struct digest_cache *digest_cache,
			       const u8 *digest, enum hash_algo algo);

#else

static inline struct digest_cache *digest_cache_get(struct file *file)
{
	return NULL;
}

static inline void digest_cache_put(struct digest_cache *digest_cache)
{
}

static inline struct digest_cache *
digest_cache_lookup(struct dentry *dentry, struct digest_cache *digest_cache,
		    const u8 *digest, enum hash_algo algo)
{
	return NULL;
}

static inline u64 digest_cache_id(struct digest_cache *digest_cache)
{
	return 0;
}

static inline u32 digest_cache_algos(struct digest_cache *digest_cache)
{
	return 0;
}

static inline bool digest_cache_opened_fd(struct file *file)
{
	return false;
}

static inline int digest_cache_verif_set(struct file *file,
					 const char *verif_id,
					 const void *data, size_t size)
{
	return -EOPNOTSUPP;
}

static inline void *digest_cache_verif_get(struct digest_cache *digest_cache,
					   const char *verif_id)
{
	return NULL;
}

static inline int digest_cache_register_notifier(struct notifier_block *nb)
{
	return -EOPNOTSUPP;
}

static inline int digest_cache_unregister_notifier(struct notifier_block *nb)
{
	return -EOPNOTSUPP;
}

static inline int digest_cache_register_parser(struct parser *parser)
{
	return -EOPNOTSUPP;
}

static inline void digest_cache_unregister_parser(struct parser *parser)
{
}

static inline int digest_cache_htable_init(struct digest_cache *digest_cache,
					   u64 num_digests, enum hash_algo algo)
{
	return -EOPNOTSUPP;
}

static inline int digest_cache_htable_add(struct digest_cache *digest_cache,
					  const u8 *digest, enum hash_algo algo)
{
	return -EOPNOTSUPP;
}

static inline int
digest_cache_htable_lookup(struct dentry *dentry,
			   struct digest_cache *digest_cache,
			   const u8 *digest, enum hash_algo algo)
{
	return -EOPNOTSUPP;
}

#endif /* CONFIG_SECURITY_DIGEST_CACHE */
#endif /* _LINUX_DIGEST_CACHE_H */
