// SPDX-License-Identifier: GPL-2.0-only
/*
 * Getting, looking up, putting: what the calls promise when nothing special
 * happens, and that a handle that was reset answers nothing more.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

/* One list serves all its files, and is loaded once. */
TEST_FS(one_cache_for_all_files)
{
	char *a = make_file(env->files, "a", "tlv-a");
	char *b = make_file(env->files, "b", "tlv-a");
	int session = session_open(), other = session_open();
	u64 loads, id;
	int i;

	make_list(env->lists, "tlv-a", "x y");
	id = get(session, 0, a);
	CHECK(id, "no list");
	loads = stat_value("loads");
	for (i = 0; i < 10; i++) {
		CHECK_EQ(get(session, i, a), id, "the first file");
		CHECK_EQ(get(other, i, b), id, "the second file");
	}
	CHECK_EQ(stat_value("loads"), loads, "it is loaded again");
	for (i = 0; i < 10; i++) {
		CHECK_EQ(lookup(session, i, digest("x")), id, "slot %d", i);
		tell(session, "put %d", i);
		CHECK_EQ(lookup(other, i, digest("y")), id, "slot %d", i);
	}
}

/* Numbers are never used again, nor are they zero. */
TEST(numbers_are_unique)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *list = make_list(env->lists, "tlv-a", "a");
	int session = session_open();
	u64 last = 0, id;
	int i;

	for (i = 0; i < 100; i++) {
		write_list(list, tlv_list("a"));
		id = get(session, 0, file);
		CHECK(id > last, "%llu after %llu", id,
		      last);
		CHECK_EQ(atoll(ask(session, "id 0")), id, "its number");
		last = id;
	}
}

/* A handle that was reset says EAGAIN, and a new one is right. */
TEST_FS(eagain_after_reset)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *list = make_list(env->lists, "tlv-a", "before both");
	int session = session_open();
	u64 old, new;

	old = get(session, 0, file);
	CHECK_EQ(lookup(session, 0, digest("before")), old, "before");
	replace_list(list, tlv_list("after both"));

	CHECK_EQ(lookup(session, 0, digest("before")), -EAGAIN, "found before");
	CHECK_EQ(lookup(session, 0, digest("after")), -EAGAIN, "found after");
	CHECK_EQ(lookup(session, 0, digest("both")), -EAGAIN, "found in both");
	CHECK_EQ(lookup(session, 0, digest("none")), -EAGAIN, "found in none");
	CHECK_EQ(algos_of(session, 0), 0, "algorithms of what was reset");
	CHECK_EQ(atoll(ask(session, "id 0")), old, "its number");

	new = get(session, 1, file);
	CHECK(new && new != old, "a new one");
	CHECK_EQ(lookup(session, 1, digest("before")), 0, "only before");
	CHECK_EQ(lookup(session, 1, digest("after")), new, "after");
	CHECK_EQ(lookup(session, 1, digest("both")), new, "in both");
	/* The old one is no better for it. */
	CHECK_EQ(lookup(session, 0, digest("both")), -EAGAIN, "the old one");
}

/* What was found stays valid memory after its list was reset and its put. */
TEST(found_outlives_list)
{
	char *file = make_file(env->files, "file", NULL);
	char *list = make_list(env->lists, "tlv-a", "a");
	int session = session_open();
	s64 found;

	CHECK(get(session, 0, file), "no directory");
	found = lookup_to(session, 0, digest("a"), 1);
	CHECK(found > 0, "the digest");
	tell(session, "put 0");
	MUST(unlink(list));
	drop_caches();
	CHECK_EQ(atoll(ask(session, "id 1")), found, "its number");
	CHECK_EQ(lookup(session, 1, digest("a")), -EAGAIN, "what was found");
}

/* Nothing where nothing is, and no crash. */
TEST(null_is_taken)
{
	static const char want[] = "get 0\nlookup 0\nid 0\nalgos 0\n"
		"verif_get 0\nverif_set -22\nhtable_init -22\nhtable_add -22\n"
		"htable_lookup -22\n";
	int session = session_open();
	char *have;

	(void)env;
	have = ask(session, "null");
	if (strcmp(have, want))
		FAIL("NULL gives\n%s", have);
}

/* Algorithms that are none. */
TEST(unknown_algorithm)
{
	char *file = make_file(env->files, "file", "tlv-a");
	int session = session_open();
	unsigned int algo;

	make_list(env->lists, "tlv-a", "a");
	CHECK(get(session, 0, file), "no list");
	for (algo = NUM_ALGOS; algo < NUM_ALGOS + 20; algo++)
		CHECK_EQ(atoll(ask(session, "lookup 0 - %u %s", algo,
				   hex(digest("a")))), 0, "algorithm %u", algo);
	CHECK_EQ(atoll(ask(session, "lookup 0 - 4294967295 00")), 0,
		 "the largest number");
}

/* The algorithms of a directory are those of all its lists. */
TEST_FS(algorithms_of_directory)
{
	char *file = make_file(env->files, "file", NULL);
	int session = session_open();
	struct buf list = {};

	CHECK(get(session, 0, file), "no directory");
	CHECK_EQ(algos_of(session, 0), 0, "without lists");
	make_list(env->lists, "tlv-a", "a");
	tlv_algo(&list, SHA512);
	tlv_entry(&list, digest_for(SHA512, "b"), NULL);
	write_list(in(env->lists, "tlv-b"), list);
	write_file(in(env->lists, "tlv-bad"), "bad", 3);
	CHECK(get(session, 0, file), "no directory");
	CHECK_EQ(algos_of(session, 0), 1 << SHA256 | 1 << SHA512, "two lists");
}

/* Files opened in ways that say nothing about their data. */
TEST(files_opened_otherwise)
{
	char *file = make_file(env->files, "file", "tlv-a");
	int session = session_open(), fd;

	make_list(env->lists, "tlv-a", "a");
	fd = MUST(open(file, O_WRONLY | O_APPEND));
	CHECK(get_fd(session, 0, fd), "for writing");
	close(fd);
	fd = MUST(open(file, O_RDWR));
	CHECK(get_fd(session, 0, fd), "for both");
	close(fd);
	fd = MUST(open(env->files, O_TMPFILE | O_RDWR, 0600));
	CHECK(get_fd(session, 0, fd), "without a name");
	CHECK_FOUND(lookup(session, 0, digest("a")), "in the directory");
	close(fd);
}

/* Many workers, many times: each gets the same, and it is loaded once. */
TEST_FS(many_workers)
{
	enum { NUM = 32 };
	char *file = make_file(env->files, "file", "tlv-a");
	int session = session_open(), fd, i;
	u64 loads, first, id;
	char *reply, *line, *fds = "";

	make_list(env->lists, "tlv-a", "a");
	for (i = 0; i < NUM; i++) {
		fd = MUST(open(file, O_RDONLY | O_CLOEXEC));
		fds = text("%s %d", fds, fd);
	}

	loads = stat_value("loads");
	reply = ask(session, "async get 20%s", fds);
	CHECK_EQ(stat_value("loads") - loads, 1, "it is loaded several times");
	first = strtoull(reply, NULL, 10);
	CHECK(first, "nothing was got");
	for (i = 0; (line = strsep(&reply, "\n")) && *line; i++) {
		id = strtoull(line, NULL, 10);
		CHECK_EQ(id, first, "worker %d", i);
	}
	CHECK_EQ(i, NUM, "workers");

	reply = ask(session, "async lookup 20 %u %s%s", SHA256,
		    hex(digest("a")), fds);
	for (i = 0; (line = strsep(&reply, "\n")) && *line; i++)
		CHECK_EQ(strtoull(line, NULL, 10), first, "worker %d", i);
	CHECK_EQ(i, NUM, "workers");
	/* All were put: only the inode's slots hold it. */
	CHECK_EQ(get(session, 0, file), first, "afterwards");
}
