// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verification data: what providers attach to a list when it is read is there
 * with whatever is found in it, and nowhere else.
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

/* What IMA attaches to a list that it has measured, among others */
#define IMA_MEASURED	1

/* Skips the test where the kernel has no kprobes; else the probe is on. */
static void need_probe(int session)
{
	if (!try_ask(session, "probe on")) {
		if (errno == EOPNOTSUPP)
			test_skip("no kprobes");
		FAIL("the probe: %s", strerror(errno));
	}
	tell(session, "probe clear");
}

static void expect_text(int session, int slot, const char *id, const char *want)
{
	char *have = ask(session, "verif_text %d %s", slot, id);

	have[strcspn(have, "\n")] = '\0';
	CHECK(!strcmp(have, want), "%s says \"%s\", not \"%s\"", id, have,
	      want);
}

static void expect_measured(int session, int slot, const char *what)
{
	char *have = ask(session, "verif_get %d ima", slot);

	CHECK(strtoull(have, NULL, 10) & IMA_MEASURED, "%s has %s", what, have);
}

static void expect_nothing(int session, int slot, const char *id,
			   const char *what)
{
	char *have = ask(session, "verif_get %d %s", slot, id);

	CHECK(!strcmp(have, "none\n"), "%s has %s", what, have);
}

/* IMA is such a provider. */
static void ima_test(const struct env *env, bool with_prefetch)
{
	char *file = make_file(env->files, "file", "3-tlv-c");
	char *plain = make_file(env->files, "plain", NULL);
	int session = session_open(), i;

	CHECK_EQ(ima_set_policy(), 0, "the policy of IMA");
	make_list(env->lists, "1-tlv-a", "a");
	make_list(env->lists, "2-tlv-b", "b");
	make_list(env->lists, "3-tlv-c", "c");
	if (with_prefetch)
		prefetch(env->lists, 1);

	/* Twice, to see the data come again with what is loaded again. */
	for (i = 0; i < 2; i++) {
		CHECK(get(session, 0, file), "no list");
		expect_measured(session, 0, "the list");
		expect_nothing(session, 0, "imam", "another name");
		expect_nothing(session, 0, "im", "another name");

		CHECK(get(session, 1, plain), "no directory");
		expect_nothing(session, 1, "ima", "the directory");
		CHECK_FOUND(lookup_to(session, 1, digest("a"), 2), "in the first");
		expect_measured(session, 2, "the first list");
		CHECK_FOUND(lookup_to(session, 1, digest("c"), 3), "in the third");
		expect_measured(session, 3, "the third list");
		write_list(in(env->lists, "3-tlv-c"), tlv_list("c"));
		write_list(in(env->lists, "1-tlv-a"), tlv_list("a"));
		/* Who holds a handle holds its data. */
		expect_measured(session, 0, "what was reset");
		expect_measured(session, 2, "what was reset");
	}
}

TEST_FS(verif_by_ima)
{
	ima_test(env, false);
}

TEST_FS(verif_by_ima_with_prefetch)
{
	ima_test(env, true);
}

/* A probe in the place of a provider, with and without prefetch. */
static void probe_test(const struct env *env, bool with_prefetch)
{
	static const char *const names[] = { "1-tlv-a", "2-tlv-b", "3-tlv-c" };
	char *file = make_file(env->files, "file", "3-tlv-c");
	char *plain = make_file(env->files, "plain", NULL);
	int session = session_open(), first = with_prefetch ? 0 : 2, i;
	char *log, *line;

	need_probe(session);
	for (i = 0; i < 3; i++)
		make_list(env->lists, names[i], names[i]);
	if (with_prefetch)
		prefetch(env->lists, 1);
	tell(session, "probe set one text-one");
	tell(session, "probe set two text-two");
	/* An id that is taken stays what it is. */
	tell(session, "probe set one other");

	CHECK(get(session, 0, file), "no list");
	expect_text(session, 0, "one", "text-one");
	expect_text(session, 0, "two", "text-two");
	expect_text(session, 0, "three", "none");

	CHECK(get(session, 1, plain), "no directory");
	expect_text(session, 1, "one", "none");
	for (i = 0; i < 3; i++) {
		CHECK_FOUND(lookup_to(session, 1, digest(names[i]), 2), "in %s",
			    names[i]);
		expect_text(session, 2, "one", "text-one");
		expect_text(session, 2, "two", "text-two");
	}

	/* Each was read once, opened by the digest cache. */
	log = ask(session, "probe log");
	for (i = 0; i < 3; i++) {
		/* Without prefetch the labelled one comes first. */
		const char *name = names[(first + i) % 3];

		line = strsep(&log, "\n");
		CHECK(line && !strcmp(line, text("%s 1 0 0 0 %d", name, -EEXIST)),
		      "number %d is %s, not %s", i, line, name);
	}
	CHECK(!*log, "more was read: %s", log);
	tell(session, "probe clear");
	tell(session, "probe off");

	/* What was attached stays. */
	expect_text(session, 0, "one", "text-one");
}

TEST_FS(verif_by_probe)
{
	probe_test(env, false);
}

TEST_FS(verif_by_probe_with_prefetch)
{
	probe_test(env, true);
}

/* How much can be attached, and by how many. */
TEST(verif_limits)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *list = make_list(env->lists, "tlv-a", "a");
	int session = session_open(), i;
	char *log;

	need_probe(session);
	tell(session, "probe set most x 4096");
	tell(session, "probe set more x 4097");
	CHECK(get(session, 0, file), "no list");
	log = ask(session, "probe log");
	CHECK(!strcmp(log, text("tlv-a 1 0 0 %d\n", -E2BIG)), "the log is %s",
	      log);
	expect_text(session, 0, "most", "x");
	expect_text(session, 0, "more", "none");

	tell(session, "probe clear");
	tell(session, "probe off");
	tell(session, "probe early");
	for (i = 0; i < 18; i++)
		tell(session, "probe set id%d text%d", i, i);
	write_list(list, tlv_list("b"));
	/* There is no room for IMA any more, which does not let that pass. */
	CHECK_EQ(get(session, 0, file), 0, "a list without IMA's record");
	log = ask(session, "probe log");
	CHECK(!strcmp(log, text("tlv-a 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 %d %d\n",
				-ENOSPC, -ENOSPC)), "the log is %s", log);

	tell(session, "probe clear");
	for (i = 0; i < 15; i++)
		tell(session, "probe set id%d text%d", i, i);
	write_list(list, tlv_list("c"));
	CHECK(get(session, 0, file), "no list");
	for (i = 0; i < 15; i++)
		expect_text(session, 0, text("id%d", i), text("text%d", i));
	expect_measured(session, 0, "with fifteen others");
	tell(session, "probe clear");
	tell(session, "probe off");
}

/* The file that the digest cache opened is none to be verified. */
TEST_FS(get_on_file_of_digest_cache)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *list = make_list(env->lists, "tlv-a", "a");
	int session = session_open();
	char *log;

	need_probe(session);
	label(list, "tlv-b");
	make_list(env->lists, "tlv-b", "b");
	CHECK(get(session, 0, file), "no list");
	/* Although it is labelled. */
	log = ask(session, "probe log");
	CHECK(!strcmp(log, "tlv-a 1 0\n"), "the log is %s", log);
	/* Whoever else opens it gets one. */
	CHECK_FOUND(find(session, list, "b"), "the list as a file");
	tell(session, "probe off");
}
