// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prefetch: before a list is used, all lists before it are read, in order,
 * each once, whoever asks for what and however many ask at once.
 *
 * In which order they were read is told by IMA, which measures them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

/* Fails the test unless these lists were read in this order. */
static void expect_read(const struct env *env, const char *const *want,
			size_t num, const char *when)
{
	size_t num_have, i;
	char **have = ima_measured(env->lists, &num_have);

	for (i = 0; i < num || i < num_have; i++) {
		const char *name = i < num_have ? have[i] : "missing";

		if (i >= num || strcmp(name, want[i]))
			FAIL("%s: number %zu is %s, not %s", when, i, name,
			     i < num ? want[i] : "none");
	}
}

#define EXPECT_READ(env, when, ...)					\
	do {								\
		static const char *const want_[] = { __VA_ARGS__ };	\
									\
		expect_read(env, want_, ARRAY_SIZE(want_), when);	\
	} while (0)

static void make_lists(const struct env *env)
{
	CHECK_EQ(ima_set_policy(), 0, "the policy of IMA");
	/* Neither in this order nor in that of their names. */
	make_list(env->lists, "10-tlv-d", "d");
	make_list(env->lists, "3-tlv-c", "c");
	make_list(env->lists, "1-tlv-a", "a");
	make_list(env->lists, "tlv-e", "e");
	make_list(env->lists, "2-tlv-b", "b");
}

/* One file after another. */
TEST_FS(prefetch_in_order)
{
	char *d = make_file(env->files, "d", "10-tlv-d");
	char *b = make_file(env->files, "b", "2-tlv-b");
	char *c = make_file(env->files, "c", "3-tlv-c");
	char *e = make_file(env->files, "e", "tlv-e");
	int session = session_open();

	make_lists(env);
	prefetch(env->lists, 1);
	CHECK_FOUND(find(session, c, "c"), "in the third");
	EXPECT_READ(env, "for the third", "1-tlv-a", "2-tlv-b", "3-tlv-c");
	CHECK_FOUND(find(session, b, "b"), "in the second");
	EXPECT_READ(env, "for the second", "1-tlv-a", "2-tlv-b", "3-tlv-c");
	CHECK_FOUND(find(session, d, "d"), "in the fourth");
	EXPECT_READ(env, "for the fourth", "1-tlv-a", "2-tlv-b", "3-tlv-c",
		    "10-tlv-d");
	CHECK_FOUND(find(session, e, "e"), "in the last");
	EXPECT_READ(env, "for the last", "1-tlv-a", "2-tlv-b", "3-tlv-c",
		    "10-tlv-d", "tlv-e");
	/* What others read in advance serves their files. */
	CHECK_EQ(find(session, b, "a"), 0, "in another list");
}

/* Without prefetch only what is needed is read. */
TEST_FS(prefetch_off)
{
	char *c = make_file(env->files, "c", "3-tlv-c");
	char *a = make_file(env->files, "a", "1-tlv-a");
	int session = session_open();

	make_lists(env);
	CHECK_FOUND(find(session, c, "c"), "in the third");
	EXPECT_READ(env, "for the third", "3-tlv-c");
	CHECK_FOUND(find(session, a, "a"), "in the first");
	EXPECT_READ(env, "for the first", "3-tlv-c", "1-tlv-a");
}

/* Files without a label look in the same order. */
TEST_FS(prefetch_for_directory)
{
	char *plain = make_file(env->files, "plain", NULL);
	char *d = make_file(env->files, "d", "10-tlv-d");
	int session = session_open();

	make_lists(env);
	prefetch(env->lists, 1);
	CHECK_FOUND(find(session, plain, "b"), "in the second");
	EXPECT_READ(env, "for the second", "1-tlv-a", "2-tlv-b");
	CHECK_FOUND(find(session, d, "d"), "in the fourth");
	CHECK_EQ(find(session, plain, "none"), 0, "in none");
	EXPECT_READ(env, "for all", "1-tlv-a", "2-tlv-b", "3-tlv-c", "10-tlv-d",
		    "tlv-e");
}

/* Only one value of the attribute turns it on. */
TEST_FS(prefetch_values)
{
	static const char *const off[] = { "0", "", "2", "11", "y" };
	char *c = make_file(env->files, "c", "3-tlv-c");
	int session = session_open();
	size_t i;

	make_lists(env);
	for (i = 0; i < ARRAY_SIZE(off); i++) {
		MUST(setxattr(env->lists, XATTR_PREFETCH, off[i],
			      strlen(off[i]), 0));
		CHECK_FOUND(find(session, c, "c"), "value %zu", i);
		EXPECT_READ(env, off[i], "3-tlv-c");
	}
	prefetch(env->lists, 1);
	CHECK_FOUND(find(session, c, "c"), "turned on");
	/* The third one may have been kept; what is before it is in order. */
	EXPECT_READ(env, "turned on", "3-tlv-c", "1-tlv-a", "2-tlv-b");
}

/* Bad lists on the way are read in their turn, and do not stop anything. */
TEST_FS(prefetch_over_bad_lists)
{
	char *e = make_file(env->files, "e", "tlv-e");
	char *bad = make_file(env->files, "bad", "2-tlv-b");
	char *gone = make_file(env->files, "gone", "5-tlv-none");
	int session = session_open();
	u64 failures;

	make_lists(env);
	/* IMA measures the same content only once, so it is another each run. */
	write_file(in(env->lists, "2-tlv-b"), hex(digest("bad")), 64);
	make_dir(in(env->lists, "4-tlv-dir"));
	prefetch(env->lists, 1);
	failures = stat_value("load_failures");
	CHECK_FOUND(find(session, e, "e"), "in the last");
	EXPECT_READ(env, "for the last", "1-tlv-a", "2-tlv-b", "3-tlv-c",
		    "10-tlv-d", "tlv-e");
	CHECK_EQ(stat_value("load_failures") - failures, 1, "failures");
	CHECK_EQ(get(session, 0, bad), 0, "the bad one");
	CHECK_EQ(get(session, 0, gone), 0, "one that is missing");
	CHECK_EQ(stat_value("load_failures") - failures, 1, "tried again");
}

/* A list that has changed is read again, and no other is. */
TEST_FS(prefetch_after_reset)
{
	char *d = make_file(env->files, "d", "10-tlv-d");
	/* Of the first one it is remembered. */
	char *e = make_file(env->files, "e", "10-tlv-d");
	int session = session_open();

	make_lists(env);
	prefetch(env->lists, 1);
	CHECK_FOUND(find(session, d, "d"), "in the fourth");
	write_list(in(env->lists, "2-tlv-b"), tlv_list("b2"));
	CHECK_FOUND(find(session, e, "d"), "in the fourth again");
	EXPECT_READ(env, "after a change", "1-tlv-a", "2-tlv-b", "3-tlv-c",
		    "10-tlv-d", "2-tlv-b");
}

/* Many workers, for files of different lists, all at once. */
#define NUM_LISTS	24

static const char **many_lists(const struct env *env)
{
	const char **names = calloc(NUM_LISTS, sizeof(*names));
	int i;

	CHECK_EQ(ima_set_policy(), 0, "the policy of IMA");
	for (i = 0; i < NUM_LISTS; i++) {
		names[i] = text("%d-tlv-x", i);
		make_list(env->lists, names[i], names[i]);
	}
	prefetch(env->lists, 1);
	return names;
}

TEST_FS(prefetch_by_many_workers)
{
	const char **names = many_lists(env);
	int session = session_open(), i;
	char *fds = "", *reply, *line;
	u64 loads;

	/* The last first, and a few without a label. */
	for (i = NUM_LISTS; i--;) {
		char *file = make_file(env->files, names[i], names[i]);

		fds = text("%s %d", fds, MUST(open(file, O_RDONLY)));
	}
	for (i = 0; i < 4; i++) {
		char *file = make_file(env->files, text("plain-%d", i), NULL);

		fds = text("%s %d", fds, MUST(open(file, O_RDONLY)));
	}

	loads = stat_value("loads");
	reply = ask(session, "async get 3%s", fds);
	for (i = 0; (line = strsep(&reply, "\n")) && *line; i++)
		CHECK(strtoull(line, NULL, 10), "worker %d got nothing", i);
	CHECK_EQ(i, NUM_LISTS + 4, "workers");
	expect_read(env, names, NUM_LISTS, "by workers");
	CHECK_EQ(stat_value("loads") - loads, NUM_LISTS, "loads");
	for (i = 0; i < NUM_LISTS; i++)
		CHECK_FOUND(find(session, in(env->files, names[i]), names[i]),
			    "in %s", names[i]);
}

/* The same by threads of user space, in an order of their own. */
static struct {
	const struct env *env;
	const char **names;
	pthread_barrier_t barrier;
} threads;

static void *find_in_thread(void *number)
{
	const char *name = threads.names[(intptr_t)number];
	int session = session_open();

	pthread_barrier_wait(&threads.barrier);
	CHECK_FOUND(find(session, in(threads.env->files, name), name), "in %s",
		    name);
	close(session);
	return NULL;
}

TEST_FS(prefetch_by_many_threads)
{
	pthread_t ids[NUM_LISTS];
	intptr_t i;

	threads.env = env;
	threads.names = many_lists(env);
	pthread_barrier_init(&threads.barrier, NULL, NUM_LISTS);
	for (i = 0; i < NUM_LISTS; i++)
		make_file(env->files, threads.names[i], threads.names[i]);
	for (i = NUM_LISTS; i--;)
		CHECK(!pthread_create(&ids[i], NULL, find_in_thread, (void *)i),
		      "thread");
	for (i = 0; i < NUM_LISTS; i++)
		pthread_join(ids[i], NULL);
	expect_read(env, threads.names, NUM_LISTS, "by threads");
}

/* A list as default path has nothing before it. */
TEST_FS(prefetch_not_for_list_as_path)
{
	char *c = make_file(env->files, "c", NULL);
	int session = session_open();

	make_lists(env);
	prefetch(env->lists, 1);
	set_default_path(in(env->lists, "3-tlv-c"));
	CHECK_FOUND(find(session, c, "c"), "in the list");
	EXPECT_READ(env, "for the list", "3-tlv-c");
}
