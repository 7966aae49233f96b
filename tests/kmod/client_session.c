// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions: each write to the file is one command, and what is read afterwards
 * is the reply to the last one.
 *
 *	get SLOT FD		  get the digest cache of an open file
 *	put SLOT
 *	lookup SLOT FD ALGO HEX [TO]
 *				  look a digest up; the digest cache that has it
 *				  is kept in slot TO
 *	id SLOT
 *	algos SLOT
 *	verif_get SLOT ID	  verification data: a number (IMA's)
 *	verif_text SLOT ID	  verification data: text (what a probe set)
 *	verif_set FD ID TEXT
 *	opened_fd FD
 *	null			  all calls that take NULL, with NULL
 *	notifier ..., log	  see client_notifier.c
 *	async ...		  see client_async.c
 *	script ...		  see client_script.c
 *	probe ...		  see client_probe.c
 *
 * FD is a file descriptor of who writes, "-" for none. ALGO is a number of enum
 * hash_algo. A digest cache is replied as its number, 0 for NULL, and an error
 * as a negative number. A slot that is filled again is put first.
 *
 * Commands of a session are carried out one after another, those of several
 * sessions at once.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hex.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "client.h"

#define MAX_COMMAND	(16 * 1024)
#define MAX_REPLY	(32 * 1024)

/**
 * struct session - an open session
 * @lock: serialises commands and reading their replies
 * @slots: digest caches with a reference, or NULL
 * @notifier: subscription to resets
 * @reply: reply to the last command
 * @buffer: memory of @reply
 */
struct session {
	struct mutex lock; /* serialises, see above */
	struct digest_cache *slots[MAX_SLOTS];
	struct notifier notifier;
	struct seq_buf reply;
	char buffer[MAX_REPLY];
};

/* Returns the open file with the number that @word tells, or an ERR_PTR(). */
struct file *file_of_word(const char *word)
{
	struct file *file;
	unsigned int fd;
	int ret;

	ret = kstrtouint(word, 10, &fd);
	if (ret)
		return ERR_PTR(ret);

	file = fget(fd);
	return file ?: ERR_PTR(-EBADF);
}

/* Understands an algorithm and a digest, which need not fit each other. */
int digest_of_words(const char *algo_word, const char *hex,
		    enum hash_algo *algo, u8 digest[MAX_DIGEST])
{
	size_t len = strlen(hex);
	unsigned int number;
	int ret;

	ret = kstrtouint(algo_word, 10, &number);
	if (ret)
		return ret;
	*algo = number;

	if (len % 2 || len / 2 > MAX_DIGEST)
		return -EINVAL;
	memset(digest, 0, MAX_DIGEST);
	return hex2bin(digest, hex, len / 2);
}

static struct digest_cache **slot_of_word(struct session *session,
					  const char *word)
{
	unsigned int number;
	int ret;

	ret = kstrtouint(word, 10, &number);
	if (ret)
		return ERR_PTR(ret);
	if (number >= MAX_SLOTS)
		return ERR_PTR(-ERANGE);
	return &session->slots[number];
}

static int do_get(struct session *session, struct digest_cache **slot,
		  char **argv)
{
	struct file *file = file_of_word(argv[0]);

	if (IS_ERR(file))
		return PTR_ERR(file);

	digest_cache_put(*slot);
	*slot = digest_cache_get(file);
	fput(file);
	seq_buf_printf(&session->reply, "%llu\n", digest_cache_id(*slot));
	return 0;
}

static int do_put(struct session *session, struct digest_cache **slot,
		  char **argv)
{
	digest_cache_put(*slot);
	*slot = NULL;
	return 0;
}

/* lookup FD ALGO HEX [TO], of which FD may be missing. */
static int do_lookup(struct session *session, struct digest_cache **slot,
		     char **argv)
{
	struct digest_cache **to = NULL, *found;
	struct file *file = NULL;
	u8 digest[MAX_DIGEST];
	enum hash_algo algo;
	int ret;

	/* The API asks for what digest_cache_get() returned. */
	if (!*slot)
		return -ENOENT;

	ret = digest_of_words(argv[1], argv[2], &algo, digest);
	if (ret)
		return ret;

	if (argv[3]) {
		to = slot_of_word(session, argv[3]);
		if (IS_ERR(to))
			return PTR_ERR(to);
	}

	if (strcmp(argv[0], "-")) {
		file = file_of_word(argv[0]);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}

	found = digest_cache_lookup(file ? file_dentry(file) : NULL, *slot,
				    digest, algo);
	if (file)
		fput(file);

	if (IS_ERR(found)) {
		seq_buf_printf(&session->reply, "%ld\n", PTR_ERR(found));
		return 0;
	}

	seq_buf_printf(&session->reply, "%llu\n", digest_cache_id(found));
	if (to) {
		digest_cache_put(*to);
		*to = found;
	} else {
		digest_cache_put(found);
	}
	return 0;
}

static int do_id(struct session *session, struct digest_cache **slot,
		 char **argv)
{
	seq_buf_printf(&session->reply, "%llu\n", digest_cache_id(*slot));
	return 0;
}

static int do_algos(struct session *session, struct digest_cache **slot,
		    char **argv)
{
	seq_buf_printf(&session->reply, "%u\n", digest_cache_algos(*slot));
	return 0;
}

static int do_verif_get(struct session *session, struct digest_cache **slot,
			char **argv)
{
	const u64 *data = digest_cache_verif_get(*slot, argv[0]);
	u64 number;

	if (!data) {
		seq_buf_puts(&session->reply, "none\n");
		return 0;
	}
	/* The API does not promise how it is aligned. */
	memcpy(&number, data, sizeof(number));
	seq_buf_printf(&session->reply, "%llu\n", number);
	return 0;
}

static int do_verif_text(struct session *session, struct digest_cache **slot,
			 char **argv)
{
	const char *text = digest_cache_verif_get(*slot, argv[0]);

	seq_buf_printf(&session->reply, "%s\n", text ?: "none");
	return 0;
}

static int do_verif_set(struct session *session, char **argv)
{
	struct file *file = file_of_word(argv[0]);
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);

	ret = digest_cache_verif_set(file, argv[1], argv[2],
				     strlen(argv[2]) + 1);
	fput(file);
	seq_buf_printf(&session->reply, "%d\n", ret);
	return 0;
}

static int do_opened_fd(struct session *session, char **argv)
{
	struct file *file = file_of_word(argv[0]);

	if (IS_ERR(file))
		return PTR_ERR(file);

	seq_buf_printf(&session->reply, "%d\n", digest_cache_opened_fd(file));
	fput(file);
	return 0;
}

static int do_null(struct session *session, char **argv)
{
	struct digest_cache *cache = digest_cache_get(NULL);
	u8 digest[MAX_DIGEST] = {};

	seq_buf_printf(&session->reply, "get %llu\n", digest_cache_id(cache));
	digest_cache_put(cache);
	cache = digest_cache_lookup(NULL, NULL, digest, HASH_ALGO_SHA256);
	seq_buf_printf(&session->reply, "lookup %d\n",
		       PTR_ERR_OR_ZERO(cache));
	if (!IS_ERR(cache))
		digest_cache_put(cache);
	seq_buf_printf(&session->reply, "id %llu\n", digest_cache_id(NULL));
	seq_buf_printf(&session->reply, "algos %u\n", digest_cache_algos(NULL));
	seq_buf_printf(&session->reply, "verif_get %d\n",
		       !!digest_cache_verif_get(NULL, "none"));
	seq_buf_printf(&session->reply, "verif_set %d\n",
		       digest_cache_verif_set(NULL, "none", digest, 1));
	seq_buf_printf(&session->reply, "htable_init %d\n",
		       digest_cache_htable_init(NULL, 1, HASH_ALGO_SHA256));
	seq_buf_printf(&session->reply, "htable_add %d\n",
		       digest_cache_htable_add(NULL, digest, HASH_ALGO_SHA256));
	seq_buf_printf(&session->reply, "htable_lookup %d\n",
		       digest_cache_htable_lookup(NULL, NULL, digest,
						  HASH_ALGO_SHA256));
	return 0;
}

/* Commands about a slot, and how many words follow its number */
static const struct {
	const char *name;
	int min_args, max_args;
	int (*func)(struct session *session, struct digest_cache **slot,
		    char **argv);
} slot_commands[] = {
	{ "get", 1, 1, do_get },
	{ "put", 0, 0, do_put },
	{ "lookup", 3, 4, do_lookup },
	{ "id", 0, 0, do_id },
	{ "algos", 0, 0, do_algos },
	{ "verif_get", 1, 1, do_verif_get },
	{ "verif_text", 1, 1, do_verif_text },
};

/* Commands about no slot, and how many words follow */
static const struct {
	const char *name;
	int args;
	int (*func)(struct session *session, char **argv);
} plain_commands[] = {
	{ "verif_set", 3, do_verif_set },
	{ "opened_fd", 1, do_opened_fd },
	{ "null", 0, do_null },
};

static int carry_out(struct session *session, int argc, char **argv)
{
	const char *name = argv[0];
	struct digest_cache **slot;
	int i;

	if (!argc)
		return -EINVAL;

	for (i = 0; i < ARRAY_SIZE(slot_commands); i++) {
		if (strcmp(name, slot_commands[i].name))
			continue;
		if (argc - 2 < slot_commands[i].min_args ||
		    argc - 2 > slot_commands[i].max_args)
			return -EINVAL;
		slot = slot_of_word(session, argv[1]);
		if (IS_ERR(slot))
			return PTR_ERR(slot);
		return slot_commands[i].func(session, slot, argv + 2);
	}

	for (i = 0; i < ARRAY_SIZE(plain_commands); i++) {
		if (strcmp(name, plain_commands[i].name))
			continue;
		if (argc - 1 != plain_commands[i].args)
			return -EINVAL;
		return plain_commands[i].func(session, argv + 1);
	}

	if (!strcmp(name, "notifier"))
		return notifier_command(&session->notifier, argc - 1, argv + 1,
					&session->reply);
	if (!strcmp(name, "log")) {
		notifier_log(&session->notifier, &session->reply);
		return 0;
	}
	if (!strcmp(name, "async"))
		return async_command(argc - 1, argv + 1, &session->reply);
	if (!strcmp(name, "script"))
		return script_command(argc - 1, argv + 1, &session->reply);
	if (!strcmp(name, "probe"))
		return probe_command(argc - 1, argv + 1, &session->reply);
	return -EINVAL;
}

static int session_open(struct inode *inode, struct file *file)
{
	struct session *session = kvzalloc_obj(*session);

	if (!session)
		return -ENOMEM;

	mutex_init(&session->lock);
	notifier_init(&session->notifier);
	seq_buf_init(&session->reply, session->buffer, MAX_REPLY);
	file->private_data = session;
	return 0;
}

static ssize_t session_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *pos)
{
	struct session *session = file->private_data;
	char *command, **argv;
	int argc, ret;

	if (count > MAX_COMMAND)
		return -E2BIG;

	command = memdup_user_nul(buf, count);
	if (IS_ERR(command))
		return PTR_ERR(command);
	argv = argv_split(GFP_KERNEL, command, &argc);
	kfree(command);
	if (!argv)
		return -ENOMEM;

	mutex_lock(&session->lock);
	seq_buf_clear(&session->reply);
	ret = carry_out(session, argc, argv);
	if (!ret && seq_buf_has_overflowed(&session->reply))
		ret = -EOVERFLOW;
	if (ret)
		seq_buf_clear(&session->reply);
	mutex_unlock(&session->lock);

	argv_free(argv);
	return ret ?: count;
}

/* Reads the reply from @pos on; to be called as pread() from 0. */
static ssize_t session_read(struct file *file, char __user *buf, size_t count,
			    loff_t *pos)
{
	struct session *session = file->private_data;
	ssize_t ret;

	mutex_lock(&session->lock);
	ret = simple_read_from_buffer(buf, count, pos, session->buffer,
				      seq_buf_used(&session->reply));
	mutex_unlock(&session->lock);
	return ret;
}

static int session_release(struct inode *inode, struct file *file)
{
	struct session *session = file->private_data;
	int i;

	notifier_exit(&session->notifier);
	for (i = 0; i < MAX_SLOTS; i++)
		digest_cache_put(session->slots[i]);
	kvfree(session);
	return 0;
}

const struct file_operations session_operations = {
	.owner = THIS_MODULE,
	.open = session_open,
	.write = session_write,
	.read = session_read,
	.llseek = generic_file_llseek,
	.release = session_release,
};
