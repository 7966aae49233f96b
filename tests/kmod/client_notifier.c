// SPDX-License-Identifier: GPL-2.0-only
/*
 * A session's subscription to resets, and what it does when it is called.
 *
 *	notifier on [OPTION...]
 *	notifier off
 *	log
 *
 * Options say what the subscriber does each time, beside keeping a log:
 *
 *	sleep=MS	sleep
 *	alloc		allocate memory, with direct reclaim
 *	get=FD		get the digest cache of a file
 *	evict		drop the inode from the caches, so that it is evicted
 *			when the last reference is dropped
 *
 * "log" replies with what was logged, oldest first, and forgets it; what does
 * not fit stays for the next time, so it is to be repeated until nothing comes.
 * One line a notification: MAJOR:MINOR:INODE CACHE [GOT], where GOT is the
 * digest cache that was got. The first line is "lost N" if N notifications
 * could not be logged.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client.h"

/* Longest line of the log */
#define MAX_LINE	96

/* Enough for pages to be reclaimed in a machine that is short of them */
#define ALLOC_SIZE	(256 * 1024)

/**
 * struct record - a logged notification
 * @list: in the log of the notifier
 * @dev: device of the inode's file system
 * @ino: number of the inode
 * @cache: number of the digest cache that was reset
 * @got: number of the digest cache got by the subscriber
 * @has_got: whether it got any
 */
struct record {
	struct list_head list;
	dev_t dev;
	u64 ino;
	u64 cache;
	u64 got;
	bool has_got;
};

static void misbehave(struct notifier *notifier, struct record *record)
{
	struct digest_cache *cache;
	unsigned int sleep_ms;
	struct file *file;
	void *memory;
	bool alloc;

	mutex_lock(&notifier->lock);
	sleep_ms = notifier->sleep_ms;
	alloc = notifier->alloc;
	file = notifier->file ? get_file(notifier->file) : NULL;
	mutex_unlock(&notifier->lock);

	if (sleep_ms)
		msleep(sleep_ms);

	if (alloc) {
		memory = kvmalloc(ALLOC_SIZE, GFP_KERNEL);
		kvfree(memory);
	}

	if (file) {
		cache = digest_cache_get(file);
		record->got = digest_cache_id(cache);
		record->has_got = true;
		digest_cache_put(cache);
		fput(file);
	}
}

static int notifier_call(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	struct notifier *notifier = container_of(nb, struct notifier, nb);
	struct digest_cache_event_data *event_data = data;
	struct inode *inode = event_data->inode;
	struct record *record;
	bool evict;

	if (event != DIGEST_CACHE_RESET)
		return NOTIFY_DONE;

	might_sleep();
	record = kzalloc_obj(*record);
	if (!record) {
		mutex_lock(&notifier->lock);
		notifier->lost++;
		mutex_unlock(&notifier->lock);
		return NOTIFY_OK;
	}
	record->dev = inode->i_sb->s_dev;
	record->ino = inode->i_ino;
	record->cache = digest_cache_id(event_data->digest_cache);
	misbehave(notifier, record);

	mutex_lock(&notifier->lock);
	list_add_tail(&record->list, &notifier->log);
	evict = notifier->evict;
	mutex_unlock(&notifier->lock);

	if (evict) {
		d_mark_dontcache(inode);
		d_prune_aliases(inode);
	}
	return NOTIFY_OK;
}

void notifier_init(struct notifier *notifier)
{
	mutex_init(&notifier->lock);
	INIT_LIST_HEAD(&notifier->log);
	notifier->nb.notifier_call = notifier_call;
}

/* Takes the file of the notifier away. */
static void forget_file(struct notifier *notifier)
{
	struct file *file;

	mutex_lock(&notifier->lock);
	file = notifier->file;
	notifier->file = NULL;
	mutex_unlock(&notifier->lock);
	if (file)
		fput(file);
}

static int notifier_off(struct notifier *notifier)
{
	int ret = 0;

	if (notifier->registered)
		ret = digest_cache_unregister_notifier(&notifier->nb);
	notifier->registered = false;
	forget_file(notifier);
	return ret;
}

static int set_option(struct notifier *notifier, const char *option)
{
	struct file *file;

	if (!strcmp(option, "alloc")) {
		notifier->alloc = true;
		return 0;
	}
	if (!strcmp(option, "evict")) {
		notifier->evict = true;
		return 0;
	}
	if (!strncmp(option, "sleep=", 6))
		return kstrtouint(option + 6, 10, &notifier->sleep_ms);
	if (!strncmp(option, "get=", 4) && !notifier->file) {
		file = file_of_word(option + 4);
		if (IS_ERR(file))
			return PTR_ERR(file);
		notifier->file = file;
		return 0;
	}
	return -EINVAL;
}

static int notifier_on(struct notifier *notifier, int argc, char **argv)
{
	int i, ret;

	if (notifier->registered)
		return -EEXIST;

	notifier->sleep_ms = 0;
	notifier->alloc = false;
	notifier->evict = false;
	for (i = 0; i < argc; i++) {
		ret = set_option(notifier, argv[i]);
		if (ret)
			goto out_file;
	}

	ret = digest_cache_register_notifier(&notifier->nb);
	if (ret)
		goto out_file;
	notifier->registered = true;
	return 0;

out_file:
	forget_file(notifier);
	return ret;
}

int notifier_command(struct notifier *notifier, int argc, char **argv,
		     struct seq_buf *reply)
{
	if (argc >= 1 && !strcmp(argv[0], "on"))
		return notifier_on(notifier, argc - 1, argv + 1);
	if (argc == 1 && !strcmp(argv[0], "off"))
		return notifier_off(notifier);
	return -EINVAL;
}

void notifier_log(struct notifier *notifier, struct seq_buf *reply)
{
	struct record *record, *next;

	mutex_lock(&notifier->lock);
	if (notifier->lost)
		seq_buf_printf(reply, "lost %u\n", notifier->lost);
	notifier->lost = 0;
	list_for_each_entry_safe(record, next, &notifier->log, list) {
		if (reply->size - seq_buf_used(reply) < MAX_LINE)
			break;
		seq_buf_printf(reply, "%u:%u:%llu %llu", MAJOR(record->dev),
			       MINOR(record->dev), record->ino, record->cache);
		if (record->has_got)
			seq_buf_printf(reply, " %llu", record->got);
		seq_buf_puts(reply, "\n");
		list_del(&record->list);
		kfree(record);
	}
	mutex_unlock(&notifier->lock);
}

void notifier_exit(struct notifier *notifier)
{
	struct record *record, *next;

	notifier_off(notifier);
	list_for_each_entry_safe(record, next, &notifier->log, list)
		kfree(record);
	mutex_destroy(&notifier->lock);
}
