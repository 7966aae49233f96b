// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default path: what it may be, who may set it, and what it leads to.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

/* Whoever is nobody in particular */
#define NOBODY	65534

TEST_FS(default_path_directory)
{
	char *file = make_file(env->files, "file", "tlv-a");
	int session = session_open();
	u64 id;

	make_list(env->lists, "tlv-a", "a");
	id = get(session, 0, file);
	CHECK(id, "no list");
	CHECK(!strcmp(cache_with_id(id)->kind, "list"), "kind");
	CHECK_EQ(lookup(session, 0, digest("a")), id, "the digest");

	unlabel(file);
	id = get(session, 0, file);
	CHECK(id, "no directory");
	CHECK(!strcmp(cache_with_id(id)->kind, "dir"), "kind");
	CHECK_FOUND(lookup(session, 0, digest("a")), "the digest");
}

/* A list as default path is that of all files, whatever their label. */
TEST_FS(default_path_list)
{
	char *labelled = make_file(env->files, "labelled", "tlv-other");
	char *plain = make_file(env->files, "plain", NULL);
	char *list = make_list(env->lists, "tlv-a", "a");
	int session = session_open();
	u64 id;

	make_list(env->lists, "tlv-other", "other");
	set_default_path(list);

	id = get(session, 0, plain);
	CHECK(id, "no list");
	CHECK_EQ(get(session, 1, labelled), id, "the same list");
	CHECK_EQ(lookup(session, 0, digest("a")), id, "the digest");
	CHECK_EQ(lookup(session, 0, digest("other")), 0, "of another list");

	/* It changes as other lists do. */
	write_list(list, tlv_list("b"));
	CHECK_EQ(lookup(session, 0, digest("a")), -EAGAIN, "after a change");
	CHECK_EQ(find(session, plain, "a"), 0, "the digest before");
	CHECK_FOUND(find(session, plain, "b"), "the new digest");
	replace_list(list, tlv_list("c"));
	CHECK_EQ(find(session, plain, "b"), 0, "the digest before");
	CHECK_FOUND(find(session, plain, "c"), "the new digest");
	unlink(list);
	CHECK_EQ(get(session, 0, plain), 0, "a list that is gone");
}

/* The name of such a list must be one. */
TEST(default_path_bad_name)
{
	char *file = make_file(env->files, "file", NULL);
	char *list = make_list(env->lists, "list", "a");
	int session = session_open();

	set_default_path(list);
	CHECK_EQ(get(session, 0, file), 0, "a list without a format");
	MUST(rename(list, in(env->lists, "tlv-list")));
	set_default_path(in(env->lists, "tlv-list"));
	CHECK_FOUND(find(session, file, "a"), "with a format");
}

/* What is no path leaves the one that is there. */
TEST(default_path_refused)
{
	char *file = make_file(env->files, "file", "tlv-a"), *much;
	int session = session_open();
	const struct {
		const char *what;
		const char *bytes;
		size_t len;
	} refused[] = {
		{ "nothing", "", 0 },
		{ "a newline", "\n", 1 },
		{ "a relative path", "etc", 3 },
		{ "a dot", ".", 1 },
		{ "a blank before", " /etc", 5 },
		{ "a NUL within", "/etc\0/x", 7 },
		{ "a NUL at the end", "/etc\0", 5 },
	};
	u64 id;
	size_t i;

	make_list(env->lists, "tlv-a", "a");
	id = get(session, 0, file);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		/* write() of nothing never gets to the kernel's function. */
		if (refused[i].len)
			CHECK_EQ(try_default_path_bytes(refused[i].bytes,
							refused[i].len),
				 -EINVAL, "%s", refused[i].what);
		CHECK(!strcmp(get_default_path(), env->lists), "it is %s now",
		      get_default_path());
		CHECK_EQ(get(session, 0, file), id, "%s", refused[i].what);
	}

	/* PATH_MAX includes a terminator. */
	much = malloc(8192);
	memset(much, 'x', 8192);
	much[0] = '/';
	CHECK_EQ(try_default_path_bytes(much, 4096), -EINVAL, "4096 bytes");
	CHECK_EQ(try_default_path_bytes(much, 8192), -EINVAL, "8192 bytes");
	CHECK_EQ(get(session, 0, file), id, "too much");
	CHECK_EQ(try_default_path_bytes(much, 4095), 0, "4095 bytes");
	CHECK_EQ(get(session, 0, file), 0, "a path that leads nowhere");
}

/* One newline at the end is no part of the path; blanks are. */
TEST(default_path_newline_and_blanks)
{
	char *dir = in(env->root, " lists with blanks \n");
	char *file = make_file(env->files, "file", "tlv-a");
	int session = session_open();

	make_dir(dir);
	make_list(dir, "tlv-a", "a");
	CHECK_EQ(try_default_path(text("%s\n", dir)), 0, "with a newline");
	CHECK_FOUND(find(session, file, "a"), "the digest");
	CHECK(cache_of(in(dir, "tlv-a")), "the path in caches");
	CHECK_EQ(try_default_path(dir), 0, "the newline is taken off");
	CHECK_EQ(get(session, 0, file), 0, "another directory");
}

/* A path that leads nowhere yet is used as soon as it leads somewhere. */
TEST_FS(default_path_comes_later)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *parent = in(env->root, "later"), *dir = in(parent, "lists");
	int session = session_open();

	set_default_path(dir);
	CHECK_EQ(get(session, 0, file), 0, "no parent");
	make_dir(parent);
	CHECK_EQ(get(session, 0, file), 0, "no directory");
	make_dir(dir);
	CHECK_EQ(get(session, 0, file), 0, "no list");
	make_list(dir, "tlv-a", "a");
	CHECK_FOUND(find(session, file, "a"), "the digest");
}

/* What is neither a directory nor a file is nothing. */
TEST(default_path_other_types)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *fifo = in(env->root, "tlv-fifo");
	int session = session_open();

	MUST(mkfifo(fifo, 0600));
	set_default_path(fifo);
	CHECK_EQ(get(session, 0, file), 0, "a fifo");
	set_default_path("/dev/null");
	CHECK_EQ(get(session, 0, file), 0, "a device");
	set_default_path("/");
	CHECK_EQ(get(session, 0, file), 0, "a directory without the list");
}

/* Symbolic links are followed, and when they change, so does what is used. */
TEST_FS(default_path_symlink)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *plain = make_file(env->files, "plain", NULL);
	char *a = in(env->root, "a"), *b = in(env->root, "b");
	char *link = in(env->root, "link"), *new = in(env->root, "new");
	int session = session_open();
	u64 id;

	make_dir(a);
	make_dir(b);
	make_list(a, "tlv-a", "in-a");
	make_list(b, "tlv-a", "in-b");
	MUST(symlink("a", link));
	set_default_path(link);
	id = get(session, 0, file);
	CHECK(id, "no list");
	CHECK_EQ(get(session, 1, file), id, "the same list again");
	CHECK_EQ(lookup(session, 0, digest("in-a")), id, "the digest");
	CHECK_FOUND(find(session, plain, "in-a"), "in the directory");

	MUST(symlink("b", new));
	MUST(rename(new, link));
	CHECK_EQ(lookup(session, 0, digest("in-a")), -EAGAIN,
		 "the old handle after the link has changed");
	CHECK_EQ(find(session, file, "in-a"), 0, "the old digest");
	CHECK_FOUND(find(session, file, "in-b"), "the new digest");
	CHECK_EQ(find(session, plain, "in-a"), 0, "the old, in the directory");
	CHECK_FOUND(find(session, plain, "in-b"), "the new, in the directory");

	/* A link in the middle */
	set_default_path(in(link, "../link/."));
	CHECK_FOUND(find(session, file, "in-b"), "through two links");
	MUST(unlink(link));
	CHECK_EQ(get(session, 0, file), 0, "without the link");
}

/* Writes to the file as somebody who may not. */
static int write_unprivileged(int fd, const char *path)
{
	int status;
	pid_t pid = MUST(fork());

	if (!pid) {
		if (setresuid(NOBODY, NOBODY, NOBODY))
			_exit(100);
		if (write(fd, path, strlen(path)) >= 0)
			_exit(0);
		_exit(errno);
	}
	MUST(waitpid(pid, &status, 0));
	CHECK(WIFEXITED(status), "the writer died");
	return WEXITSTATUS(status);
}

/* Setting it needs CAP_SYS_ADMIN, of who opened the file and of who writes. */
TEST(default_path_permission)
{
	int fd = MUST(open(DEFAULT_PATH, O_WRONLY | O_CLOEXEC));
	int status;
	pid_t pid;

	CHECK_EQ(write_unprivileged(fd, "/etc"), EPERM,
		 "an unprivileged writer, opened by root");
	close(fd);
	CHECK(!strcmp(get_default_path(), env->lists), "it has changed");

	pid = MUST(fork());
	if (!pid) {
		if (setresuid(NOBODY, NOBODY, NOBODY))
			_exit(100);
		fd = open(DEFAULT_PATH, O_WRONLY);
		_exit(fd < 0 ? errno : 0);
	}
	MUST(waitpid(pid, &status, 0));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EACCES,
	      "opening for writing without permission: %d", status);
}

/*
 * A task in another mount namespace and with another root gets the lists of
 * the init process, not what is in the same place of its own.
 */
TEST_FS(default_path_is_of_init)
{
	char *file = make_file(env->files, "file", "tlv-a");
	int session = session_open(), status, fd;
	pid_t pid;

	make_list(env->lists, "tlv-a", "true");
	fd = MUST(open(file, O_RDONLY | O_CLOEXEC));
	pid = MUST(fork());
	if (!pid) {
		char *mine = in(env->root, "mine");

		MUST(unshare(CLONE_NEWNS));
		MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		make_dir(mine);
		make_list(mine, "tlv-a", "forged");
		MUST(mount(mine, env->lists, NULL, MS_BIND, NULL));
		CHECK(get_fd(session, 0, fd), "no list in the namespace");
		CHECK_EQ(lookup(session, 0, digest("forged")), 0,
			 "what is mounted in a namespace");
		CHECK_FOUND(lookup(session, 0, digest("true")),
			    "what is in the init namespace");

		MUST(chroot(mine));
		MUST(chdir("/"));
		MUST(mkdir("etc", 0755));
		CHECK(get_fd(session, 0, fd), "no list in the chroot");
		CHECK_FOUND(lookup(session, 0, digest("true")), "in a chroot");
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	CHECK_EQ(status, 0, "in the namespace");
}
