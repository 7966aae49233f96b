// SPDX-License-Identifier: GPL-2.0-only
/*
 * A probe where integrity providers see digest lists that have been read,
 * which attaches verification data as they do. It is a kretprobe: what a kprobe
 * calls runs in a breakpoint exception, where nothing may be locked that is
 * locked elsewhere, and no memory can be had.
 *
 *	probe on		  when others have seen the list
 *	probe early		  before anybody sees it
 *	probe set ID TEXT [SIZE]  attach TEXT, with zeros up to SIZE bytes, to
 *				  each list from now on
 *	probe clear		  attach nothing any more, forget the log
 *	probe log		  reply with the lists that were read, in order:
 *				  NAME OPENED_FD CACHE RESULT..., where CACHE is
 *				  what digest_cache_get() gives for the file as
 *				  the digest cache opened it, and there is a
 *				  result for each ID
 *	probe off
 *
 * "on" and "early" fail with EOPNOTSUPP where the kernel has no kretprobes.
 */
#include <linux/errno.h>

#include "client.h"

#if IS_ENABLED(CONFIG_KRETPROBES) && \
	IS_ENABLED(CONFIG_HAVE_FUNCTION_ARG_ACCESS_API)

#include <linux/fs.h>
#include <linux/kernel_read_file.h>
#include <linux/kprobes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#define MAX_NAME	64
#define MAX_DATA	8192
#define MAX_ITEMS	20
#define MAX_RECORDS	512

/**
 * struct item - verification data to attach
 * @id: under which name
 * @data: what
 * @size: how much of it
 */
struct item {
	char id[MAX_NAME];
	u8 *data;
	size_t size;
};

/**
 * struct record - a digest list that was read
 * @name: its file name
 * @opened: what digest_cache_opened_fd() says
 * @cache: number of what digest_cache_get() gave
 * @num: number of @results
 * @results: what digest_cache_verif_set() said about each item
 */
struct record {
	char name[MAX_NAME];
	bool opened;
	u64 cache;
	unsigned int num;
	int results[MAX_ITEMS];
};

/* Serialises commands. */
static DEFINE_MUTEX(command_lock);
static bool probe_registered;

/* Protects what follows, which the probe uses in atomic context. */
static DEFINE_SPINLOCK(probe_lock);
static struct item items[MAX_ITEMS];
static unsigned int num_items;
static struct record records[MAX_RECORDS];
static unsigned int num_records;

/*
 * digest_cache_get() may sleep, but not for a file that the digest cache has
 * opened, for which it has nothing to look for.
 */
static u64 get_in_probe(struct file *file)
{
	struct digest_cache *cache = digest_cache_get(file);
	u64 id = digest_cache_id(cache);

	digest_cache_put(cache);
	return id;
}

#define EARLY	"security_kernel_read_file"
#define LATE	"security_kernel_post_read_file"

static bool early;

/* struct call - a call of the function: @file is the digest list */
struct call {
	struct file *file;
};

/* Runs in an exception. Only of what it returns 0 for, the end is told. */
static int before(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (struct call *)instance->data;
	enum kernel_read_file_id id;

	/* The functions differ in where the id is. */
	id = regs_get_kernel_argument(regs, early ? 1 : 3);
	call->file = (struct file *)regs_get_kernel_argument(regs, 0);
	return id != READING_DIGEST_LIST;
}

static int after(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct file *file = ((struct call *)instance->data)->file;
	struct record *record;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&probe_lock, flags);
	if (num_records == MAX_RECORDS)
		goto out;
	record = &records[num_records++];
	scnprintf(record->name, MAX_NAME, "%pD", file);
	record->opened = digest_cache_opened_fd(file);
	record->cache = record->opened ? get_in_probe(file) : 0;
	record->num = num_items;
	for (i = 0; i < num_items; i++)
		record->results[i] = digest_cache_verif_set(file, items[i].id,
							    items[i].data,
							    items[i].size);
out:
	spin_unlock_irqrestore(&probe_lock, flags);
	return 0;
}

static struct kretprobe probe = {
	.entry_handler = before,
	.handler = after,
	.data_size = sizeof(struct call),
	/* As many lists may be read at once. */
	.maxactive = 64,
};

static int probe_on(bool before_others)
{
	int ret;

	if (probe_registered)
		return -EEXIST;
	early = before_others;
	probe.kp.symbol_name = early ? EARLY : LATE;
	ret = register_kretprobe(&probe);
	if (!ret)
		probe_registered = true;
	return ret;
}

static void probe_off(void)
{
	if (probe_registered)
		unregister_kretprobe(&probe);
	probe_registered = false;
	/* One that is registered again must look like a new one. */
	probe.kp.flags = 0;
	probe.kp.addr = NULL;
}

static void probe_clear(void)
{
	u8 *data[MAX_ITEMS];
	unsigned int num, i;
	unsigned long flags;

	spin_lock_irqsave(&probe_lock, flags);
	num = num_items;
	for (i = 0; i < num; i++)
		data[i] = items[i].data;
	num_items = 0;
	num_records = 0;
	spin_unlock_irqrestore(&probe_lock, flags);

	for (i = 0; i < num; i++)
		kfree(data[i]);
}

static int probe_set(int argc, char **argv)
{
	unsigned int size = strlen(argv[1]) + 1;
	unsigned long flags;
	int ret = 0;
	u8 *data;

	if (argc > 2) {
		ret = kstrtouint(argv[2], 10, &size);
		if (ret)
			return ret;
	}
	if (size <= strlen(argv[1]) || size > MAX_DATA ||
	    strlen(argv[0]) >= MAX_NAME)
		return -ERANGE;

	data = kzalloc(size, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	memcpy(data, argv[1], strlen(argv[1]));

	spin_lock_irqsave(&probe_lock, flags);
	if (num_items < MAX_ITEMS) {
		strscpy(items[num_items].id, argv[0], MAX_NAME);
		items[num_items].data = data;
		items[num_items].size = size;
		num_items++;
		data = NULL;
	} else {
		ret = -ENOSPC;
	}
	spin_unlock_irqrestore(&probe_lock, flags);
	kfree(data);
	return ret;
}

/* Appends the record with a number to the reply. Returns whether it exists. */
static bool show_record(unsigned int number, struct seq_buf *reply)
{
	struct record record;
	unsigned long flags;
	unsigned int i;
	bool exists;

	spin_lock_irqsave(&probe_lock, flags);
	exists = number < num_records;
	if (exists)
		record = records[number];
	spin_unlock_irqrestore(&probe_lock, flags);

	if (!exists)
		return false;
	seq_buf_printf(reply, "%s %d %llu", record.name, record.opened,
		       record.cache);
	for (i = 0; i < record.num; i++)
		seq_buf_printf(reply, " %d", record.results[i]);
	seq_buf_puts(reply, "\n");
	return true;
}

static int carry_out(int argc, char **argv, struct seq_buf *reply)
{
	unsigned int i;

	if (argc == 1 && !strcmp(argv[0], "on"))
		return probe_on(false);
	if (argc == 1 && !strcmp(argv[0], "early"))
		return probe_on(true);
	if ((argc == 3 || argc == 4) && !strcmp(argv[0], "set"))
		return probe_set(argc - 1, argv + 1);
	if (argc != 1)
		return -EINVAL;

	if (!strcmp(argv[0], "off"))
		probe_off();
	else if (!strcmp(argv[0], "clear"))
		probe_clear();
	else if (!strcmp(argv[0], "log"))
		for (i = 0; show_record(i, reply); i++)
			;
	else
		return -EINVAL;
	return 0;
}

int probe_command(int argc, char **argv, struct seq_buf *reply)
{
	int ret;

	mutex_lock(&command_lock);
	ret = carry_out(argc, argv, reply);
	mutex_unlock(&command_lock);
	return ret;
}

void probe_exit(void)
{
	probe_off();
	probe_clear();
}

#else

int probe_command(int argc, char **argv, struct seq_buf *reply)
{
	return -EOPNOTSUPP;
}

void probe_exit(void)
{
}

#endif
