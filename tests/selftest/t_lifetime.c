// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory: what is held stays, what is not goes, whatever goes first.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

/* Everything comes back when lists are gone. */
TEST_FS(memory_comes_back)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *list = in(env->lists, "tlv-a");
	int session = session_open(), i, j;
	u64 caches, digests, bytes;
	struct buf content = {};

	tlv_algo(&content, SHA256);
	for (j = 0; j < 5000; j++)
		tlv_entry(&content, digest(text("%d", j)), NULL);

	/* What is there without the list */
	CHECK_EQ(get(session, 0, file), 0, "without the list");
	caches = stat_value("caches");
	digests = stat_value("digests");
	bytes = stat_value("bytes");

	for (i = 0; i < 40; i++) {
		write_list(list, content);
		CHECK(get(session, i % 4, file), "round %d", i);
	}
	CHECK(stat_value("digests") >= digests + 4 * 5000, "four are held");
	CHECK(stat_value("bytes") >= bytes + 4 * 5000 * 32, "four are held");
	for (i = 0; i < 4; i++)
		tell(session, "put %d", i);
	MUST(unlink(list));
	WAIT_FOR(stat_value("digests") <= digests, "digests stay");
	WAIT_FOR(stat_value("bytes") <= bytes, "bytes stay");
	WAIT_FOR(stat_value("caches") <= caches, "caches stay");
}

/* Lists are evicted with their inodes, and are read again when needed. */
TEST_FS(lists_are_evicted)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *plain = make_file(env->files, "plain", NULL);
	int session = session_open(), i;
	u64 id;

	make_list(env->lists, "tlv-a", "a");
	make_list(env->lists, "tlv-b", "b");
	for (i = 0; i < 20; i++) {
		CHECK_FOUND(find(session, file, "a"), "the list, round %d", i);
		CHECK_FOUND(find(session, plain, "b"), "directory, round %d", i);
		id = get(session, 0, file);
		drop_caches();
		/* Right, or not at all any more */
		CHECK(lookup(session, 0, digest("a")) == (s64)id ||
		      lookup(session, 0, digest("a")) == -EAGAIN,
		      "the old handle");
	}
}

/* So are files, while their list stays. */
TEST(files_are_evicted)
{
	char *list = make_list(env->lists, "tlv-a", "a");
	int session = session_open(), i, j;
	/* Keeps the inode of the list. */
	int fd = MUST(open(list, O_RDONLY));
	u64 id = 0;

	for (i = 0; i < 10; i++)
		make_file(env->files, text("%d", i), "tlv-a");
	for (j = 0; j < 10; j++) {
		for (i = 0; i < 10; i++) {
			u64 now = get(session, 0,
					   in(env->files, text("%d", i)));

			CHECK(now && (!id || now == id), "file %d", i);
			id = now;
		}
		drop_caches();
		CHECK_EQ(lookup(session, 0, digest("a")), id, "the handle");
	}
	WAIT_FOR((drop_caches(), cache_with_id(id)->users == 0),
		 "users that were evicted are there");
	close(fd);
}

/* As find(), which is repeated as clients do, but not for ever. */
static s64 find_again(int session, const char *path, const char *words)
{
	s64 result;
	int tries = 8;

	do {
		result = find(session, path, words);
	} while (result == -EAGAIN && --tries);
	return result;
}

/* Under one name a list has one format, under another it may have another. */
TEST_FS(hard_links_of_a_list)
{
	char *a = make_file(env->files, "a", "tlv-a");
	char *b = make_file(env->files, "b", "tlv-b");
	char *other = make_file(env->files, "other", "rpm-a");
	char *plain = make_file(env->files, "plain", NULL);
	char *list = make_list(env->lists, "tlv-a", "x");
	int session = session_open(), i;

	MUST(link(list, in(env->lists, "tlv-b")));
	MUST(link(list, in(env->lists, "rpm-a")));
	for (i = 0; i < 10; i++) {
		CHECK_FOUND(find(session, a, "x"), "by the first name");
		CHECK_FOUND(find(session, b, "x"), "by the second name");
		CHECK_EQ(get(session, 0, other), 0, "as another format");
		CHECK_FOUND(find_again(session, plain, "x"), "in directory");
	}

	/* A change by one name is one of all. */
	get(session, 0, a);
	write_list(in(env->lists, "tlv-b"), tlv_list("y"));
	CHECK_EQ(lookup(session, 0, digest("x")), -EAGAIN, "the old handle");
	CHECK_FOUND(find(session, a, "y"), "by the first name");
	CHECK_FOUND(find(session, b, "y"), "by the second name");
	MUST(unlink(list));
	CHECK_EQ(get(session, 0, a), 0, "the name that is gone");
	CHECK_FOUND(find(session, b, "y"), "the other name");
}

/* A directory that has a list under two names is looked through to its end. */
TEST_FS(hard_links_in_a_directory)
{
	char *plain = make_file(env->files, "plain", NULL);
	char *list = make_list(env->lists, "1-tlv-a", "x");
	int session = session_open();

	MUST(link(list, in(env->lists, "2-tlv-b")));
	make_list(env->lists, "3-tlv-c", "y");
	CHECK_FOUND(find_again(session, plain, "x"), "in both");
	CHECK_FOUND(find_again(session, plain, "y"), "behind both");
	CHECK_EQ(find_again(session, plain, "none"), 0, "in none");
}

/* Users whose file system is unmounted are gone. */
TEST(users_are_unmounted)
{
	char *list = make_list(env->lists, "tlv-a", "a");
	char *dir = in(env->root, "mnt");
	int session = session_open(), i, round;
	u64 id = 0;

	make_dir(dir);
	tell(session, "notifier on");
	for (round = 0; round < 5; round++) {
		MUST(mount("tmpfs", dir, "tmpfs", 0, NULL));
		for (i = 0; i < 20; i++)
			id = get(session, 0,
				 make_file(dir, text("%d", i), "tlv-a"));
		CHECK(id, "no list");
		MUST(umount2(dir, 0));
		WAIT_FOR(cache_with_id(id)->users == 0, "users are there");
		replace_list(list, tlv_list(text("%d", round)));
		expect_no_notes(session, "for users that were unmounted");
	}
}

/* The same while they are being told. */
static void *replace_in_thread(void *list)
{
	replace_list(list, tlv_list("other"));
	return NULL;
}

TEST(users_are_unmounted_while_told)
{
	char *list = make_list(env->lists, "tlv-a", "a");
	char *dir = in(env->root, "mnt");
	int session = session_open(), i, round;

	make_dir(dir);
	tell(session, "notifier on sleep=5");
	for (round = 0; round < 20; round++) {
		pthread_t thread;

		MUST(mount("tmpfs", dir, "tmpfs", 0, NULL));
		for (i = 0; i < 20; i++)
			CHECK(get(session, 0,
				  make_file(dir, text("%d", i), "tlv-a")),
			      "no list");
		CHECK(!pthread_create(&thread, NULL, replace_in_thread, list),
		      "thread");
		sleep_ms(round * 5);
		/* Perhaps not at once, but not never. */
		WAIT_FOR(!umount2(dir, 0) || errno != EBUSY,
			 "it cannot be unmounted");
		CHECK(access(in(dir, "0"), F_OK), "it is not unmounted");
		pthread_join(thread, NULL);
	}
}

/* The file system of the lists is unmounted while they are loaded. */
static void *unmount_in_thread(void *dir)
{
	WAIT_FOR(!umount2(dir, 0) || errno != EBUSY, "it cannot be unmounted");
	return NULL;
}

TEST(lists_are_unmounted_while_loaded)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *plain = make_file(env->files, "plain", NULL);
	int session = session_open(), i, round;

	for (round = 0; round < 20; round++) {
		pthread_t thread;

		MUST(mount("tmpfs", env->lists, "tmpfs", 0, NULL));
		make_list(env->lists, "tlv-a", "a");
		for (i = 0; i < 30; i++)
			make_list(env->lists, text("%d-tlv-x", i), "x");
		CHECK(!pthread_create(&thread, NULL, unmount_in_thread,
				      (void *)env->lists), "thread");
		for (i = 0; i < 20; i++) {
			s64 result = find(session, file, "a");

			CHECK(result >= 0 || result == -EAGAIN, "the list");
			result = find(session, plain, "a");
			CHECK(result >= 0 || result == -EAGAIN, "directory");
		}
		pthread_join(thread, NULL);
		CHECK_EQ(get(session, 0, file), 0, "unmounted");
	}
}

/* A task that is killed while it loads leaves nothing broken. */
TEST(killed_while_loading)
{
	char *file = make_file(env->files, "file", "script-a");
	char *list = in(env->lists, "script-a");
	char *script = text("sleep 100\ninit 4 1\nadd 4 %s\n",
			    hex(digest("a")));
	int session = session_open(), i;

	CHECK_EQ(atoi(ask(session, "script on script")), 0, "registering");
	for (i = 0; i < 10; i++) {
		pid_t pid;

		write_file(list, script, strlen(script));
		pid = MUST(fork());
		if (!pid) {
			int own = session_open();

			get(own, 0, file);
			_exit(0);
		}
		sleep_ms(20 + 5 * i);
		kill(pid, SIGKILL);
		/* Whether it is waiting for who is killed or loads itself */
		CHECK_FOUND(find(session, file, "a"), "round %d", i);
	}
	tell(session, "script off script");
}
