// SPDX-License-Identifier: GPL-2.0-only
/*
 * Micro benchmarks in the kernel: /proc/dc_bench takes a command in each
 * write, and gives what it found out to who reads it then, one figure a line:
 *
 *	KIND FIGURE VALUE
 *
 * where KIND is "ours" or "baseline" and VALUE a time in nanoseconds, for one
 * digest, look-up or pair of calls, or a number of bytes. Each round is a line
 * of its own; kinds take turns in being the first. Commands:
 *
 *	compare tlv|rpm LIST ROUNDS	tables alone: load, hit, miss, free,
 *					bytes
 *	lookup FILE tlv LIST ROUNDS	digest_cache_lookup() with the digest
 *					cache of FILE, which LIST is the list
 *					of: hit, miss
 *	dir FILE LIST EACH ROUNDS	the same through a directory of lists
 *					that have EACH digests of LIST
 *	getput ROUNDS FILE...		digest_cache_get() and put(), by as
 *					many threads as there are files
 *	get FILE			one digest_cache_get(), and which it is
 *
 * The baseline is the textbook structure of baseline.c; for getput, a mutex
 * round the slot of each file and an atomic count of references.
 */
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "bench.h"

#define MAX_REPLY	(64 * 1024)

static const struct {
	const char *name;
	int (*run)(int argc, char **argv, struct seq_buf *reply);
} commands[] = {
	{ "compare", compare_command },
	{ "lookup", lookup_command },
	{ "dir", dir_command },
	{ "getput", getput_command },
	{ "get", get_command },
};

/* One command at a time, which has the machine to itself. */
static DEFINE_MUTEX(lock);
static char text[MAX_REPLY];
static struct seq_buf reply = {
	.buffer = text,
	.size = MAX_REPLY,
};

static int run(int argc, char **argv)
{
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (argc && !strcmp(argv[0], commands[i].name)) {
			seq_buf_clear(&reply);
			ret = commands[i].run(argc - 1, argv + 1, &reply);
			if (!ret && seq_buf_has_overflowed(&reply))
				ret = -E2BIG;
			return ret;
		}
	}
	return -EINVAL;
}

static ssize_t bench_write(struct file *file, const char __user *from,
			   size_t len, loff_t *pos)
{
	char *line, **argv;
	int argc, ret;

	line = memdup_user_nul(from, len);
	if (IS_ERR(line))
		return PTR_ERR(line);
	argv = argv_split(GFP_KERNEL, line, &argc);
	kfree(line);
	if (!argv)
		return -ENOMEM;

	mutex_lock(&lock);
	ret = run(argc, argv);
	mutex_unlock(&lock);
	argv_free(argv);
	return ret ? ret : len;
}

static ssize_t bench_read(struct file *file, char __user *to, size_t len,
			  loff_t *pos)
{
	ssize_t ret;

	mutex_lock(&lock);
	ret = simple_read_from_buffer(to, len, pos, text,
				      seq_buf_used(&reply));
	mutex_unlock(&lock);
	return ret;
}

static const struct proc_ops ops = {
	.proc_write = bench_write,
	.proc_read = bench_read,
	.proc_lseek = default_llseek,
};

static int __init bench_init(void)
{
	if (!proc_create("dc_bench", 0600, NULL, &ops))
		return -ENOMEM;
	return 0;
}

static void __exit bench_exit(void)
{
	remove_proc_entry("dc_bench", NULL);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("Micro benchmarks of the digest_cache LSM");
MODULE_LICENSE("GPL");
