// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and lists on an overlay: what counts is the inode that callers see, and
 * that what is below it can become another one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

/**
 * struct overlay - an overlay
 * @lower: what is below, read only for it
 * @upper: what is changed
 * @merged: where it is mounted
 */
struct overlay {
	char *lower;
	char *upper;
	char *merged;
};

static struct overlay make_overlay(const struct env *env)
{
	struct overlay overlay = {
		.lower = in(env->root, "lower"),
		.upper = in(env->root, "upper"),
		.merged = in(env->root, "merged"),
	};
	char *work = in(env->root, "work");

	make_dir(overlay.lower);
	make_dir(in(overlay.lower, "files"));
	make_dir(in(overlay.lower, "lists"));
	make_dir(overlay.upper);
	make_dir(overlay.merged);
	make_dir(work);
	return overlay;
}

static void mount_overlay(const struct env *env, const struct overlay *overlay)
{
	char *options = text("lowerdir=%s,upperdir=%s,workdir=%s/work",
			     overlay->lower, overlay->upper, env->root);

	MUST(mount("overlay", overlay->merged, "overlay", 0, options));
}

/* If there is another digest cache now, the file was told; else it was not. */
static void expect_told_if_new(int session, struct ident ident, u64 old,
			       u64 new, const char *when)
{
	if (new == old)
		expect_no_notes(session, when);
	else
		EXPECT_NOTES(session, when, { ident, old });
}

/*
 * A file is copied up, by all that does it: its list stays the same one, but
 * what was decided was about another file.
 */
TEST_FS(overlay_copy_up_of_file)
{
	struct overlay overlay = make_overlay(env);
	int session = session_open(), i;
	char *list = make_list(env->lists, "tlv-a", "a");
	char *names[3], *dir;
	u64 id;

	(void)list;
	dir = in(overlay.lower, "files");
	make_file(dir, "0", "tlv-a");
	make_file(dir, "1", "tlv-a");
	make_file(dir, "2", "tlv-a");
	mount_overlay(env, &overlay);
	tell(session, "notifier on");

	dir = in(overlay.merged, "files");
	for (i = 0; i < 3; i++) {
		names[i] = in(dir, text("%d", i));
		id = get(session, i, names[i]);
		CHECK(id, "no list for %s", names[i]);
	}
	for (i = 0; i < 3; i++) {
		struct ident ident = ident_of(names[i]);
		int fd = MUST(open(names[i], O_RDONLY | O_CLOEXEC));

		id = get(session, i, names[i]);
		if (i == 0)
			MUST(chmod(names[i], 0700));
		else if (i == 1)
			close(MUST(open(names[i], O_WRONLY | O_APPEND)));
		else
			write_file(names[i], "new", 3);
		CHECK(!access(in(overlay.upper, text("files/%d", i)), F_OK),
		      "%s is not copied up", names[i]);

		EXPECT_NOTES(session, "of copy-up", { ident, id });

		CHECK_EQ(get_fd(session, 3, fd), id,
			 "a file that was opened before");
		CHECK_EQ(get(session, i, names[i]), id, "the same list");
		CHECK_EQ(lookup(session, i, digest("a")), id, "the digest");
		close(fd);
	}
}

/* The label is changed on the overlay, which copies the file up. */
TEST_FS(overlay_label_of_file)
{
	struct overlay overlay = make_overlay(env);
	char *lower = make_file(in(overlay.lower, "files"), "file", "tlv-a");
	char *file = in(overlay.merged, "files/file");
	int session = session_open();
	struct ident ident;
	u64 id;

	make_list(env->lists, "tlv-a", "in-a");
	make_list(env->lists, "tlv-b", "in-b");
	mount_overlay(env, &overlay);
	ident = ident_of(file);
	tell(session, "notifier on");
	id = get(session, 0, file);
	CHECK_EQ(lookup(session, 0, digest("in-a")), id, "in a");

	label(file, "tlv-b");
	EXPECT_NOTES(session, "when the label changed", { ident, id });
	CHECK_FOUND(find(session, file, "in-b"), "in b");
	CHECK_EQ(find(session, file, "in-a"), 0, "in a");
	/* What is below has its own. */
	CHECK_FOUND(find(session, lower, "in-a"), "below, in a");

	unlabel(file);
	CHECK_FOUND(find(session, file, "in-a"), "in the directory");
	CHECK_FOUND(find(session, file, "in-b"), "in the directory");
}

/* The directory of lists is on an overlay. */
static char *lists_on_overlay(const struct env *env,
			      const struct overlay *overlay)
{
	char *lists = in(overlay->merged, "lists");

	make_list(in(overlay->lower, "lists"), "tlv-a", "a both");
	make_list(in(overlay->lower, "lists"), "tlv-u", "u");
	mount_overlay(env, overlay);
	set_default_path(lists);
	return lists;
}

/* A list is changed through the overlay: by that it is copied up. */
TEST_FS(overlay_change_of_list)
{
	struct overlay overlay = make_overlay(env);
	char *lists = lists_on_overlay(env, &overlay);
	char *file = make_file(env->files, "file", "tlv-a");
	char *unrelated = make_file(env->files, "unrelated", "tlv-u");
	char *plain = make_file(env->files, "plain", NULL);
	struct ident ident = ident_of(file), ident_plain = ident_of(plain);
	int session = session_open();
	u64 id, u, d, new;

	tell(session, "notifier on");
	id = get(session, 0, file);
	u = get(session, 1, unrelated);
	d = get(session, 2, plain);
	CHECK(id && u && d, "no lists");
	CHECK_EQ(lookup(session, 0, digest("a")), id, "the digest");
	CHECK_FOUND(lookup(session, 2, digest("u")), "in the directory");

	write_list(in(lists, "tlv-a"), tlv_list("b both"));
	EXPECT_NOTES(session, "when the list was written", { ident, id },
		     { ident_plain, d });
	CHECK_EQ(lookup(session, 0, digest("both")), -EAGAIN, "the old handle");
	CHECK_EQ(lookup(session, 2, digest("u")), -EAGAIN, "the directory");
	new = get(session, 0, file);
	CHECK(new && new != id, "a new one");
	CHECK_EQ(lookup(session, 0, digest("b")), new, "the new digest");
	CHECK_EQ(lookup(session, 0, digest("a")), 0, "the old digest");
	CHECK_EQ(get(session, 1, unrelated), u, "an unrelated list");
	CHECK_FOUND(find(session, plain, "b"), "in the directory");
	CHECK_EQ(find(session, plain, "a"), 0, "the old, in the directory");

	/* Once more, now that it is up. */
	id = get(session, 0, file);
	write_list(in(lists, "tlv-a"), tlv_list("c"));
	CHECK_EQ(lookup(session, 0, digest("b")), -EAGAIN, "the old handle");
	CHECK_FOUND(find(session, file, "c"), "the newest digest");
}

/* A list is copied up without being changed. */
TEST_FS(overlay_copy_up_of_list)
{
	struct overlay overlay = make_overlay(env);
	char *lists = lists_on_overlay(env, &overlay);
	char *file = make_file(env->files, "file", "tlv-a");
	struct ident ident = ident_of(file);
	int session = session_open(), i;
	u64 id, new;

	tell(session, "notifier on");
	for (i = 0; i < 3; i++) {
		id = get(session, 0, file);
		CHECK(id, "no list");
		if (i == 0)
			close(MUST(open(in(lists, "tlv-a"), O_RDWR)));
		else
			MUST(chmod(in(lists, "tlv-a"), 0600 + i));
		CHECK(!access(in(overlay.upper, "lists/tlv-a"), F_OK),
		      "the list is not copied up");
		new = get(session, 0, file);
		CHECK(new, "no list after copy-up");
		CHECK_EQ(lookup(session, 0, digest("a")), new, "the digest");
		expect_told_if_new(session, ident, id, new, "after copy-up");
	}
}

/* Names change on the overlay. */
TEST_FS(overlay_names)
{
	struct overlay overlay = make_overlay(env);
	char *lists = lists_on_overlay(env, &overlay);
	char *file = make_file(env->files, "file", "tlv-a");
	char *plain = make_file(env->files, "plain", NULL);
	char *list = in(lists, "tlv-a");
	int session = session_open();

	CHECK_FOUND(find(session, file, "a"), "the list");
	CHECK_FOUND(find(session, plain, "a"), "in the directory");
	MUST(unlink(list));
	CHECK_EQ(get(session, 0, file), 0, "a list that is gone");
	CHECK_EQ(find(session, plain, "a"), 0, "in the directory");
	make_list(lists, "tlv-a", "new");
	CHECK_FOUND(find(session, file, "new"), "a new list");
	CHECK_EQ(find(session, file, "a"), 0, "the old digest");
	CHECK_FOUND(find(session, plain, "new"), "in the directory");
	MUST(rename(make_list(overlay.merged, "x", "newer"), list));
	CHECK_FOUND(find(session, file, "newer"), "a newer list");
	CHECK_EQ(find(session, file, "new"), 0, "the old digest");
	CHECK_EQ(find(session, plain, "new"), 0, "the old, in the directory");
}

/* A list is changed below the overlay, where it was copied to. */
TEST_FS(overlay_change_of_upper_list)
{
	struct overlay overlay = make_overlay(env);
	char *lists = lists_on_overlay(env, &overlay);
	char *file = make_file(env->files, "file", "tlv-a");
	char *upper = in(overlay.upper, "lists/tlv-a");
	int session = session_open();

	write_list(in(lists, "tlv-a"), tlv_list("b"));
	CHECK_FOUND(find(session, file, "b"), "before");
	get(session, 0, file);
	write_list(upper, tlv_list("c"));
	CHECK_EQ(lookup(session, 0, digest("b")), -EAGAIN, "the old handle");
	CHECK_EQ(find(session, file, "b"), 0, "the old digest");
	CHECK_FOUND(find(session, file, "c"), "the new digest");
}

/*
 * A list is changed below the overlay, before it was copied up. It keeps its
 * size: that is what overlayfs does not look for again.
 */
TEST_FS(overlay_change_of_lower_list)
{
	struct overlay overlay = make_overlay(env);
	char *file = make_file(env->files, "file", "tlv-a");
	char *lower = in(overlay.lower, "lists/tlv-a");
	int session = session_open();

	lists_on_overlay(env, &overlay);
	CHECK_FOUND(find(session, file, "a"), "before");
	get(session, 0, file);
	write_list(lower, tlv_list("c both"));
	CHECK_EQ(lookup(session, 0, digest("a")), -EAGAIN, "the old handle");
	CHECK_EQ(find(session, file, "a"), 0, "the old digest");
	CHECK_FOUND(find(session, file, "c"), "the new digest");
}

/* The overlay is unmounted while what is on it is cached. */
TEST_FS(overlay_unmounted)
{
	struct overlay overlay = make_overlay(env);
	char *lists = lists_on_overlay(env, &overlay);
	char *file = make_file(env->files, "file", "tlv-a");
	int session = session_open();

	make_file(overlay.merged, "on-it", "tlv-a");
	CHECK_FOUND(find(session, file, "a"), "the list");
	CHECK_FOUND(find(session, in(overlay.merged, "on-it"), "a"), "on it");
	get(session, 0, file);
	write_list(in(lists, "tlv-a"), tlv_list("b"));
	CHECK_FOUND(find(session, file, "b"), "the list");
	MUST(umount2(overlay.merged, 0));
	CHECK_EQ(get(session, 0, file), 0, "unmounted");
}
