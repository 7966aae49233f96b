// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes that race with who asks: hooks run before a change takes effect, and
 * what is found between must not be kept. When the call that made the change
 * has returned, only the new state is there.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

#define ASKERS		3
#define ROUNDS		60

/* What is changed, and who uses it */
static const struct env *env_of_all;
static char *list, *spare, *labelled, *plain;
static atomic_bool stop;

static void *ask_on_and_on(void *number)
{
	const char *path = (uintptr_t)number % 2 ? plain : labelled;
	int session = session_open(), fd = MUST(open(path, O_RDONLY));

	while (!stop)
		if (get_fd(session, 0, fd))
			lookup(session, 0, digest("none"));
	close(session);
	close(fd);
	return NULL;
}

/* Ways to have a list with other content in the place of one. */

static void by_rename(struct buf content)
{
	write_list(spare, content);
	MUST(rename(spare, list));
}

static void by_exchange(struct buf content)
{
	write_list(spare, content);
	rename_flags(spare, list, RENAME_EXCHANGE);
}

static void by_unlink(struct buf content)
{
	MUST(unlink(list));
	write_list(list, content);
}

static void by_link(struct buf content)
{
	write_list(spare, content);
	MUST(unlink(list));
	MUST(link(spare, list));
	MUST(unlink(spare));
}

static void by_truncation(struct buf content)
{
	write_list(list, content);
}

static void by_writing(struct buf content)
{
	int fd = open_to_write(list, O_WRONLY);

	CHECK_EQ(pwrite(fd, content.data, content.len, 0), content.len,
		 "pwrite");
	MUST(ftruncate(fd, content.len));
	close(fd);
}

static void by_mapping(struct buf content)
{
	int fd = open_to_write(list, O_RDWR);
	void *map;

	MUST(ftruncate(fd, content.len));
	map = mmap(NULL, content.len, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	CHECK(map != MAP_FAILED, "mmap: %s", strerror(errno));
	close(fd);
	memcpy(map, content.data, content.len);
	MUST(munmap(map, content.len));
}

static void by_directory(struct buf content)
{
	char *other = in(env_of_all->root, "other");

	make_dir(other);
	write_list(in(other, "tlv-a"), content);
	rename_flags(other, env_of_all->lists, RENAME_EXCHANGE);
}

static void by_default_path(struct buf content)
{
	static bool odd;
	char *other = in(env_of_all->root, odd ? "lists" : "other");

	odd = !odd;
	make_dir(other);
	write_list(in(other, "tlv-a"), content);
	set_default_path(other);
}

static void by_label(struct buf content)
{
	static bool odd;
	const char *name = odd ? "tlv-a" : "tlv-b";

	odd = !odd;
	write_list(in(env_of_all->lists, name), content);
	label(labelled, name);
}

static const struct way {
	const char *name;
	void (*change)(struct buf content);
} ways[] = {
	{ "rename", by_rename }, { "exchange", by_exchange },
	{ "unlink", by_unlink }, { "link", by_link },
	{ "truncation", by_truncation }, { "writing", by_writing },
	{ "mapping", by_mapping }, { "directory", by_directory },
	{ "default_path", by_default_path }, { "label", by_label },
};

/* Only the new digest is found. */
static void expect_new(int session, const char *path, int round)
{
	s64 result;
	u64 id;

	/* Whoever asks at the same time may void what is asked again. */
	do {
		id = get(session, 0, path);
		CHECK(id, "no digest cache in round %d", round);
		result = lookup(session, 0, digest(text("%d", round)));
		if (result == -EAGAIN)
			continue;
		CHECK_FOUND(result, "the new digest in round %d", round);
		result = lookup(session, 0, digest(text("%d", round - 1)));
	} while (result == -EAGAIN);
	CHECK_EQ(result, 0, "the old digest in round %d", round);
}

static void race_test(const struct env *env)
{
	const struct way *way = env->data;
	pthread_t askers[ASKERS];
	int session = session_open(), round;
	uintptr_t i;

	env_of_all = env;
	list = make_list(env->lists, "tlv-a", "0");
	spare = in(env->root, "spare");
	labelled = make_file(env->files, "labelled", "tlv-a");
	plain = make_file(env->files, "plain", NULL);
	for (i = 0; i < ASKERS; i++)
		CHECK(!pthread_create(&askers[i], NULL, ask_on_and_on,
				      (void *)i), "thread");

	for (round = 1; round <= ROUNDS; round++) {
		struct buf content = tlv_list(text("%d", round));

		way->change(content);
		expect_new(session, labelled, round);
		/* Other lists than that of the file are in the directory. */
		if (way->change != by_label)
			expect_new(session, plain, round);
		free(content.data);
	}
	stop = true;
	for (i = 0; i < ASKERS; i++)
		pthread_join(askers[i], NULL);
}

static void __attribute__((constructor)) register_ways(void)
{
	struct test *test;
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(ways); i++) {
		test = calloc(1, sizeof(*test));
		if (!test)
			abort();
		test->name = text("race_with_%s%s", ways[i / 2].name,
				  i % 2 ? "/tmpfs" : "");
		test->func = race_test;
		test->tmpfs = i % 2;
		test->data = &ways[i / 2];
		test_register(test);
	}
}
