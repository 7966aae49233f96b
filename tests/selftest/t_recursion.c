// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists that are verified by lists, up to themselves.
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

/* A list is never the list of itself, by whatever name. */
TEST_FS(list_of_itself)
{
	char *list = make_list(env->lists, "tlv-self", "a");
	char *file = make_file(env->files, "file", "tlv-self");
	char *other = in(env->root, "other-name");
	int session = session_open();

	label(list, "tlv-self");
	MUST(link(list, other));
	CHECK_EQ(get(session, 0, list), 0, "its own list");
	CHECK_EQ(get(session, 0, other), 0, "by another name");
	CHECK_FOUND(find(session, file, "a"), "as list of a file");
	CHECK_EQ(get(session, 0, list), 0, "when it is loaded");
}

/* As an ordinary file, a list has a list as any other. */
TEST_FS(list_of_list)
{
	char *a = make_list(env->lists, "tlv-a", "in-a");
	char *b = make_list(env->lists, "tlv-b", "in-b");
	int session = session_open();
	u64 id_a, id_b;

	label(a, "tlv-b");
	label(b, "tlv-a");
	id_b = get(session, 0, a);
	id_a = get(session, 1, b);
	CHECK(id_a && id_b && id_a != id_b, "two lists");
	CHECK_EQ(lookup(session, 0, digest("in-b")), id_b, "the list of a");
	CHECK_EQ(lookup(session, 1, digest("in-a")), id_a, "the list of b");
}

/* Both at once, from many tasks: nobody waits for who waits for him. */
TEST_FS(lists_of_each_other_at_once)
{
	char *a = make_list(env->lists, "tlv-a", "in-a");
	char *b = make_list(env->lists, "tlv-b", "in-b");
	int session = session_open(), fd_a, fd_b, i;

	label(a, "tlv-b");
	label(b, "tlv-a");
	fd_a = MUST(open(a, O_RDONLY));
	fd_b = MUST(open(b, O_RDONLY));
	for (i = 0; i < 50; i++) {
		/* Nothing is loaded in the beginning of a round. */
		set_default_path(env->lists);
		free(ask(session, "async get 1 %d %d %d %d %d %d %d %d", fd_a,
			 fd_b, fd_a, fd_b, fd_a, fd_b, fd_a, fd_b));
	}
	CHECK_FOUND(find(session, a, "in-b"), "the list of a");
	CHECK_FOUND(find(session, b, "in-a"), "the list of b");
}

/* The default path leads to a list, which is the file itself. */
TEST_FS(default_path_is_file_itself)
{
	char *list = make_list(env->lists, "tlv-self", "a");
	char *file = make_file(env->files, "file", NULL);
	int session = session_open();

	set_default_path(list);
	CHECK_EQ(get(session, 0, list), 0, "its own list");
	CHECK_FOUND(find(session, file, "a"), "as list of a file");
}

/* A list without a label is looked up in the directory that it is in. */
TEST_FS(list_in_directory)
{
	char *a = make_list(env->lists, "1-tlv-a", "in-a");
	int session = session_open();

	make_list(env->lists, "2-tlv-b", "in-b");
	CHECK_FOUND(find(session, a, "in-b"), "found in another list");
	/*
	 * That it is also looked for in the list itself is no recursion: the
	 * list is not verified by that.
	 */
	CHECK(get(session, 0, a), "the directory");
}

/* Files that others opened were not opened by the digest cache. */
TEST(opened_by_others)
{
	char *list = make_list(env->lists, "tlv-a", "a");
	char *file = make_file(env->files, "file", "tlv-a");
	int session = session_open(), fd;

	CHECK_FOUND(find(session, file, "a"), "the list");
	fd = MUST(open(list, O_RDONLY));
	CHECK_EQ(atoi(ask(session, "opened_fd %d", fd)), 0, "the list");
	CHECK_EQ(atoi(ask(session, "verif_set %d test text", fd)), -ENOENT,
		 "a list that is not being read");
	close(fd);
	fd = MUST(open(file, O_RDONLY));
	CHECK_EQ(atoi(ask(session, "opened_fd %d", fd)), 0, "the file");
	CHECK_EQ(atoi(ask(session, "verif_set %d test text", fd)), -ENOENT,
		 "an ordinary file");
}
