// SPDX-License-Identifier: GPL-2.0-only
/*
 * Getting and putting the digest cache of files that share a list, from one or
 * more threads at once, each on a CPU of its own. The baseline does what the C
 * prototype did when an inode has its digest cache at hand: a mutex of the inode
 * round the slot, and an atomic count of references of the digest cache, which
 * all have in common.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/digest_cache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/refcount.h>

#include "bench.h"

#define MAX_THREADS	8
#define PAIRS		500000

/**
 * struct slot - what the prototype had in each inode
 * @lock: protects @refs
 * @refs: the count of the digest cache
 */
struct slot {
	/* Protects the slot, as in the prototype. */
	struct mutex lock;
	refcount_t *refs;
} ____cacheline_aligned_in_smp;

/**
 * struct worker - one thread
 * @work: what it does
 * @file: for the LSM
 * @slot: for the baseline
 * @start: tells all to begin
 * @done: tells that it has ended
 * @elapsed: how long it took, or 0 if something was wrong
 */
struct worker {
	bool (*work)(struct worker *worker);
	struct file *file;
	struct slot slot;
	struct completion *start;
	struct completion done;
	u64 elapsed;
};

static struct worker workers[MAX_THREADS];

static bool ours(struct worker *worker)
{
	for (unsigned int i = 0; i < PAIRS; i++) {
		struct digest_cache *cache = digest_cache_get(worker->file);

		if (!cache)
			return false;
		digest_cache_put(cache);
	}
	return true;
}

static bool baseline(struct worker *worker)
{
	struct slot *slot = &worker->slot;

	for (unsigned int i = 0; i < PAIRS; i++) {
		refcount_t *refs;

		mutex_lock(&slot->lock);
		refs = slot->refs;
		refcount_inc(refs);
		mutex_unlock(&slot->lock);
		if (refcount_dec_and_test(refs))
			return false;
	}
	return true;
}

static int work(void *data)
{
	struct worker *worker = data;
	u64 start;
	bool good;

	wait_for_completion(worker->start);
	start = ktime_get_ns();
	good = worker->work(worker);
	worker->elapsed = good ? ktime_get_ns() - start : 0;
	complete(&worker->done);
	return 0;
}

/* The time of a pair of calls, of the slowest of so many threads. */
static s64 time_pairs(unsigned int num, bool (*what)(struct worker *worker))
{
	DECLARE_COMPLETION_ONSTACK(start);
	struct task_struct *tasks[MAX_THREADS];
	unsigned int i, cpu = cpumask_first(cpu_online_mask);
	u64 slowest = 0;
	s64 ret = 0;

	for (i = 0; i < num; i++) {
		struct worker *worker = &workers[i];

		worker->work = what;
		worker->start = &start;
		init_completion(&worker->done);
		tasks[i] = kthread_create(work, worker, "dc_bench/%u", i);
		if (IS_ERR(tasks[i])) {
			ret = PTR_ERR(tasks[i]);
			break;
		}
		kthread_bind(tasks[i], cpu);
		cpu = cpumask_next(cpu, cpu_online_mask);
		wake_up_process(tasks[i]);
	}
	complete_all(&start);
	while (i) {
		struct worker *worker = &workers[--i];

		wait_for_completion(&worker->done);
		if (!worker->elapsed)
			ret = -EBADMSG;
		slowest = max(slowest, worker->elapsed);
	}
	return ret ? : slowest * 100 / PAIRS;
}

static int say(struct seq_buf *reply, const char *kind, s64 hundredths)
{
	if (hundredths < 0)
		return hundredths;
	seq_buf_printf(reply, "%s getput %lld.%02lld\n", kind, hundredths / 100,
		       hundredths % 100);
	return 0;
}

static int compare(unsigned int num, unsigned int rounds, struct seq_buf *reply)
{
	int ret = 0;

	for (unsigned int round = 0; !ret && round < rounds; round++) {
		if (round % 2)
			ret = say(reply, "baseline", time_pairs(num, baseline));
		ret = ret ? : say(reply, "ours", time_pairs(num, ours));
		if (round % 2 == 0)
			ret = ret ? : say(reply, "baseline",
					  time_pairs(num, baseline));
	}
	return ret;
}

int getput_command(int argc, char **argv, struct seq_buf *reply)
{
	refcount_t refs = REFCOUNT_INIT(1);
	struct digest_cache *first = NULL, *cache;
	unsigned int rounds, num = argc - 1, i;
	int ret = 0;

	if (argc < 2 || num > MAX_THREADS || kstrtouint(argv[0], 10, &rounds) ||
	    rounds > MAX_ROUNDS)
		return -EINVAL;
	/* There must be a CPU for each. */
	if (num > num_online_cpus())
		return -EOPNOTSUPP;
	for (i = 0; i < num; i++) {
		workers[i].file = open_file(argv[1 + i]);
		if (IS_ERR(workers[i].file)) {
			ret = PTR_ERR(workers[i].file);
			break;
		}
		mutex_init(&workers[i].slot.lock);
		workers[i].slot.refs = &refs;
		/* Warm, and the same list for all. */
		cache = digest_cache_get(workers[i].file);
		if (!i)
			first = cache;
		else
			digest_cache_put(cache);
		if (!cache || cache != first) {
			fput(workers[i].file);
			ret = -ENOENT;
			break;
		}
	}
	if (!ret)
		ret = compare(num, rounds, reply);
	digest_cache_put(first);
	while (i)
		fput(workers[--i].file);
	return ret;
}
