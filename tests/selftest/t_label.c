// SPDX-License-Identifier: GPL-2.0-only
/*
 * The label of a file: what it may say, and what it leads to.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

/* Labels that lead nowhere, although there are lists. */
TEST_FS(label_refused)
{
	char *file = make_file(env->files, "file", NULL);
	char *subdir = in(env->lists, "sub"), *longest;
	int session = session_open();
	const struct {
		const char *what;
		const char *bytes;
		size_t len;
	} refused[] = {
		{ "empty", "", 0 },
		{ "NUL", "\0", 1 },
		{ "slash before", "/tlv-a", 6 },
		{ "slash after", "tlv-a/", 6 },
		{ "dot slash", "./tlv-a", 7 },
		{ "below", "sub/tlv-a", 9 },
		{ "above", "../tlv-a", 8 },
		{ "absolute", "/etc/tlv-a", 10 },
		{ "dot", ".", 1 },
		{ "dot dot", "..", 2 },
		{ "NUL before", "\0tlv-a", 6 },
		{ "NUL within", "tlv-a\0b", 7 },
		{ "two NULs", "tlv-a\0\0", 7 },
		{ "no format", "list", 4 },
		{ "directory", "tlv-dir", 7 },
		{ "dangling", "tlv-none", 8 },
	};
	size_t i;

	make_dir(subdir);
	make_dir(in(env->lists, "tlv-dir"));
	make_list(subdir, "tlv-a", "a");
	make_list(env->lists, "tlv-a", "a");
	make_list(env->lists, "list", "a");
	make_list(env->root, "tlv-a", "a");

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		label_bytes(file, refused[i].bytes, refused[i].len);
		CHECK_EQ(get(session, 0, file), 0, "%s", refused[i].what);
	}

	/* A byte more than a file name can have */
	longest = malloc(257);
	memset(longest, 'x', 257);
	memcpy(longest, "tlv-", 4);
	label_bytes(file, longest, 256);
	CHECK_EQ(get(session, 0, file), 0, "256 bytes");
	longest[256] = '\0';
	label_bytes(file, longest, 257);
	CHECK_EQ(get(session, 0, file), 0, "256 bytes and a NUL");

	/* Nothing of this is remembered when the label is right. */
	label(file, "tlv-a");
	CHECK_FOUND(find(session, file, "a"), "the right label");
}

/* Labels that are right although they do not look like it. */
TEST_FS(label_accepted)
{
	char *file = make_file(env->files, "file", NULL), longest[256];
	int session = session_open();

	make_list(env->lists, "tlv-a", "a");
	label_bytes(file, "tlv-a", 6);
	CHECK_FOUND(find(session, file, "a"), "with a NUL at the end");

	memset(longest, 'x', 255);
	memcpy(longest, "tlv-", 4);
	longest[255] = '\0';
	make_list(env->lists, longest, "long");
	label_bytes(file, longest, 255);
	CHECK_FOUND(find(session, file, "long"), "255 bytes");
	label_bytes(file, longest, 256);
	CHECK_FOUND(find(session, file, "long"), "255 bytes and a NUL");
}

/* A label may come before its list. */
TEST_FS(label_dangling)
{
	char *file = make_file(env->files, "file", "tlv-later");
	int session = session_open();
	char *list;

	CHECK_EQ(get(session, 0, file), 0, "without the list");
	list = make_list(env->lists, "tlv-later", "a");
	CHECK_FOUND(find(session, file, "a"), "with the list");
	MUST(unlink(list));
	CHECK_EQ(get(session, 0, file), 0, "without it again");
	make_list(env->root, "tlv-later", "b");
	MUST(rename(in(env->root, "tlv-later"), list));
	CHECK_FOUND(find(session, file, "b"), "with another");
}

/* What has the name of a list but is no file. */
TEST(label_of_other_types)
{
	char *file = make_file(env->files, "file", NULL);
	char *fifo = in(env->lists, "tlv-fifo");
	int session = session_open(), writer;

	make_list(env->root, "tlv-a", "a");
	MUST(symlink("../tlv-a", in(env->lists, "tlv-link")));
	label(file, "tlv-link");
	CHECK_EQ(get(session, 0, file), 0, "a symbolic link");

	MUST(mkfifo(fifo, 0600));
	label(file, "tlv-fifo");
	CHECK_EQ(get(session, 0, file), 0, "a fifo without a writer");
	writer = MUST(open(fifo, O_RDWR));
	CHECK_EQ(get(session, 0, file), 0, "a fifo with a writer");
	close(writer);

	MUST(mknod(in(env->lists, "tlv-null"), S_IFCHR | 0600, 1 << 8 | 3));
	label(file, "tlv-null");
	CHECK_EQ(get(session, 0, file), 0, "a device");

	/* What is mounted on a list is no part of the directory. */
	make_list(env->lists, "tlv-mounted", "below");
	MUST(mount(in(env->root, "tlv-a"), in(env->lists, "tlv-mounted"), NULL,
		   MS_BIND, NULL));
	label(file, "tlv-mounted");
	CHECK_EQ(get(session, 0, file), 0, "a list with a mount on it");
	MUST(umount2(in(env->lists, "tlv-mounted"), 0));
	CHECK_FOUND(find(session, file, "below"), "without the mount");
}

/* Only regular files are verified. */
TEST_FS(label_on_other_types)
{
	char *dir = in(env->files, "dir"), *fifo = in(env->files, "fifo");
	int session = session_open(), fd;

	make_list(env->lists, "tlv-a", "a");
	make_dir(dir);
	label(dir, "tlv-a");
	CHECK_EQ(get(session, 0, dir), 0, "a directory");
	MUST(mkfifo(fifo, 0600));
	label(fifo, "tlv-a");
	fd = MUST(open(fifo, O_RDWR));
	CHECK_EQ(get_fd(session, 0, fd), 0, "a fifo");
	CHECK_EQ(get(session, 0, "/dev/null"), 0, "a device");
}

/* Files without attributes use the directory. */
TEST(label_without_attributes)
{
	int session = session_open();

	make_list(env->lists, "tlv-a", "a");
	CHECK(get(session, 0, "/proc/version"), "no directory");
	CHECK_FOUND(lookup(session, 0, digest("a")), "for a file of proc");
}

/* All names of a file have its label; a copy has not. */
TEST_FS(label_of_hard_links)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *other = in(env->files, "other");
	int session = session_open();
	u64 id;

	make_list(env->lists, "tlv-a", "a");
	MUST(link(file, other));
	id = get(session, 0, file);
	CHECK(id, "no list");
	CHECK_EQ(get(session, 1, other), id, "by another name");
}

/* A file that was opened and unlinked still is what it was. */
TEST_FS(label_of_unlinked_file)
{
	char *file = make_file(env->files, "file", "tlv-a");
	int session = session_open();
	int fd = MUST(open(file, O_RDONLY | O_CLOEXEC));

	make_list(env->lists, "tlv-a", "a");
	MUST(unlink(file));
	CHECK(get_fd(session, 0, fd), "no list");
	CHECK_FOUND(lookup(session, 0, digest("a")), "the digest");
}

/* Something is mounted on the list: it is not in the directory any more. */
TEST_FS(label_of_list_mounted_over)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *list = make_list(env->lists, "tlv-a", "a");
	char *other = make_list(env->files, "other", "b");
	int session = session_open();

	CHECK_FOUND(find(session, file, "a"), "before");
	MUST(mount(other, list, NULL, MS_BIND, NULL));
	/* The first answer is as good as the next ones. */
	CHECK_EQ(get(session, 0, file), 0, "mounted over");
	CHECK_EQ(get(session, 0, file), 0, "mounted over, again");
	MUST(umount2(list, 0));
	CHECK_FOUND(find(session, file, "a"), "after");
}
