/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test: a function that returns when all is well. Each runs in a process and
 * in a directory of its own; the first check that fails ends it.
 */
#ifndef _TEST_H
#define _TEST_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "types.h"

/* How long to wait for something that takes no time, on a slow machine */
#define WAIT_SECONDS	30

/**
 * struct env - where a test is
 * @root: directory of the test, on the file system that it is about
 * @lists: directory of digest lists in it, which is the default path
 * @files: directory for files in it
 * @modules: directory of the modules
 * @seconds: how long the test of concurrency takes
 * @every: of which allocations the tests of memory make one fail
 * @run: a number of this run of the program
 * @data: what the test was registered with
 */
struct env {
	char root[256];
	char lists[300];
	char files[300];
	const char *modules;
	unsigned int seconds;
	unsigned int every;
	unsigned int run;
	const void *data;
};

/**
 * struct test - a test
 * @name: its name
 * @func: what it does
 * @tmpfs: whether it runs on tmpfs instead of the file system that was given
 * @data: what it is given, if one function makes several tests
 * @next: the next one
 */
struct test {
	const char *name;
	void (*func)(const struct env *env);
	bool tmpfs;
	const void *data;
	struct test *next;
};

void test_register(struct test *test);
struct test *test_first(void);

#define TEST_ON(symbol, test_name, test_func, on_tmpfs)			\
	static void __attribute__((constructor)) register_##symbol(void)	\
	{								\
		static struct test test = {				\
			.name = test_name,				\
			.func = test_func,				\
			.tmpfs = on_tmpfs,				\
		};							\
		test_register(&test);					\
	}

/* Defines a test that runs on the file system that was given. */
#define TEST(name)							\
	static void name(const struct env *env);			\
	TEST_ON(name, #name, name, false)				\
	static void name(const struct env *env)

/* Defines a test that runs on that one, and as name/tmpfs on tmpfs. */
#define TEST_FS(name)							\
	static void name(const struct env *env);			\
	TEST_ON(name, #name, name, false)				\
	TEST_ON(name##_tmpfs, #name "/tmpfs", name, true)		\
	static void name(const struct env *env)

/* Defines a test that runs on tmpfs only, as name/tmpfs. */
#define TEST_TMPFS(name)						\
	static void name(const struct env *env);			\
	TEST_ON(name, #name "/tmpfs", name, true)			\
	static void name(const struct env *env)

/* Runs @test, and returns whether it passed. Sets @skipped to a reason. */
bool test_run(const struct test *test, const struct env *env,
	      unsigned int timeout, const char **skipped);

__printf(1, 2) void diag(const char *format, ...);
__printf(3, 4) void test_fail(const char *file, int line, const char *format,
			      ...) __noreturn;
void test_skip(const char *reason) __noreturn;

#define FAIL(...)	test_fail(__FILE__, __LINE__, __VA_ARGS__)

/* Fails the test, with an explanation, unless a condition holds. */
#define CHECK(condition, ...)						\
	do {								\
		if (!(condition)) {					\
			diag("not true: %s", #condition);		\
			FAIL(__VA_ARGS__);				\
		}							\
	} while (0)

/* Fails the test, with an explanation, unless two numbers are equal. */
#define CHECK_EQ(have, want, ...)					\
	do {								\
		long long have_ = (long long)(have);			\
		long long want_ = (long long)(want);			\
									\
		if (have_ != want_) {					\
			diag("%s is %lld, not %lld", #have, have_, want_); \
			FAIL(__VA_ARGS__);				\
		}							\
	} while (0)

/* Fails the test, with an explanation, unless a look-up has found something. */
#define CHECK_FOUND(have, ...)						\
	do {								\
		long long found_ = (have);				\
									\
		if (found_ <= 0) {					\
			diag("%s is %lld", #have, found_);		\
			FAIL(__VA_ARGS__);				\
		}							\
	} while (0)

/* A system call that must not fail; gives its result. */
#define MUST(call)							\
	({								\
		__typeof__(call) result_ = (call);			\
									\
		if (result_ < 0)					\
			FAIL("%s: %s", #call, strerror(errno));		\
		result_;						\
	})

/* Waits until a condition holds; fails the test if that takes too long. */
#define WAIT_FOR(condition, ...)					\
	do {								\
		double end_ = now() + WAIT_SECONDS;			\
									\
		while (!(condition)) {					\
			if (now() > end_) {				\
				diag("timed out: %s", #condition);	\
				FAIL(__VA_ARGS__);			\
			}						\
			sleep_ms(5);					\
		}							\
	} while (0)

double now(void);
void sleep_ms(unsigned int ms);

/* Formats a string that is never freed: a test does not live long. */
__printf(1, 2) char *text(const char *format, ...);

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#endif /* _TEST_H */
