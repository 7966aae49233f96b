/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the benchmark module share; see main.c for what it can do.
 */
#ifndef _DC_BENCH_H
#define _DC_BENCH_H

#include <linux/seq_buf.h>
#include <linux/types.h>

/* All digests are of this size: SHA-256. */
#define DIGEST_SIZE	32

/* In how many rounds a figure is taken at most. */
#define MAX_ROUNDS	100

struct file;

/* struct bytes - @data of @len bytes, from vmalloc() */
struct bytes {
	u8 *data;
	size_t len;
};

/* Format of a list, as tables.rs knows it. */
enum format {
	FORMAT_TLV,
	FORMAT_RPM,
};

/* input.c: what figures are taken with. */
int read_whole(const char *path, struct bytes *content);
void free_bytes(struct bytes *bytes);
int format_of(const char *name, enum format *format);
int walk_digests(const struct bytes *list, enum format format,
		 int (*f)(void *data, const u8 *digest), void *data);
int digests_of(const struct bytes *list, enum format format,
	       struct bytes *digests);
int shuffled(const struct bytes *digests, struct bytes *hits,
	     struct bytes *misses);

/**
 * struct table_ops - a kind of table
 * @name: of it
 * @load: makes a table of a list, NULL if that fails
 * @contains: looks a digest up
 * @bytes: how much memory the table has
 * @free: gives it back
 */
struct table_ops {
	const char *name;
	void *(*load)(const struct bytes *list, enum format format);
	bool (*contains)(const void *table, const u8 *digest);
	size_t (*bytes)(const void *table);
	void (*free)(void *table);
};

/* baseline.c */
extern const struct table_ops baseline_ops;
void *baseline_of_digests(const u8 *digests, size_t num);

/* tables.rs */
void *dc_bench_load(const u8 *data, size_t len, int format);
bool dc_bench_contains(const void *table, const u8 *digest);
size_t dc_bench_bytes(const void *table);
void dc_bench_free(void *table);

/* Commands, with their arguments; what they found out is added to the reply. */
int compare_command(int argc, char **argv, struct seq_buf *reply);
int lookup_command(int argc, char **argv, struct seq_buf *reply);
int dir_command(int argc, char **argv, struct seq_buf *reply);
int getput_command(int argc, char **argv, struct seq_buf *reply);
int get_command(int argc, char **argv, struct seq_buf *reply);

/* api.c: a file that is only looked at. */
struct file *open_file(const char *path);

#endif /* _DC_BENCH_H */
