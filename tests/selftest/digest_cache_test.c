// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests the digest_cache LSM from user space, through a module that uses the
 * API as integrity providers do. To be run as root, on a kernel that is there
 * for nothing else. Prints TAP.
 *
 *	digest_cache_test --dir DIRECTORY --modules DIRECTORY
 *		[--concurrency SECONDS] [--every NUMBER] [--timeout SECONDS]
 *		[--list] [TEST...]
 *
 * Files are made below --dir, on whose file system the tests run; those with a
 * slash in their name run on a tmpfs that is mounted there.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <unistd.h>

#include "env.h"
#include "fs.h"
#include "kernel.h"
#include "test.h"

/* Limit for a test, beside the duration of the one that has a duration */
#define DEFAULT_TIMEOUT	200

static void __noreturn usage(void)
{
	fputs("usage: digest_cache_test --dir DIRECTORY --modules DIRECTORY\n"
	      "\t[--concurrency SECONDS] [--every NUMBER] [--timeout SECONDS]\n"
	      "\t[--list] [TEST...]\n",
	      stderr);
	exit(2);
}

static unsigned int number(const char *word)
{
	char *end;
	unsigned long value = strtoul(word, &end, 10);

	if (!*word || *end || value > 86400)
		usage();
	return value;
}

/* Whether a test is one of those that were asked for, if any were. */
static bool selected(const struct test *test, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, test->name))
			return true;
	return false;
}

static bool exists(const char *name)
{
	struct test *test;

	for (test = test_first(); test; test = test->next)
		if (!strcmp(name, test->name))
			return true;
	return false;
}

/* Runs the tests and returns how many failed. */
static unsigned int run(const struct env *env, unsigned int timeout,
			char **names)
{
	unsigned int total = 0, done = 0, failed = 0;
	struct test *test;

	for (test = test_first(); test; test = test->next)
		total += selected(test, names);

	printf("TAP version 13\n1..%u\n", total);
	for (test = test_first(); test; test = test->next) {
		const char *skipped;
		double start = now();
		bool passed;

		if (!selected(test, names))
			continue;
		passed = test_run(test, env, timeout, &skipped);
		printf("%s %u %s%s%s\n", passed ? "ok" : "not ok", ++done,
		       test->name, skipped ? " # SKIP " : "",
		       skipped ?: "");
		if (now() - start > 5)
			diag("%s took %.0f s", test->name, now() - start);
		failed += !passed;
	}
	printf("# %u tests, %u failed\n", total, failed);
	return failed;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "modules", required_argument, NULL, 'm' },
		{ "concurrency", required_argument, NULL, 'c' },
		{ "every", required_argument, NULL, 'e' },
		{ "timeout", required_argument, NULL, 't' },
		{ "list", no_argument, NULL, 'l' },
		{}
	};
	unsigned int timeout = DEFAULT_TIMEOUT, failed;
	struct env env = { .seconds = 60, .every = 1 };
	char *dir = NULL, *old_path, *tmpfs;
	struct test *test;
	bool list = false;
	int option, ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			dir = optarg;
			break;
		case 'm':
			env.modules = optarg;
			break;
		case 'c':
			env.seconds = number(optarg);
			break;
		case 'e':
			env.every = number(optarg);
			if (!env.every)
				usage();
			break;
		case 't':
			timeout = number(optarg);
			break;
		case 'l':
			list = true;
			break;
		default:
			usage();
		}
	}
	for (char **name = argv + optind; *name; name++) {
		if (!exists(*name)) {
			fprintf(stderr, "no test %s\n", *name);
			return 2;
		}
	}

	if (list) {
		for (test = test_first(); test; test = test->next)
			if (selected(test, argv + optind))
				puts(test->name);
		return 0;
	}

	if (!dir || !env.modules)
		usage();
	dir = realpath(dir, NULL);
	if (!dir || strlen(dir) > 100) {
		fprintf(stderr, "--dir: %s\n",
			dir ? "too long" : strerror(errno));
		return 2;
	}
	snprintf(env.root, sizeof(env.root), "%s", dir);

	if (getrandom(&env.run, sizeof(env.run), GRND_INSECURE) !=
	    sizeof(env.run))
		abort();
	tmpfs = in(dir, TMPFS_DIR);
	make_dir(tmpfs);
	MUST(mount("tmpfs", tmpfs, "tmpfs", 0, "mode=755"));
	ret = ima_set_policy();
	if (ret)
		diag("the policy of IMA: %s", strerror(-ret));
	old_path = get_default_path();

	failed = run(&env, timeout + env.seconds, argv + optind);

	set_default_path(old_path);
	MUST(umount2(tmpfs, MNT_DETACH));
	MUST(rmdir(tmpfs));
	return failed ? 1 : 0;
}
