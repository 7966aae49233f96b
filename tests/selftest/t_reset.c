// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events that happen to a list, or to the entries of the directory of lists.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs.h"
#include "reset.h"
#include "test.h"

/* The size of 1-tlv-l without the last entry: ALGO, NUM_ENTRIES, an entry */
#define L_CUT_SIZE	(8 + 10 + 44)

/* Changes of the content */

static void do_truncate(const struct scene *scene)
{
	MUST(truncate(scene->l, L_CUT_SIZE));
}

static void do_ftruncate(const struct scene *scene)
{
	int fd = MUST(open(scene->l, O_RDWR));

	MUST(ftruncate(fd, L_CUT_SIZE));
	close(fd);
}

static void do_truncate_to_nothing(const struct scene *scene)
{
	MUST(truncate(scene->l, 0));
}

/* Writes over a list without any truncation. */
static void overwrite(const char *path, const char *words)
{
	struct buf list = tlv_list(words);
	int fd = MUST(open(path, O_WRONLY));

	CHECK_EQ(pwrite(fd, list.data, list.len, 0), list.len, "pwrite");
	close(fd);
}

static void do_write(const struct scene *scene)
{
	overwrite(scene->l, "new cut");
}

static void do_write_unrelated(const struct scene *scene)
{
	overwrite(scene->u, "v");
}

static void do_append(const struct scene *scene)
{
	int fd = MUST(open(scene->l, O_WRONLY | O_APPEND));
	struct buf entry = {};

	tlv_entry(&entry, digest("more"), NULL);
	CHECK_EQ(write(fd, entry.data, entry.len), entry.len, "write");
	close(fd);
}

static void do_write_anew(const struct scene *scene)
{
	write_list(scene->l, tlv_list("new"));
}

static void do_write_bad(const struct scene *scene)
{
	write_file(scene->l, "bad", 3);
}

static void do_write_mapping(const struct scene *scene)
{
	struct buf list = tlv_list("new cut");
	int fd = MUST(open(scene->l, O_RDWR));
	void *map = mmap(NULL, list.len, PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);

	CHECK(map != MAP_FAILED, "mmap: %s", strerror(errno));
	/* The mapping is what holds the file now. */
	close(fd);
	memcpy(map, list.data, list.len);
	MUST(munmap(map, list.len));
}

static void do_open_for_writing(const struct scene *scene)
{
	close(MUST(open(scene->l, O_RDWR)));
}

/* Changes of names */

static void do_unlink(const struct scene *scene)
{
	MUST(unlink(scene->l));
}

static void do_unlink_and_create(const struct scene *scene)
{
	MUST(unlink(scene->l));
	make_list(scene->lists, "1-tlv-l", "new");
}

static void do_rename_within(const struct scene *scene)
{
	MUST(rename(scene->l, in(scene->lists, "3-tlv-moved")));
}

static void do_rename_out(const struct scene *scene)
{
	MUST(rename(scene->l, in(scene->outside, "1-tlv-l")));
}

static void do_rename_over(const struct scene *scene)
{
	MUST(rename(make_list(scene->outside, "x", "new"), scene->l));
}

static void do_rename_in(const struct scene *scene)
{
	MUST(rename(make_list(scene->outside, "x", "x"),
		    in(scene->lists, "3-tlv-x")));
}

static void do_exchange(const struct scene *scene)
{
	rename_flags(make_list(scene->outside, "x", "new"), scene->l,
		     RENAME_EXCHANGE);
}

static void do_exchange_lists(const struct scene *scene)
{
	rename_flags(scene->l, scene->u, RENAME_EXCHANGE);
}

static void do_rename_list_over_list(const struct scene *scene)
{
	MUST(rename(scene->u, scene->l));
}

static void do_link(const struct scene *scene)
{
	MUST(link(scene->l, in(scene->lists, "3-tlv-link")));
}

static void do_link_out(const struct scene *scene)
{
	MUST(link(scene->l, in(scene->outside, "link")));
}

static void do_unlink_outside(const struct scene *scene)
{
	MUST(unlink(in(scene->outside, "link")));
}

/* 1-tlv-l has another name elsewhere. */
static void prepare_link(struct scene *scene)
{
	MUST(link(make_list(scene->lists, "1-tlv-l", L_WORDS),
		  in(scene->outside, "link")));
}

static void do_write_by_other_name(const struct scene *scene)
{
	overwrite(in(scene->outside, "link"), "new cut");
}

static void do_link_in(const struct scene *scene)
{
	MUST(link(make_list(scene->outside, "x", "x"),
		  in(scene->lists, "3-tlv-x")));
}

static void do_link_tmpfile(const struct scene *scene)
{
	int fd = MUST(open(scene->lists, O_TMPFILE | O_WRONLY, 0644));
	struct buf list = tlv_list("x");

	CHECK_EQ(write(fd, list.data, list.len), list.len, "write");
	MUST(linkat(AT_FDCWD, text("/proc/self/fd/%d", fd), AT_FDCWD,
		    in(scene->lists, "3-tlv-x"), AT_SYMLINK_FOLLOW));
	close(fd);
}

static void do_create(const struct scene *scene)
{
	make_list(scene->lists, "3-tlv-x", "x");
}

static void do_mknod_regular(const struct scene *scene)
{
	MUST(mknod(in(scene->lists, "3-tlv-x"), S_IFREG | 0644, 0));
}

static void do_mkdir(const struct scene *scene)
{
	make_dir(in(scene->lists, "sub"));
}

static void do_mkfifo(const struct scene *scene)
{
	MUST(mkfifo(in(scene->lists, "3-tlv-fifo"), 0600));
}

static void do_symlink(const struct scene *scene)
{
	MUST(symlink("1-tlv-l", in(scene->lists, "3-tlv-link")));
}

static void prepare_others(struct scene *scene)
{
	make_dir(in(scene->lists, "sub"));
	write_file(in(scene->lists, "README"), "x", 1);
	make_list(scene->lists, "3-tlv-x", "x");
}

static void do_rmdir_within(const struct scene *scene)
{
	MUST(rmdir(in(scene->lists, "sub")));
}

static void do_unlink_other(const struct scene *scene)
{
	MUST(unlink(in(scene->lists, "README")));
}

static void do_unlink_other_list(const struct scene *scene)
{
	MUST(unlink(in(scene->lists, "3-tlv-x")));
}

/* Changes of metadata */

static void do_chmod(const struct scene *scene)
{
	MUST(chmod(scene->l, 0600));
}

static void do_chown(const struct scene *scene)
{
	MUST(chown(scene->l, 1, 1));
}

static void do_utimes(const struct scene *scene)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	MUST(utimensat(AT_FDCWD, scene->l, times, 0));
}

static void do_setxattr(const struct scene *scene)
{
	/* A signature, if it were one */
	MUST(setxattr(scene->l, "security.ima", "\3\2", 2, 0));
}

static void do_label_list(const struct scene *scene)
{
	label(scene->l, "2-tlv-u");
}

static void do_chmod_directory(const struct scene *scene)
{
	MUST(chmod(scene->lists, 0700));
}

static void do_prefetch_on(const struct scene *scene)
{
	prefetch(scene->lists, 1);
}

static void prepare_prefetch(struct scene *scene)
{
	prefetch(scene->lists, 1);
}

static void do_prefetch_off(const struct scene *scene)
{
	prefetch(scene->lists, 0);
}

/* What is of no concern */

static void do_read(const struct scene *scene)
{
	free(read_file(scene->l));
	free(read_file(scene->u));
	MUST(access(scene->lists, R_OK));
}

static void do_elsewhere(const struct scene *scene)
{
	char *list = make_list(scene->outside, "1-tlv-l", "x");
	char *dir = in(scene->outside, "dir");

	make_dir(dir);
	MUST(rename(list, in(dir, "1-tlv-l")));
	MUST(rename(dir, in(scene->outside, "dir2")));
	MUST(mount("tmpfs", scene->outside, "tmpfs", 0, NULL));
	MUST(umount2(scene->outside, 0));
}

static void do_files(const struct scene *scene)
{
	(void)scene;
	write_file(scene_files[F].path, "changed", 7);
	MUST(chmod(scene_files[D].path, 0700));
	MUST(rename(scene_files[G].path, text("%s-moved", scene_files[G].path)));
	MUST(rename(text("%s-moved", scene_files[G].path), scene_files[G].path));
}

static void do_add_child_below(const struct scene *scene)
{
	make_list(in(scene->lists, "sub"), "tlv-x", "x");
}

#define LIST_CHANGED	.f = NEW, .d = NEW, .g_has = "u"
#define LIST_SAME	.d = NEW, .f_has = L_WORDS, .g_has = "u"
#define UNKNOWN		.f = ANY, .d = ANY, .f_has = L_WORDS, .g_has = "u", \
			.d_has = L_WORDS " u"
#define NOTHING		.f_has = L_WORDS, .g_has = "u", .d_has = L_WORDS " u"

static const struct event events[] = {
	{ "truncate", NULL, do_truncate, LIST_CHANGED, .f_has = "l",
	  .f_lacks = "cut", .d_has = "l u", .d_lacks = "cut" },
	{ "ftruncate", NULL, do_ftruncate, LIST_CHANGED, .f_has = "l",
	  .f_lacks = "cut", .d_has = "l u", .d_lacks = "cut" },
	{ "truncate_to_nothing", NULL, do_truncate_to_nothing, .f = NONE,
	  .d = NEW, .g_has = "u", .d_has = "u", .d_lacks = L_WORDS },
	{ "write", NULL, do_write, LIST_CHANGED, .f_has = "new cut",
	  .f_lacks = "l", .d_has = "new cut u", .d_lacks = "l" },
	{ "write_unrelated", NULL, do_write_unrelated, .g = NEW, .d = NEW,
	  .f_has = L_WORDS, .g_has = "v", .d_has = L_WORDS " v",
	  .d_lacks = "u" },
	{ "append", NULL, do_append, LIST_CHANGED, .f_has = L_WORDS " more",
	  .d_has = L_WORDS " more u" },
	{ "write_anew", NULL, do_write_anew, LIST_CHANGED, .f_has = "new",
	  .f_lacks = L_WORDS, .d_has = "new u", .d_lacks = L_WORDS },
	{ "write_bad", NULL, do_write_bad, .f = NONE, .d = NEW, .g_has = "u",
	  .d_has = "u", .d_lacks = L_WORDS },
	{ "write_mapping", NULL, do_write_mapping, LIST_CHANGED,
	  .f_has = "new cut", .f_lacks = "l", .d_has = "new cut u",
	  .d_lacks = "l" },
	{ "open_for_writing", NULL, do_open_for_writing, UNKNOWN },

	{ "unlink", NULL, do_unlink, .f = NONE, .d = NEW, .g_has = "u",
	  .d_has = "u", .d_lacks = L_WORDS },
	{ "unlink_and_create", NULL, do_unlink_and_create, LIST_CHANGED,
	  .f_has = "new", .f_lacks = L_WORDS, .d_has = "new u",
	  .d_lacks = L_WORDS },
	{ "rename_within", NULL, do_rename_within, .f = NONE, .d = NEW,
	  .g_has = "u", .d_has = L_WORDS " u" },
	{ "rename_out", NULL, do_rename_out, .f = NONE, .d = NEW,
	  .g_has = "u", .d_has = "u", .d_lacks = L_WORDS },
	{ "rename_over", NULL, do_rename_over, LIST_CHANGED, .f_has = "new",
	  .f_lacks = L_WORDS, .d_has = "new u", .d_lacks = L_WORDS },
	{ "rename_in", NULL, do_rename_in, LIST_SAME, .d_has = L_WORDS " u x" },
	{ "exchange", NULL, do_exchange, LIST_CHANGED, .f_has = "new",
	  .f_lacks = L_WORDS, .d_has = "new u", .d_lacks = L_WORDS },
	{ "exchange_lists", NULL, do_exchange_lists, .f = NEW, .g = NEW,
	  .d = NEW, .f_has = "u", .f_lacks = L_WORDS, .g_has = L_WORDS,
	  .d_has = L_WORDS " u" },
	{ "rename_list_over_list", NULL, do_rename_list_over_list, .f = NEW,
	  .g = NONE, .d = NEW, .f_has = "u", .f_lacks = L_WORDS, .d_has = "u",
	  .d_lacks = L_WORDS },
	{ "link", NULL, do_link, LIST_CHANGED, .f_has = L_WORDS,
	  .d_has = L_WORDS " u" },
	{ "link_out", NULL, do_link_out, UNKNOWN },
	{ "unlink_outside", prepare_link, do_unlink_outside, UNKNOWN },
	{ "write_by_other_name", prepare_link, do_write_by_other_name,
	  LIST_CHANGED, .f_has = "new cut", .f_lacks = "l",
	  .d_has = "new cut u", .d_lacks = "l" },
	{ "link_in", NULL, do_link_in, LIST_SAME, .d_has = L_WORDS " u x" },
	{ "link_tmpfile", NULL, do_link_tmpfile, LIST_SAME,
	  .d_has = L_WORDS " u x" },
	{ "create", NULL, do_create, LIST_SAME, .d_has = L_WORDS " u x" },
	{ "mknod", NULL, do_mknod_regular, LIST_SAME, .d_has = L_WORDS " u" },
	{ "mkdir", NULL, do_mkdir, LIST_SAME, .d_has = L_WORDS " u" },
	{ "mkfifo", NULL, do_mkfifo, LIST_SAME, .d_has = L_WORDS " u" },
	{ "symlink", NULL, do_symlink, LIST_SAME, .d_has = L_WORDS " u" },
	{ "rmdir_within", prepare_others, do_rmdir_within, LIST_SAME,
	  .d_has = L_WORDS " u x" },
	{ "unlink_other", prepare_others, do_unlink_other, LIST_SAME,
	  .d_has = L_WORDS " u x" },
	{ "unlink_other_list", prepare_others, do_unlink_other_list, LIST_SAME,
	  .d_has = L_WORDS " u", .d_lacks = "x" },

	{ "chmod", NULL, do_chmod, UNKNOWN },
	{ "chown", NULL, do_chown, UNKNOWN },
	{ "utimes", NULL, do_utimes, UNKNOWN },
	{ "setxattr", NULL, do_setxattr, LIST_CHANGED, .late = true,
	  .f_has = L_WORDS, .d_has = L_WORDS " u" },
	{ "label_list", NULL, do_label_list, UNKNOWN },
	{ "chmod_directory", NULL, do_chmod_directory, .d = ANY,
	  .f_has = L_WORDS, .g_has = "u", .d_has = L_WORDS " u" },
	{ "prefetch_on", NULL, do_prefetch_on, .f = ANY, .g = ANY, .d = NEW,
	  .f_has = L_WORDS, .g_has = "u", .d_has = L_WORDS " u" },
	{ "prefetch_off", prepare_prefetch, do_prefetch_off, .f = ANY, .g = ANY,
	  .d = NEW, .f_has = L_WORDS, .g_has = "u", .d_has = L_WORDS " u" },

	{ "nothing_by_reading", NULL, do_read, NOTHING },
	{ "nothing_by_changes_elsewhere", NULL, do_elsewhere, NOTHING },
	{ "nothing_by_changes_of_files", NULL, do_files, NOTHING },
	{ "nothing_by_changes_below", prepare_others, do_add_child_below,
	  NOTHING },
};

static void __attribute__((constructor)) register_all(void)
{
	register_events(events, ARRAY_SIZE(events));
}
