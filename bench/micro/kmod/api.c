// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look-ups through the API of the LSM, with all that belongs to them: whether
 * the digest cache still stands, counters, tracepoints, and the reference to
 * what was found. The baseline gets a reference, too, and nothing else.
 */
#include <linux/digest_cache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/ktime.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "bench.h"

#define MIN_LOOKUPS	200000

/* Through many tables, one look-up takes long. */
#define MAX_LINEAR	2000

struct file *open_file(const char *path)
{
	return filp_open(path, O_RDONLY, 0);
}

/**
 * struct baseline_dir - what the C prototype had for a directory
 * @num: number of lists
 * @tables: of each list
 * @refs: of what is found
 */
struct baseline_dir {
	size_t num;
	void **tables;
	refcount_t refs;
};

/* Looks a digest up in each list in turn. */
static bool baseline_lookup(struct baseline_dir *dir, const u8 *digest)
{
	for (size_t i = 0; i < dir->num; i++) {
		if (baseline_ops.contains(dir->tables[i], digest)) {
			refcount_inc(&dir->refs);
			return !refcount_dec_and_test(&dir->refs);
		}
	}
	return false;
}

static bool ours_lookup(struct digest_cache *cache, const u8 *digest)
{
	struct digest_cache *found;

	found = digest_cache_lookup(NULL, cache, digest, HASH_ALGO_SHA256);
	if (IS_ERR_OR_NULL(found))
		return false;
	digest_cache_put(found);
	return true;
}

static s64 time_ours(struct digest_cache *cache, const struct bytes *digests,
		     bool expected)
{
	size_t num = digests->len / DIGEST_SIZE, done = 0;
	u64 start = ktime_get_ns();

	do {
		for (size_t i = 0; i < num; i++)
			if (ours_lookup(cache, digests->data +
					i * DIGEST_SIZE) != expected)
				return -EBADMSG;
		done += num;
	} while (done < MIN_LOOKUPS);
	return (ktime_get_ns() - start) * 100 / done;
}

static s64 time_baseline(struct baseline_dir *dir, const struct bytes *digests,
			 bool expected)
{
	size_t num = digests->len / DIGEST_SIZE, done = 0;
	size_t min = dir->num == 1 ? MIN_LOOKUPS : 1;
	u64 start = ktime_get_ns();

	if (dir->num > 1)
		num = min_t(size_t, num, MAX_LINEAR);
	do {
		for (size_t i = 0; i < num; i++)
			if (baseline_lookup(dir, digests->data +
					    i * DIGEST_SIZE) != expected)
				return -EBADMSG;
		done += num;
		cond_resched();
	} while (done < min);
	return (ktime_get_ns() - start) * 100 / done;
}

static int say(struct seq_buf *reply, const char *kind, const char *figure,
	       s64 hundredths)
{
	if (hundredths < 0)
		return hundredths;
	seq_buf_printf(reply, "%s %s %lld.%02lld\n", kind, figure,
		       hundredths / 100, hundredths % 100);
	return 0;
}

static int one_round(unsigned int round, struct digest_cache *cache,
		     struct baseline_dir *dir, const struct bytes *hits,
		     const struct bytes *misses, struct seq_buf *reply)
{
	int ret = 0;

	/* In turns, each twice. */
	for (unsigned int i = 0; i < 2 && !ret; i++) {
		if ((i + round) % 2) {
			ret = say(reply, "baseline", "hit",
				  time_baseline(dir, hits, true));
			ret = ret ? : say(reply, "baseline", "miss",
					  time_baseline(dir, misses, false));
		} else {
			ret = say(reply, "ours", "hit",
				  time_ours(cache, hits, true));
			ret = ret ? : say(reply, "ours", "miss",
					  time_ours(cache, misses, false));
		}
	}
	return ret;
}

static void baseline_dir_free(struct baseline_dir *dir)
{
	for (size_t i = 0; dir->tables && i < dir->num; i++)
		if (dir->tables[i])
			baseline_ops.free(dir->tables[i]);
	kvfree(dir->tables);
}

/* One table for each @each digests. */
static int baseline_dir_init(struct baseline_dir *dir,
			     const struct bytes *digests, size_t each)
{
	size_t num = digests->len / DIGEST_SIZE;

	refcount_set(&dir->refs, 1);
	dir->num = DIV_ROUND_UP(num, each);
	dir->tables = kvcalloc(dir->num, sizeof(*dir->tables), GFP_KERNEL);
	if (!dir->tables)
		return -ENOMEM;
	for (size_t i = 0; i < dir->num; i++) {
		const u8 *first = digests->data + i * each * DIGEST_SIZE;

		dir->tables[i] = baseline_of_digests(first,
						     min(each, num - i * each));
		if (!dir->tables[i])
			return -ENOMEM;
	}
	return 0;
}

static int compare_lookups(const char *path, const struct bytes *digests,
			   size_t each, unsigned int rounds,
			   struct seq_buf *reply)
{
	struct bytes hits = {}, misses = {};
	struct baseline_dir dir = {};
	struct digest_cache *cache;
	struct file *file;
	int ret;

	file = open_file(path);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = shuffled(digests, &hits, &misses);
	if (!ret)
		ret = baseline_dir_init(&dir, digests, each);
	cache = ret ? NULL : digest_cache_get(file);
	if (!ret && !cache)
		ret = -ENOENT;
	/* Loads all lists of a directory, if it is one. */
	if (!ret && ours_lookup(cache, misses.data))
		ret = -EBADMSG;
	for (unsigned int round = 0; !ret && round < rounds; round++)
		ret = one_round(round, cache, &dir, &hits, &misses, reply);
	digest_cache_put(cache);
	baseline_dir_free(&dir);
	free_bytes(&hits);
	free_bytes(&misses);
	fput(file);
	return ret;
}

static int with_digests(const char *path, enum format format, const char *list,
			unsigned int each, unsigned int rounds,
			struct seq_buf *reply)
{
	struct bytes content = {}, digests = {};
	int ret;

	ret = read_whole(list, &content);
	if (!ret)
		ret = digests_of(&content, format, &digests);
	free_bytes(&content);
	if (!ret)
		ret = compare_lookups(path, &digests,
				      each ? : digests.len / DIGEST_SIZE,
				      rounds, reply);
	free_bytes(&digests);
	return ret;
}

int lookup_command(int argc, char **argv, struct seq_buf *reply)
{
	enum format format;
	unsigned int rounds;

	if (argc != 4 || format_of(argv[1], &format) ||
	    kstrtouint(argv[3], 10, &rounds) || rounds > MAX_ROUNDS)
		return -EINVAL;
	return with_digests(argv[0], format, argv[2], 0, rounds, reply);
}

int dir_command(int argc, char **argv, struct seq_buf *reply)
{
	unsigned int each, rounds;

	if (argc != 4 || kstrtouint(argv[2], 10, &each) || !each ||
	    kstrtouint(argv[3], 10, &rounds) || rounds > MAX_ROUNDS)
		return -EINVAL;
	return with_digests(argv[0], FORMAT_TLV, argv[1], each, rounds, reply);
}

int get_command(int argc, char **argv, struct seq_buf *reply)
{
	struct digest_cache *cache;
	struct file *file;
	u64 start, elapsed;

	if (argc != 1)
		return -EINVAL;
	file = open_file(argv[0]);
	if (IS_ERR(file))
		return PTR_ERR(file);
	start = ktime_get_ns();
	cache = digest_cache_get(file);
	elapsed = ktime_get_ns() - start;
	seq_buf_printf(reply, "ours get %llu\nours id %llu\n", elapsed,
		       digest_cache_id(cache));
	digest_cache_put(cache);
	fput(file);
	return 0;
}
