// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events that happen to the directory of lists, to what is above it, or to the
 * default path.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "reset.h"
#include "test.h"

/* Makes a directory with other lists of the same names; returns its path. */
static char *other_lists(const struct scene *scene)
{
	char *other = in(scene->env->root, "other");

	make_dir(other);
	make_list(other, "1-tlv-l", "l2");
	make_list(other, "2-tlv-u", "u2");
	return other;
}

static char *moved(const struct scene *scene)
{
	return in(scene->env->root, "moved");
}

/* Has the lists one directory further down. */
static void prepare_parent(struct scene *scene)
{
	char *parent = in(scene->env->root, "parent");

	make_dir(parent);
	scene->lists = in(parent, "lists");
	make_dir(scene->lists);
	set_default_path(scene->lists);
}

static char *parent_of(const struct scene *scene)
{
	return text("%s/..", scene->lists);
}

/* Uses the directory through a symbolic link. */
static void prepare_symlink(struct scene *scene)
{
	char *link = in(scene->env->root, "link");

	MUST(symlink("lists", link));
	set_default_path(link);
}

/* Has the lists on a file system that is mounted on their directory. */
static void prepare_mount(struct scene *scene)
{
	make_list(scene->lists, "1-tlv-l", "below");
	MUST(mount("tmpfs", scene->lists, "tmpfs", 0, "mode=755"));
}

static void do_move(const struct scene *scene)
{
	MUST(rename(scene->lists, moved(scene)));
}

static void do_move_and_back(const struct scene *scene)
{
	MUST(rename(scene->lists, moved(scene)));
	MUST(rename(moved(scene), scene->lists));
}

static void do_move_parent(const struct scene *scene)
{
	MUST(rename(in(scene->env->root, "parent"), moved(scene)));
}

static void do_replace(const struct scene *scene)
{
	char *other = other_lists(scene);

	MUST(rename(scene->lists, moved(scene)));
	MUST(rename(other, scene->lists));
}

static void do_replace_parent(const struct scene *scene)
{
	char *new = in(scene->env->root, "new");
	char *other = other_lists(scene);

	make_dir(new);
	MUST(rename(other, in(new, "lists")));
	rename_flags(new, in(scene->env->root, "parent"), RENAME_EXCHANGE);
}

static void do_exchange(const struct scene *scene)
{
	rename_flags(other_lists(scene), scene->lists, RENAME_EXCHANGE);
}

static void do_remove(const struct scene *scene)
{
	MUST(unlink(scene->l));
	MUST(unlink(scene->u));
	MUST(rmdir(scene->lists));
}

static void do_remove_and_make(const struct scene *scene)
{
	do_remove(scene);
	MUST(rename(other_lists(scene), scene->lists));
}

static void do_mount_over(const struct scene *scene)
{
	MUST(mount(other_lists(scene), scene->lists, NULL, MS_BIND, NULL));
}

static void do_mount_empty(const struct scene *scene)
{
	MUST(mount("tmpfs", scene->lists, "tmpfs", 0, NULL));
}

static void do_mount_over_parent(const struct scene *scene)
{
	MUST(mount("tmpfs", parent_of(scene), "tmpfs", 0, NULL));
}

static void do_unmount(const struct scene *scene)
{
	MUST(umount2(scene->lists, 0));
}

static void do_unmount_lazily(const struct scene *scene)
{
	MUST(umount2(scene->lists, MNT_DETACH));
}

static void do_move_mount(const struct scene *scene)
{
	char *other = other_lists(scene), *on = in(scene->env->root, "on");

	make_dir(on);
	MUST(mount(other, on, NULL, MS_BIND, NULL));
	MUST(mount(NULL, on, NULL, MS_PRIVATE, NULL));
	MUST(mount(on, scene->lists, NULL, MS_MOVE, NULL));
}

static void do_mount_over_and_unmount(const struct scene *scene)
{
	do_mount_over(scene);
	do_unmount(scene);
}

static void do_path_other(const struct scene *scene)
{
	set_default_path(other_lists(scene));
}

static void do_path_same(const struct scene *scene)
{
	set_default_path(scene->lists);
}

static void do_path_nowhere(const struct scene *scene)
{
	set_default_path(in(scene->env->root, "nowhere"));
}

static void do_path_to_list(const struct scene *scene)
{
	set_default_path(scene->u);
}

static void do_retarget(const struct scene *scene)
{
	char *new = in(scene->env->root, "new-link");

	other_lists(scene);
	MUST(symlink("other", new));
	MUST(rename(new, in(scene->env->root, "link")));
}

static void do_break_link(const struct scene *scene)
{
	MUST(unlink(in(scene->env->root, "link")));
}

static void do_refused_path(const struct scene *scene)
{
	(void)scene;
	CHECK_EQ(try_default_path("relative"), -EINVAL, "a relative path");
}

#define OTHER		.f = NEW, .g = NEW, .d = NEW, \
			.f_has = "l2", .f_lacks = L_WORDS, \
			.g_has = "u2", .d_has = "l2 u2", \
			.d_lacks = L_WORDS " u"
#define GONE		.f = NONE, .g = NONE, .d = NONE
#define BACK		.f = ANY, .g = ANY, .d = ANY, .f_has = L_WORDS, \
			.g_has = "u", .d_has = L_WORDS " u"
#define EMPTY		.f = NONE, .g = NONE, .d = NEW, .d_lacks = L_WORDS " u"
#define BELOW		.f = NEW, .g = NONE, .d = NEW, .f_has = "below", \
			.f_lacks = L_WORDS, .d_has = "below", \
			.d_lacks = L_WORDS " u"
#define LATE		.late = true

static const struct event events[] = {
	{ "directory_moved", NULL, do_move, GONE, LATE },
	{ "directory_moved_and_back", NULL, do_move_and_back, BACK },
	{ "directory_replaced", NULL, do_replace, OTHER, LATE },
	{ "directory_exchanged", NULL, do_exchange, OTHER, LATE },
	{ "directory_removed", NULL, do_remove, GONE, LATE },
	{ "directory_made_anew", NULL, do_remove_and_make, OTHER, LATE },
	{ "parent_moved", prepare_parent, do_move_parent, GONE, LATE },
	{ "parent_replaced", prepare_parent, do_replace_parent, OTHER, LATE },

	{ "mounted_over", NULL, do_mount_over, OTHER, LATE },
	{ "mounted_over_by_nothing", NULL, do_mount_empty, EMPTY, LATE },
	{ "mounted_over_by_move", NULL, do_move_mount, OTHER, LATE },
	{ "mounted_over_and_unmounted", NULL, do_mount_over_and_unmount, BACK },
	{ "parent_mounted_over", prepare_parent, do_mount_over_parent, GONE,
	  LATE },
	{ "unmounted", prepare_mount, do_unmount, BELOW, LATE },
	{ "unmounted_lazily", prepare_mount, do_unmount_lazily, BELOW, LATE },

	{ "default_path_to_other", NULL, do_path_other, OTHER },
	{ "default_path_to_same", NULL, do_path_same, .f = NEW, .g = NEW,
	  .d = NEW, .f_has = L_WORDS, .g_has = "u", .d_has = L_WORDS " u" },
	{ "default_path_to_nothing", NULL, do_path_nowhere, GONE },
	{ "default_path_to_list", NULL, do_path_to_list, .f = NEW, .g = NEW,
	  .d = NEW, .f_has = "u", .f_lacks = L_WORDS, .g_has = "u",
	  .d_has = "u", .d_lacks = L_WORDS },
	{ "default_path_symlink_changed", prepare_symlink, do_retarget, OTHER,
	  LATE },
	{ "default_path_symlink_removed", prepare_symlink, do_break_link, GONE,
	  LATE },
	{ "nothing_by_refused_path", NULL, do_refused_path, .f_has = L_WORDS,
	  .g_has = "u", .d_has = L_WORDS " u" },
};

static void __attribute__((constructor)) register_all(void)
{
	register_events(events, ARRAY_SIZE(events));
}

/* The directory itself is removed while it is empty, and made again. */
TEST_FS(reset_rmdir_of_directory)
{
	char *file = make_file(env->files, "file", NULL);
	struct ident ident = ident_of(file);
	int session = session_open();
	u64 id;

	tell(session, "notifier on");
	id = get(session, 0, file);
	CHECK(id, "no directory");
	MUST(rmdir(env->lists));
	EXPECT_NOTES(session, "when it was removed", { ident, id });
	CHECK_EQ(lookup(session, 0, digest("a")), -EAGAIN, "the old handle");
	CHECK_EQ(get(session, 0, file), 0, "a directory that is gone");

	make_dir(env->lists);
	CHECK(get(session, 0, file), "a new directory");
	make_list(env->lists, "tlv-a", "a");
	CHECK_FOUND(find(session, file, "a"), "with a list");
}

/* What uses the file system keeps nobody from unmounting it. */
TEST(unmount_is_possible)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *plain = make_file(env->files, "plain", NULL);
	int session = session_open(), i;

	for (i = 0; i < 10; i++) {
		MUST(mount("tmpfs", env->lists, "tmpfs", 0, NULL));
		make_list(env->lists, "tlv-a", "a");
		CHECK_FOUND(find(session, file, "a"), "the list");
		CHECK_FOUND(find(session, plain, "a"), "the directory");
		/* Handles do not hold it either. */
		get(session, 0, file);
		get(session, 1, plain);
		MUST(umount2(env->lists, 0));
		CHECK_EQ(get(session, 2, file), 0, "unmounted");
		CHECK_EQ(lookup(session, 0, digest("a")), -EAGAIN, "a list");
		CHECK_EQ(lookup(session, 1, digest("a")), -EAGAIN,
			 "a directory");
	}
}
