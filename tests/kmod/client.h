/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the dc_client module know of each other.
 *
 * Each part carries out some commands of a session: it gets the words of the
 * command and appends to the reply. A command that cannot be understood is
 * refused with a negative error, which write() returns; what the digest cache
 * says about one that can goes to the reply.
 */
#ifndef _DC_CLIENT_H
#define _DC_CLIENT_H

#include <linux/digest_cache.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/seq_buf.h>
#include <linux/types.h>

/* More than any digest has; what is not given is zero. */
#define MAX_DIGEST	64

/* Digest caches that a session can hold at a time */
#define MAX_SLOTS	32

/**
 * struct notifier - a session's subscription to resets
 * @nb: what is registered
 * @registered: whether it is
 * @lock: protects the rest
 * @log: notifications that were not read yet
 * @lost: how many could not be logged for want of memory
 * @sleep_ms: how long the subscriber sleeps
 * @alloc: whether it allocates memory in a way that reclaims
 * @evict: whether it drops the inode from the caches
 * @file: file of which it gets the digest cache, or NULL
 */
struct notifier {
	struct notifier_block nb;
	bool registered;
	struct mutex lock; /* protects what follows */
	struct list_head log;
	unsigned int lost;
	unsigned int sleep_ms;
	bool alloc;
	bool evict;
	struct file *file;
};

/* client_notifier.c */
void notifier_init(struct notifier *notifier);
int notifier_command(struct notifier *notifier, int argc, char **argv,
		     struct seq_buf *reply);
void notifier_log(struct notifier *notifier, struct seq_buf *reply);
void notifier_exit(struct notifier *notifier);

/* client_async.c */
int async_init(void);
void async_exit(void);
int async_command(int argc, char **argv, struct seq_buf *reply);

/* client_script.c */
int script_command(int argc, char **argv, struct seq_buf *reply);
void script_exit(void);

/* client_probe.c */
int probe_command(int argc, char **argv, struct seq_buf *reply);
void probe_exit(void);

/* client_session.c */
extern const struct file_operations session_operations;
struct file *file_of_word(const char *word);
int digest_of_words(const char *algo_word, const char *hex,
		    enum hash_algo *algo, u8 digest[MAX_DIGEST]);

#endif /* _DC_CLIENT_H */
