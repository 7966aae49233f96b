// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables alone: the LSM's and the baseline, on the same list.
 */
#include <linux/errno.h>
#include <linux/kstrtox.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#include "bench.h"

/* So many look-ups make a figure; fewer digests are looked up repeatedly. */
#define MIN_LOOKUPS	200000

static void *ours_load(const struct bytes *list, enum format format)
{
	return dc_bench_load(list->data, list->len, format);
}

static const struct table_ops ours_ops = {
	.name = "ours",
	.load = ours_load,
	.contains = dc_bench_contains,
	.bytes = dc_bench_bytes,
	.free = dc_bench_free,
};

static const struct table_ops *const kinds[] = { &ours_ops, &baseline_ops };

/* Looks digests up, which must all be there or not. Nanoseconds each, or < 0 */
static s64 time_lookups(const struct table_ops *ops, const void *table,
			const struct bytes *digests, bool expected)
{
	size_t num = digests->len / DIGEST_SIZE, done = 0;
	u64 start = ktime_get_ns(), elapsed;

	do {
		for (size_t i = 0; i < num; i++)
			if (ops->contains(table, digests->data +
					  i * DIGEST_SIZE) != expected)
				return -EBADMSG;
		done += num;
	} while (done < MIN_LOOKUPS);
	elapsed = ktime_get_ns() - start;
	/* In hundredths, as some take less than ten. */
	return elapsed * 100 / done;
}

static void say(struct seq_buf *reply, const struct table_ops *ops,
		const char *figure, s64 hundredths)
{
	seq_buf_printf(reply, "%s %s %lld.%02lld\n", ops->name, figure,
		       hundredths / 100, hundredths % 100);
}

static int one_round(const struct table_ops *ops, const struct bytes *list,
		     enum format format, const struct bytes *hits,
		     const struct bytes *misses, struct seq_buf *reply)
{
	size_t num = hits->len / DIGEST_SIZE, repeat, i;
	u64 start, load, free;
	s64 hit = 0, miss = 0;
	void *table, **tables;

	/* Small ones are loaded many times, to make a time that counts. */
	repeat = max_t(size_t, 20000 / num, 1);
	tables = kvcalloc(repeat, sizeof(*tables), GFP_KERNEL);
	if (!tables)
		return -ENOMEM;
	start = ktime_get_ns();
	for (i = 0; i < repeat; i++) {
		tables[i] = ops->load(list, format);
		if (!tables[i])
			break;
	}
	load = ktime_get_ns() - start;
	if (i == repeat) {
		table = tables[0];
		seq_buf_printf(reply, "%s bytes %zu\n", ops->name,
			       ops->bytes(table));
		hit = time_lookups(ops, table, hits, true);
		miss = time_lookups(ops, table, misses, false);
	}
	start = ktime_get_ns();
	while (i)
		ops->free(tables[--i]);
	free = ktime_get_ns() - start;
	kvfree(tables);

	if (!hit)
		return -ENOMEM;
	if (hit < 0 || miss < 0)
		return -EBADMSG;
	say(reply, ops, "load", load * 100 / repeat / num);
	say(reply, ops, "hit", hit);
	say(reply, ops, "miss", miss);
	seq_buf_printf(reply, "%s free %llu\n", ops->name, free / repeat);
	cond_resched();
	return 0;
}

int compare_command(int argc, char **argv, struct seq_buf *reply)
{
	struct bytes list = {}, digests = {}, hits = {}, misses = {};
	unsigned int rounds, round;
	enum format format;
	int ret;

	if (argc != 3 || format_of(argv[0], &format) ||
	    kstrtouint(argv[2], 10, &rounds) || rounds > MAX_ROUNDS)
		return -EINVAL;
	ret = read_whole(argv[1], &list);
	if (!ret)
		ret = digests_of(&list, format, &digests);
	if (!ret)
		ret = shuffled(&digests, &hits, &misses);
	for (round = 0; !ret && round < 2 * rounds; round++)
		ret = one_round(kinds[(round + round / 2) % 2], &list, format,
				&hits, &misses, reply);
	free_bytes(&list);
	free_bytes(&digests);
	free_bytes(&hits);
	free_bytes(&misses);
	return ret;
}
