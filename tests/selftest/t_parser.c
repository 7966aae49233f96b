// SPDX-License-Identifier: GPL-2.0-only
/*
 * Formats from modules: two examples, one in C and one in Rust, and a parser
 * that makes the calls that are for parsers.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "modules.h"
#include "session.h"
#include "test.h"

/* The example modules, and the formats that they teach */
static const struct {
	const char *module;
	const char *format;
} examples[] = {
	{ "dc_parser_c", "plain" },
	{ "dc_parser_rust", "plainrs" },
};

#define FOR_EACH_EXAMPLE(i)	for (i = 0; i < ARRAY_SIZE(examples); i++)

/* The content of a list in plain text, for words separated by blanks. */
static char *plain_text(const char *words)
{
	char *rest = strdup(words), *word, *result = "# text\n\n";

	while ((word = strsep(&rest, " ")))
		result = text("%ssha256:%s\n", result, hex(digest(word)));
	return result;
}

static char *make_plain(const struct env *env, const char *name,
			const char *words)
{
	char *list = in(env->lists, name), *content = plain_text(words);

	write_file(list, content, strlen(content));
	return list;
}

static void load_example(const struct env *env, size_t i, const char *params)
{
	CHECK_EQ(module_load(env->modules, examples[i].module, params), 0,
		 "%s cannot be loaded", examples[i].module);
}

static void unload_example(size_t i)
{
	CHECK_EQ(module_unload_wait(examples[i].module), 0,
		 "%s cannot be unloaded", examples[i].module);
}

/* The list is failed, with this error. */
static void expect_error(const struct env *env, const char *name, int error)
{
	struct cache *cache = cache_of(in(env->lists, name));

	CHECK(cache, "%s is not in caches", name);
	CHECK(!strcmp(cache->state, "failed"), "%s is %s", name, cache->state);
	CHECK_EQ(cache->error, error, "%s", name);
}

/* A format comes and goes with its module; what was loaded stays. */
TEST_FS(parser_module)
{
	int session = session_open();
	u64 parsers = stat_value("parsers"), loads;
	size_t i;

	FOR_EACH_EXAMPLE(i) {
		char *name = text("%s-a", examples[i].format);
		char *later = text("%s-b", examples[i].format);
		char *file = make_file(env->files, name, name);
		char *file2 = make_file(env->files, later, later);
		u64 id;

		/* Not yet: the list fails, and that is remembered. */
		make_plain(env, name, "a b c");
		CHECK_EQ(get(session, 0, file), 0, "without a parser");
		expect_error(env, name, -ENOPKG);
		loads = stat_value("load_failures");
		CHECK_EQ(get(session, 0, file), 0, "without a parser");
		CHECK_EQ(stat_value("load_failures"), loads, "tried again");

		load_example(env, i, "");
		CHECK_EQ(stat_value("parsers"), parsers + 1, "parsers");
		id = get(session, 0, file);
		CHECK(id, "with the parser of %s", examples[i].module);
		CHECK_EQ(lookup(session, 0, digest("a")), id, "the first");
		CHECK_EQ(lookup(session, 0, digest("c")), id, "the last");
		CHECK_EQ(lookup(session, 0, digest("d")), 0, "none");
		CHECK_EQ(cache_with_id(id)->digests, 3, "digests");

		/* Gone: what is loaded stays, what is new fails. */
		unload_example(i);
		CHECK_EQ(stat_value("parsers"), parsers, "parsers");
		loads = stat_value("loads");
		CHECK_EQ(get(session, 1, file), id, "what was loaded");
		CHECK_EQ(lookup(session, 0, digest("b")), id, "old handle");
		CHECK_EQ(lookup(session, 1, digest("b")), id, "new handle");
		CHECK_EQ(stat_value("loads"), loads, "loaded again");
		make_plain(env, later, "d");
		CHECK_EQ(get(session, 1, file2), 0, "a new list");
		expect_error(env, later, -ENOPKG);

		/* There again: it works without touching the list. */
		load_example(env, i, "");
		CHECK_FOUND(find(session, file2, "d"), "the new list");
		CHECK_FOUND(find(session, file, "a"), "the old list");
		unload_example(i);
	}
}

/* What the examples take for a list and what they do not. */
TEST(parser_robustness)
{
	static const char *const bad[] = {
		"x", "sha256", "sha256:", "sha256:\n", " ", "\t\n", "SHA256:",
		"md5:d41d8cd98f00b204e9800998ecf8427e\n",
	};
	char *good = text("sha256:%s", hex(digest("good")));
	int session = session_open();
	size_t i, j;

	FOR_EACH_EXAMPLE(i) {
		char *name = text("%s-list", examples[i].format);
		char *file = make_file(env->files, name, name);
		char *list = in(env->lists, name), *all;
		const struct {
			const char *what;
			char *content;
			bool valid;
		} cases[] = {
			{ "no newline at the end", good, true },
			{ "upper case", text("sha256:%064X\n", 0xabcdef), true },
			{ "a comment", text("# x\n%s\n#", good), true },
			{ "empty lines", text("\n\n%s\n\n", good), true },
			{ "only comments", "# nothing\n", true },
			{ "a digit too few", text("%.70s\n", good), false },
			{ "a digit too many", text("%s0\n", good), false },
			{ "a blank at the end", text("%s \n", good), false },
			{ "a blank before", text(" %s\n", good), false },
			{ "a carriage return", text("%s\r\n", good), false },
			{ "no digit", text("%.70sg\n", good), false },
			{ "two on a line", text("%s%s\n", good, good), false },
		};

		load_example(env, i, "");
		for (j = 0; j < ARRAY_SIZE(cases); j++) {
			write_file(list, cases[j].content,
				   strlen(cases[j].content));
			CHECK_EQ(!!get(session, 0, file), cases[j].valid,
				 "%s: %s", name, cases[j].what);
		}
		for (j = 0; j < ARRAY_SIZE(bad); j++) {
			/* Also behind something good. */
			write_file(list, bad[j], strlen(bad[j]));
			CHECK_EQ(get(session, 0, file), 0, "\"%s\"", bad[j]);
			expect_error(env, name, -EBADMSG);
			all = text("%s\n%s", good, bad[j]);
			write_file(list, all, strlen(all));
			CHECK_EQ(get(session, 0, file), 0, "\"%s\"", bad[j]);
		}
		/* NULs are bytes as others. */
		write_file(list, "\0\0", 2);
		CHECK_EQ(get(session, 0, file), 0, "NULs");
		/* A signature is stripped for these formats as well. */
		{
			struct buf content = {};

			buf_add(&content, good, strlen(good));
			buf_add(&content, "\n", 1);
			append_signature(&content);
			write_list(list, content);
			CHECK_FOUND(find(session, file, "good"), "signed");
		}
		unload_example(i);
	}
}

/* In a directory, with other formats and for files without a label. */
TEST_FS(parser_in_directory)
{
	char *file = make_file(env->files, "file", NULL);
	int session = session_open();
	size_t i;

	FOR_EACH_EXAMPLE(i) {
		char *name = text("2-%s-x", examples[i].format);

		make_list(env->lists, "1-tlv-a", "a");
		make_plain(env, name, "plain");
		make_list(env->lists, "3-tlv-c", "c");
		CHECK_FOUND(find(session, file, "c"), "without the parser");
		CHECK_EQ(find(session, file, "plain"), 0, "without the parser");
		load_example(env, i, "");
		CHECK_FOUND(find(session, file, "plain"), "with the parser");
		CHECK_FOUND(find(session, file, "c"), "behind it");
		unload_example(i);
		CHECK_FOUND(find(session, file, "plain"), "without it again");
		MUST(unlink(in(env->lists, name)));
		CHECK_EQ(find(session, file, "plain"), 0, "without the list");
	}
}

/* A parser that runs keeps its module. */
struct slow_get {
	int session;
	const char *file;
	u64 id;
};

static void *get_in_thread(void *data)
{
	struct slow_get *slow = data;

	slow->id = get(slow->session, 0, slow->file);
	return NULL;
}

TEST_FS(parser_runs_while_unloaded)
{
	size_t i;

	FOR_EACH_EXAMPLE(i) {
		char *name = text("%s-slow", examples[i].format);
		struct slow_get slow = {
			.session = session_open(),
			.file = make_file(env->files, name, name),
		};
		char *list = make_plain(env, name, "a");
		struct cache *cache;
		pthread_t thread;
		int ret;

		load_example(env, i, "delay_ms=1000");
		CHECK(!pthread_create(&thread, NULL, get_in_thread, &slow),
		      "thread");
		WAIT_FOR((cache = cache_of(list)) &&
			 !strcmp(cache->state, "loading"), "it never loads");
		/* Once it is there, reading took no time, so it parses. */
		sleep_ms(200);
		ret = module_unload(examples[i].module);
		CHECK_EQ(ret, -EAGAIN, "unloading while the parser runs");
		pthread_join(thread, NULL);
		CHECK(slow.id, "the list");
		CHECK_FOUND(find(slow.session, slow.file, "a"), "the digest");
		unload_example(i);
		CHECK_FOUND(find(slow.session, slow.file, "a"), "unloaded");
		close(slow.session);
	}
}

/* Names that cannot be registered. */
TEST(parser_names)
{
	static const struct {
		const char *name;
		int error;
	} names[] = {
		{ "tlv", -EEXIST }, { "rpm", -EEXIST }, { "a-b", -EINVAL },
		{ "-", -EINVAL }, { "abcdefghijklmnopqrstuvwxyz", -EINVAL },
		{ "abcdefghijklmnopqrst", -EINVAL },
		{ "12", -EINVAL }, { "a/b", -EINVAL },
		{ "abcdefghijklmnopqrs", 0 }, { "x", 0 }, { "x", -EEXIST },
		{ "12a", 0 },
	};
	int session = session_open();
	u64 parsers = stat_value("parsers");
	char *file, *list;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		CHECK_EQ(atoi(ask(session, "script on %s", names[i].name)),
			 names[i].error, "%s", names[i].name);
	CHECK_EQ(stat_value("parsers"), parsers + 3, "parsers");

	/* The longest name is one that lists can have. */
	list = in(env->lists, "abcdefghijklmnopqrs-list");
	file = make_file(env->files, "file", "abcdefghijklmnopqrs-list");
	write_file(list, "init 4 1\n", 9);
	CHECK(get(session, 0, file), "a list of the longest name");

	/* Gone, a name is free. */
	tell(session, "script off x");
	CHECK_EQ(atoi(ask(session, "script on x")), 0, "x again");
	tell(session, "script off x");
	tell(session, "script off 12a");
	tell(session, "script off abcdefghijklmnopqrs");
	CHECK_EQ(stat_value("parsers"), parsers, "parsers");
}

/* Two modules cannot teach the same format. */
TEST(parser_names_of_modules)
{
	int session = session_open();
	size_t i;

	FOR_EACH_EXAMPLE(i) {
		load_example(env, i, "");
		CHECK_EQ(atoi(ask(session, "script on %s", examples[i].format)),
			 -EEXIST, "the second");
		unload_example(i);
		CHECK_EQ(atoi(ask(session, "script on %s", examples[i].format)),
			 0, "the only one");
		CHECK_EQ(module_load(env->modules, examples[i].module, ""),
			 -EBUSY, "the module as the second");
		tell(session, "script off %s", examples[i].format);
		load_example(env, i, "");
		unload_example(i);
	}
}

/* The calls that are for parsers, right and wrong. */
static void run_script(const struct env *env, int session, const char *script,
		       bool loaded, const char *want)
{
	char *file = in(env->files, "script"), *have;

	if (access(file, F_OK))
		make_file(env->files, "script", "script-list");
	write_file(in(env->lists, "script-list"), script, strlen(script));
	CHECK_EQ(!!get(session, 0, file), loaded, "the script\n%s", script);
	have = ask(session, "script log");
	if (strcmp(have, want))
		FAIL("the script\n%sgives\n%sand not\n%s", script, have, want);
}

TEST(parser_calls)
{
	char *a = hex(digest("a")), *b = hex(digest("b"));
	char *a512 = hex(digest_for(SHA512, "a"));
	int session = session_open();

	CHECK_EQ(atoi(ask(session, "script on script")), 0, "registering");
	free(ask(session, "script log"));

	run_script(env, session, text("init 4 2\nadd 4 %s\nadd 4 %s\n", a, b),
		   true, "init 0\nadd 0\nadd 0\n");
	CHECK_FOUND(lookup(session, 0, digest("a")), "a");
	CHECK_FOUND(lookup(session, 0, digest("b")), "b");
	CHECK_EQ(lookup(session, 0, digest("c")), 0, "c");

	/* Several algorithms; the number is a hint, and nothing more. */
	run_script(env, session,
		   text("init 4 1\ninit 6 1000000\nadd 6 %s\nadd 4 %s\nadd 4 %s\n",
			a512, a, b),
		   true, "init 0\ninit 0\nadd 0\nadd 0\nadd 0\n");
	CHECK_FOUND(lookup(session, 0, digest("b")), "more than the hint");
	CHECK_FOUND(lookup(session, 0, digest_for(SHA512, "a")), "SHA-512");
	CHECK_EQ(algos_of(session, 0), 1 << SHA256 | 1 << SHA512, "algorithms");
	run_script(env, session,
		   text("init 4 4294967295\nadd 4 %s\n", a),
		   true, "init 0\nadd 0\n");
	CHECK(cache_with_id(atoll(ask(session, "id 0")))->bytes < 65536,
	      "memory is taken for what is only said");

	/* An algorithm that was not begun, or that is none. */
	run_script(env, session, text("add 4 %s\n", a), true, "add -2\n");
	run_script(env, session, text("init 4 1\nadd 6 %s\n", a512), true,
		   "init 0\nadd -2\n");
	run_script(env, session, text("init 23 1\ninit 4294967295 1\n"), true,
		   "init -22\ninit -22\n");
	run_script(env, session, text("init 4 1\nadd 23 %s\n", a), true,
		   "init 0\nadd -22\n");

	/* Errors of the parser are those of the list. */
	run_script(env, session, "return -22\n", false, "");
	expect_error(env, "script-list", -EINVAL);
	run_script(env, session, "return -74\n", false, "");
	expect_error(env, "script-list", -EBADMSG);

	/* Those of the moment are not. */
	run_script(env, session, "return -12\n", false, "");
	CHECK_EQ(get(session, 0, in(env->files, "script")), 0, "ENOMEM");
	CHECK(!cache_of(in(env->lists, "script-list")),
	      "a failure that says nothing about the list is remembered");

	/* Neither after nor before loading. */
	run_script(env, session, text("init 4 1\nadd 4 %s\nlookup 4 %s\n"
				      "lookup 4 %s\n", a, a, b),
		   true, "init 0\nadd 0\nlookup 0\nlookup -2\n");
	tell(session, "script off script");
}

/* Lists are loaded while parsers come and go. */
static struct {
	const struct env *env;
	atomic_bool stop;
	unsigned long found, not_found;
} busy;

static void *use_lists(void *number)
{
	size_t i = (uintptr_t)number;
	char *name = text("%s-busy-%zu", examples[i % 2].format, i);
	char *file = make_file(busy.env->files, name, name);
	char *list = in(busy.env->lists, name);
	unsigned long found = 0, not_found = 0;
	int session = session_open(), round;

	for (round = 0; !busy.stop; round++) {
		char *words = text("%zu-%d", i, round);
		char *content = plain_text(words);
		u64 id;

		write_file(list, content, strlen(content));
		id = get(session, 0, file);
		if (id) {
			s64 result = lookup(session, 0, digest(words));

			/* Only what comes and goes can have voided it. */
			CHECK(result == (s64)id || result == -EAGAIN,
			      "a list without its digest: %lld",
			      result);
			found++;
		} else {
			not_found++;
		}
		free(content);
		free(words);
	}
	__sync_fetch_and_add(&busy.found, found);
	__sync_fetch_and_add(&busy.not_found, not_found);
	close(session);
	return NULL;
}

TEST(parser_modules_under_use)
{
	pthread_t threads[8];
	double end;
	size_t i;

	busy.env = env;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK(!pthread_create(&threads[i], NULL, use_lists, (void *)i),
		      "thread");
	for (end = now() + 5; now() < end;) {
		FOR_EACH_EXAMPLE(i)
			load_example(env, i, "");
		sleep_ms(20);
		FOR_EACH_EXAMPLE(i)
			unload_example(i);
		sleep_ms(5);
	}
	busy.stop = true;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	CHECK(busy.found, "nothing was ever found");
	CHECK(busy.not_found, "the parsers were always there");
	diag("%lu found, %lu without a parser", busy.found, busy.not_found);
}
