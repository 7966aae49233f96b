// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directory of lists, as one digest cache.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

/* Whether there is a digest cache of a list that is ready. */
static bool is_loaded(const struct env *env, const char *name)
{
	struct cache *cache = cache_of(in(env->lists, name));

	return cache && !strcmp(cache->state, "ready");
}

/* The number of the digest cache of a list, by a file that is labelled. */
static u64 id_of_list(const struct env *env, int session, const char *name)
{
	return get(session, SCRATCH_SLOT,
		   make_file(env->files, text("user of %s", name), name));
}

/* A digest that is in several lists is found in the first one. */
TEST_FS(directory_first_list)
{
	static const char *const names[] = {
		"0-tlv-d", "2-tlv-c", "010-tlv-b", "100-tlv-a",
		"4294967295-tlv-a", "tlv-a",
	};
	char *file = make_file(env->files, "file", NULL);
	int session = session_open();
	size_t i;

	/* Made in another order than they are to be searched. */
	for (i = ARRAY_SIZE(names); i--;)
		make_list(env->lists, names[i], "same");
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		CHECK_EQ(find(session, file, "same"),
			 id_of_list(env, session, names[i]), "%s", names[i]);
		MUST(unlink(in(env->lists, names[i])));
	}
	CHECK_EQ(find(session, file, "same"), 0, "without lists");
}

/* A list is loaded only when the digest was not found before. */
TEST_FS(directory_loads_as_needed)
{
	char *file = make_file(env->files, "file", NULL);
	int session = session_open();
	u64 loads;

	make_list(env->lists, "1-tlv-a", "a");
	make_list(env->lists, "2-tlv-b", "b");
	make_list(env->lists, "3-tlv-c", "c");
	CHECK(get(session, 0, file), "no directory");
	CHECK(!is_loaded(env, "1-tlv-a"), "loaded by get");
	CHECK_FOUND(lookup(session, 0, digest("a")), "in the first");
	CHECK(is_loaded(env, "1-tlv-a"), "the first is not loaded");
	CHECK(!is_loaded(env, "2-tlv-b"), "the second is loaded");
	CHECK_FOUND(lookup(session, 0, digest("b")), "in the second");
	CHECK(is_loaded(env, "2-tlv-b"), "the second is not loaded");
	CHECK(!is_loaded(env, "3-tlv-c"), "the third is loaded");
	CHECK_EQ(lookup(session, 0, digest("none")), 0, "in none");
	CHECK(is_loaded(env, "3-tlv-c"), "the third is not loaded");

	loads = stat_value("loads");
	CHECK_FOUND(lookup(session, 0, digest("a")), "in the first again");
	CHECK_FOUND(lookup(session, 0, digest("c")), "in the third");
	CHECK_EQ(lookup(session, 0, digest("none")), 0, "in none again");
	CHECK(get(session, 1, file), "no directory");
	CHECK_FOUND(lookup(session, 1, digest("b")), "in the second again");
	CHECK_EQ(stat_value("loads"), loads, "something is loaded again");
}

/* One that has been reset says so, and loads nothing for that. */
TEST_FS(directory_reset_loads_nothing)
{
	char *file = make_file(env->files, "file", NULL);
	int session = session_open();
	u64 loads;

	make_list(env->lists, "1-tlv-a", "a");
	make_list(env->lists, "2-tlv-b", "b");
	make_list(env->lists, "3-tlv-c", "c");
	CHECK(get(session, 0, file), "no directory");
	CHECK_FOUND(lookup(session, 0, digest("a")), "in the first");
	make_list(env->lists, "1-tlv-a", "other");

	loads = stat_value("loads");
	CHECK_EQ(lookup(session, 0, digest("none")), -EAGAIN, "in none");
	CHECK_EQ(algos_of(session, 0), 0, "algorithms");
	CHECK_EQ(stat_value("loads"), loads, "something is loaded");
	CHECK(!is_loaded(env, "2-tlv-b"), "the second is loaded");

	CHECK(get(session, 0, file), "no directory");
	CHECK_FOUND(lookup(session, 0, digest("c")), "in the third");
	CHECK(is_loaded(env, "2-tlv-b"), "the second is not loaded");
}

/* Whether a list comes after another that the directory has after it. */
static bool comes_after(const char *name, const char *later)
{
	unsigned long seq, later_seq;
	bool has_seq, later_has_seq;
	char *end;

	seq = strtoul(name, &end, 10);
	has_seq = *end == '-' && end != name;
	later_seq = strtoul(later, &end, 10);
	later_has_seq = *end == '-' && end != later;
	if (!later_has_seq)
		return false;
	return !has_seq || seq > later_seq;
}

/* The lists of a directory in the order in which they are to be searched. */
static char **expected_order(const char *directory, size_t *num)
{
	DIR *dir = opendir(directory);
	char **names = calloc(256, sizeof(*names)), *name;
	struct dirent *entry;
	size_t i, j;

	CHECK(dir && names, "%s: %s", directory, strerror(errno));
	for (*num = 0; (entry = readdir(dir));)
		if (strstr(entry->d_name, "tlv-"))
			names[(*num)++] = text("%s", entry->d_name);
	closedir(dir);

	/* By insertion, which is stable. */
	for (i = 1; i < *num; i++) {
		name = names[i];
		for (j = i; j && comes_after(names[j - 1], name); j--)
			names[j] = names[j - 1];
		names[j] = name;
	}
	return names;
}

/*
 * Those with a number come first, ascending, equal ones and those without a
 * number in the order in which the directory has them.
 */
TEST_FS(directory_order)
{
	static const char *const names[] = {
		"tlv-z", "9-tlv-a", "10-tlv-a", "tlv-a", "1-tlv-m", "01-tlv-a",
		"1-tlv-b", "001-tlv-z", "tlv-m", "4294967295-tlv-a", "0-tlv-x",
		"tlv-b", "1-tlv-c", "100-tlv-a", "tlv-0", "1-tlv-y",
	};
	char *file = make_file(env->files, "file", NULL), **want, **have;
	int session = session_open();
	size_t i, num_want, num_have;

	CHECK_EQ(ima_set_policy(), 0, "the policy of IMA");
	for (i = 0; i < ARRAY_SIZE(names); i++)
		make_list(env->lists, names[i], names[i]);
	CHECK_EQ(find(session, file, "none"), 0, "in none");

	want = expected_order(env->lists, &num_want);
	have = ima_measured(env->lists, &num_have);
	CHECK_EQ(num_want, ARRAY_SIZE(names), "lists");
	CHECK_EQ(num_have, num_want, "measured lists");
	for (i = 0; i < num_want; i++)
		CHECK(!strcmp(have[i], want[i]), "number %zu is %s, not %s", i,
		      have[i], want[i]);
}

/* Bad lists are skipped, counted, and not tried again. */
TEST_FS(directory_skips_bad_lists)
{
	char *file = make_file(env->files, "file", NULL);
	u64 failures, bad_messages, no_parsers, loads, d;
	int session = session_open(), i;

	make_list(env->lists, "1-tlv-a", "a");
	write_file(in(env->lists, "2-tlv-bad"), "bad", 3);
	write_file(in(env->lists, "3-tlv-empty"), "", 0);
	make_list(env->lists, "4-nosuch-x", "x");
	make_list(env->lists, "5-tlv-b", "b");
	failures = stat_value("load_failures");
	bad_messages = stat_value("load_failures.74");
	no_parsers = stat_value("load_failures.65");

	d = get(session, 0, file);
	CHECK(d, "no directory");
	CHECK_FOUND(lookup(session, 0, digest("b")), "behind the bad ones");
	CHECK_EQ(stat_value("load_failures") - failures, 3, "failures");
	CHECK_EQ(stat_value("load_failures.74") - bad_messages, 1, "EBADMSG");
	CHECK_EQ(stat_value("load_failures.65") - no_parsers, 1, "ENOPKG");

	loads = stat_value("loads");
	for (i = 0; i < 5; i++)
		CHECK_EQ(lookup(session, 0, digest("none")), 0, "in none");
	CHECK_EQ(stat_value("load_failures") - failures, 3, "tried again");
	CHECK_EQ(stat_value("loads"), loads, "loaded again");

	/* Mended, it is one of them. */
	make_list(env->lists, "2-tlv-bad", "mended");
	CHECK_EQ(lookup(session, 0, digest("b")), -EAGAIN, "the old handle");
	CHECK_FOUND(find(session, file, "mended"), "the mended one");
	CHECK_FOUND(find(session, file, "b"), "the last one");
}

/*
 * A list that was bad is tried again when it gets another signature, which does
 * not change the directory.
 */
TEST_FS(directory_tries_signed_lists_again)
{
	char *plain = make_file(env->files, "plain", NULL);
	char *bad = in(env->lists, "1-tlv-bad");
	int session = session_open();
	u64 failures;

	write_file(bad, "bad", 3);
	make_list(env->lists, "2-tlv-b", "b");
	CHECK_EQ(find(session, plain, "none"), 0, "in no list");
	failures = stat_value("load_failures.74");
	CHECK_EQ(find(session, plain, "none"), 0, "again");
	CHECK_EQ(stat_value("load_failures.74"), failures, "was tried again");
	MUST(setxattr(bad, "security.ima", "\3\2", 2, 0));
	CHECK_EQ(find(session, plain, "none"), 0, "with a signature");
	CHECK_EQ(stat_value("load_failures.74") - failures, 1,
		 "with a signature");
	MUST(removexattr(bad, "security.ima"));
	CHECK_FOUND(find(session, plain, "b"), "behind it");
	CHECK_EQ(stat_value("load_failures.74") - failures, 2, "without it");
}

/* A list that is being written is skipped for now, but not for good. */
TEST_FS(directory_list_being_written)
{
	char *file = make_file(env->files, "file", NULL);
	char *labelled = make_file(env->files, "labelled", "1-tlv-a");
	char *list = make_list(env->lists, "1-tlv-a", "a");
	int session = session_open(), fd;

	make_list(env->lists, "2-tlv-b", "b");
	fd = MUST(open(list, O_WRONLY));
	CHECK_EQ(get(session, 0, labelled), 0, "a list that is being written");
	CHECK_FOUND(find(session, file, "b"), "in the other list");
	CHECK_EQ(find(session, file, "a"), 0, "in what is being written");
	close(fd);
	CHECK_FOUND(find(session, file, "a"), "when it is written");
	CHECK(get(session, 0, labelled), "when it is written");
}

/* Everything in the directory that is no list is left alone. */
TEST_FS(directory_other_entries)
{
	char *file = make_file(env->files, "file", NULL);
	int session = session_open();

	make_dir(in(env->lists, "1-tlv-dir"));
	make_list(in(env->lists, "1-tlv-dir"), "tlv-x", "in-dir");
	MUST(mkfifo(in(env->lists, "2-tlv-fifo"), 0600));
	make_list(env->root, "tlv-outside", "outside");
	MUST(symlink("../tlv-outside", in(env->lists, "3-tlv-link")));
	write_file(in(env->lists, "README"), "text", 4);
	make_list(env->lists, ".1-tlv-hidden", "hidden");
	make_list(env->lists, "9-tlv-a", "a");

	CHECK_FOUND(find(session, file, "a"), "the list");
	CHECK_EQ(find(session, file, "in-dir"), 0, "nested");
	CHECK_EQ(find(session, file, "outside"), 0, "through a link");
	/* A format that is not registered, so none of the lists. */
	CHECK_EQ(find(session, file, "hidden"), 0, "hidden");
}

/* Lists that come later are found, those that go are not. */
TEST_FS(directory_changes)
{
	char *file = make_file(env->files, "file", NULL);
	int session = session_open(), i;

	CHECK(get(session, 0, file), "an empty directory");
	CHECK_EQ(lookup(session, 0, digest("0")), 0, "in none");
	for (i = 0; i < 20; i++) {
		make_list(env->lists, text("tlv-%d", i), text("%d", i));
		CHECK_EQ(lookup(session, 0, digest("0")), -EAGAIN,
			 "the old handle, round %d", i);
		CHECK(get(session, 0, file), "round %d", i);
		CHECK_FOUND(lookup(session, 0, digest(text("%d", i))),
			    "the new list, round %d", i);
		CHECK_FOUND(lookup(session, 0, digest("0")), "the first list");
	}
	for (i = 0; i < 20; i++) {
		MUST(unlink(in(env->lists, text("tlv-%d", i))));
		CHECK_EQ(find(session, file, text("%d", i)), 0,
			 "a list that is gone");
	}
}

/* However many ask at once, each list is loaded once. */
TEST_FS(directory_races)
{
	enum { LISTS = 20, WORKERS = 32, ROUNDS = 5 };
	char *file = make_file(env->files, "file", NULL), *fds = "";
	int session = session_open(), i, round;

	for (i = 0; i < LISTS; i++)
		make_list(env->lists, text("%d-tlv-x", i), text("%d", i));
	for (i = 0; i < WORKERS; i++)
		fds = text("%s %d", fds, MUST(open(file, O_RDONLY)));

	for (round = 0; round < ROUNDS; round++) {
		u64 loads = stat_value("loads"), first;
		char *reply, *line;

		reply = ask(session, "async lookup 1 %u %s%s", SHA256,
			    hex(digest(text("%d", LISTS - 1))), fds);
		first = strtoull(reply, NULL, 10);
		CHECK(first, "not found");
		for (i = 0; (line = strsep(&reply, "\n")) && *line; i++)
			CHECK_EQ(strtoll(line, NULL, 10), first, "worker %d",
				 i);
		CHECK_EQ(i, WORKERS, "workers");
		CHECK_EQ(stat_value("loads") - loads, LISTS, "loads");
		set_default_path(env->lists);
	}
}

/* Five hundred lists: all are found, and a miss costs nothing of note. */
TEST(directory_of_many_lists)
{
	enum { LISTS = 500 };
	char *file = make_file(env->files, "file", NULL);
	int session = session_open(), i;
	u64 loads;

	for (i = 0; i < LISTS; i++)
		make_list(env->lists, text("%d-tlv-x", i), text("%d", i));
	CHECK(get(session, 0, file), "no directory");
	CHECK_EQ(lookup(session, 0, digest("none")), 0, "in none");
	loads = stat_value("loads");
	for (i = 0; i < LISTS; i++)
		CHECK_FOUND(lookup(session, 0, digest(text("%d", i))),
			    "in list %d", i);
	CHECK_EQ(stat_value("loads"), loads, "something is loaded again");
}
