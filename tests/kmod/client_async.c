// SPDX-License-Identifier: GPL-2.0-only
/*
 * Digest caches got and put by many workers at once.
 *
 *	async get ROUNDS FD...
 *	async lookup ROUNDS ALGO HEX FD...
 *
 * Each round, one worker for each FD is started; when all are there, all get
 * the digest cache of their file at the same moment, and look the digest up.
 * When all have done so, as many other workers put what was got. Replies, for
 * each FD of the last round, the number of the digest cache that was got, or of
 * the one that has the digest, or an error.
 */
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "client.h"

/* More than there are processors; each takes a kernel thread. */
#define MAX_WORKERS	64

#define MAX_ROUNDS	100000

static struct workqueue_struct *workers;

struct async;

/**
 * struct worker - what is done for one file
 * @get: gets the digest cache
 * @put: puts it
 * @async: the command
 * @file: the file
 * @cache: what was got for it
 * @found: what has the digest, or an error
 */
struct worker {
	struct work_struct get;
	struct work_struct put;
	struct async *async;
	struct file *file;
	struct digest_cache *cache;
	struct digest_cache *found;
};

/**
 * struct async - a command that is being carried out
 * @missing: workers that are not there yet
 * @all_there: completed when all are
 * @lookup: whether to look a digest up
 * @algo: algorithm of @digest
 * @digest: digest to look up
 * @num: number of @workers
 * @workers: one for each file
 */
struct async {
	atomic_t missing;
	struct completion all_there;
	bool lookup;
	enum hash_algo algo;
	u8 digest[MAX_DIGEST];
	unsigned int num;
	struct worker workers[] __counted_by(num);
};

static void worker_get(struct work_struct *work)
{
	struct worker *worker = container_of(work, struct worker, get);
	struct async *async = worker->async;

	if (atomic_dec_and_test(&async->missing))
		complete_all(&async->all_there);
	else
		wait_for_completion(&async->all_there);

	worker->cache = digest_cache_get(worker->file);
	if (async->lookup && worker->cache)
		worker->found = digest_cache_lookup(file_dentry(worker->file),
						    worker->cache,
						    async->digest, async->algo);
}

static void worker_put(struct work_struct *work)
{
	struct worker *worker = container_of(work, struct worker, put);

	if (!IS_ERR(worker->found))
		digest_cache_put(worker->found);
	digest_cache_put(worker->cache);
	worker->found = NULL;
	worker->cache = NULL;
}

static void one_round(struct async *async, struct seq_buf *reply)
{
	struct worker *worker;
	unsigned int i;

	atomic_set(&async->missing, async->num);
	reinit_completion(&async->all_there);
	for (i = 0; i < async->num; i++)
		queue_work(workers, &async->workers[i].get);
	for (i = 0; i < async->num; i++)
		flush_work(&async->workers[i].get);

	seq_buf_clear(reply);
	for (i = 0; i < async->num; i++) {
		worker = &async->workers[i];
		if (!async->lookup)
			seq_buf_printf(reply, "%llu\n",
				       digest_cache_id(worker->cache));
		else if (IS_ERR(worker->found))
			seq_buf_printf(reply, "%ld\n", PTR_ERR(worker->found));
		else
			seq_buf_printf(reply, "%llu\n",
				       digest_cache_id(worker->found));
	}

	for (i = 0; i < async->num; i++)
		queue_work(workers, &async->workers[i].put);
	for (i = 0; i < async->num; i++)
		flush_work(&async->workers[i].put);
}

static int for_files(struct async *async, int argc, char **argv,
		     unsigned int rounds, struct seq_buf *reply)
{
	struct file *file;
	unsigned int i;
	int ret = 0;

	init_completion(&async->all_there);
	for (i = 0; i < argc; i++) {
		file = file_of_word(argv[i]);
		if (IS_ERR(file)) {
			ret = PTR_ERR(file);
			goto out;
		}
		async->workers[i].async = async;
		async->workers[i].file = file;
		INIT_WORK(&async->workers[i].get, worker_get);
		INIT_WORK(&async->workers[i].put, worker_put);
	}

	while (rounds--)
		one_round(async, reply);
out:
	while (i--)
		fput(async->workers[i].file);
	return ret;
}

int async_command(int argc, char **argv, struct seq_buf *reply)
{
	enum hash_algo algo = HASH_ALGO__LAST;
	u8 digest[MAX_DIGEST] = {};
	struct async *async;
	unsigned int rounds;
	bool lookup;
	int ret;

	if (argc < 3)
		return -EINVAL;
	lookup = !strcmp(argv[0], "lookup");
	if (!lookup && strcmp(argv[0], "get"))
		return -EINVAL;
	ret = kstrtouint(argv[1], 10, &rounds);
	if (ret)
		return ret;
	if (!rounds || rounds > MAX_ROUNDS)
		return -ERANGE;
	argc -= 2;
	argv += 2;

	if (lookup) {
		if (argc < 3)
			return -EINVAL;
		ret = digest_of_words(argv[0], argv[1], &algo, digest);
		if (ret)
			return ret;
		argc -= 2;
		argv += 2;
	}

	if (argc > MAX_WORKERS)
		return -E2BIG;
	async = kvzalloc_flex(*async, workers, argc);
	if (!async)
		return -ENOMEM;
	async->num = argc;
	async->lookup = lookup;
	async->algo = algo;
	memcpy(async->digest, digest, sizeof(digest));

	ret = for_files(async, argc, argv, rounds, reply);
	kvfree(async);
	return ret;
}

int async_init(void)
{
	workers = alloc_workqueue("digest_cache_test", WQ_UNBOUND, 0);
	return workers ? 0 : -ENOMEM;
}

void async_exit(void)
{
	destroy_workqueue(workers);
}
