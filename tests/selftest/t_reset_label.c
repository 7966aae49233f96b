// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of the label of a file: they concern the file, and not the list.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

/* From one list to another: only that file is told, of what it had. */
TEST_FS(label_changed)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *same = make_file(env->files, "same", "tlv-a");
	struct ident ident = ident_of(file);
	int session = session_open();
	u64 a, b, loads;

	make_list(env->lists, "tlv-a", "in-a");
	make_list(env->lists, "tlv-b", "in-b");
	tell(session, "notifier on");
	a = get(session, 0, file);
	CHECK_EQ(get(session, 1, same), a, "the same list");
	loads = stat_value("loads");

	label(file, "tlv-b");
	EXPECT_NOTES(session, "when the label changed", { ident, a });
	/* The list is what it was. */
	CHECK_EQ(lookup(session, 0, digest("in-a")), a, "the old handle");
	CHECK_EQ(get(session, 1, same), a, "the other file");
	CHECK_EQ(stat_value("loads"), loads, "something is loaded");

	b = get(session, 0, file);
	CHECK(b && b != a, "the other list");
	CHECK_EQ(lookup(session, 0, digest("in-b")), b, "in the other list");
	CHECK_EQ(lookup(session, 0, digest("in-a")), 0, "in the first list");
	CHECK_EQ(stat_value("loads") - loads, 1, "loads");
	expect_no_notes(session, "after asking again");

	/* Back: the first list is still there. */
	label(file, "tlv-a");
	EXPECT_NOTES(session, "when it changed back", { ident, b });
	CHECK_EQ(get(session, 0, file), a, "the first list again");
	CHECK_EQ(stat_value("loads") - loads, 1, "loads");

	/* The same value again, which might hide another. */
	label(file, "tlv-a");
	EXPECT_NOTES(session, "when the same was set", { ident, a });
	CHECK_EQ(get(session, 0, file), a, "the same list");
}

/* Removed: the file uses the directory. Set again: it does not. */
TEST_FS(label_removed_and_set)
{
	char *file = make_file(env->files, "file", "tlv-a");
	struct ident ident = ident_of(file);
	int session = session_open();
	u64 a, d;

	make_list(env->lists, "tlv-a", "in-a");
	make_list(env->lists, "tlv-b", "in-b");
	tell(session, "notifier on");
	a = get(session, 0, file);
	CHECK(a, "no list");
	CHECK_EQ(lookup(session, 0, digest("in-b")), 0, "in another list");

	unlabel(file);
	EXPECT_NOTES(session, "when the label was removed", { ident, a });
	d = get(session, 0, file);
	CHECK(d && d != a, "the directory");
	CHECK(lookup(session, 0, digest("in-a")) == (s64)a, "in a");
	CHECK_FOUND(lookup(session, 0, digest("in-b")), "in b");

	label(file, "tlv-a");
	EXPECT_NOTES(session, "when the label was set", { ident, d });
	CHECK_EQ(get(session, 0, file), a, "the list");
	CHECK_EQ(lookup(session, 0, digest("in-b")), 0, "in another list");

	/* To one that leads nowhere, and from there. */
	label(file, "tlv-none");
	EXPECT_NOTES(session, "when it led nowhere", { ident, a });
	CHECK_EQ(get(session, 0, file), 0, "nothing");
	label(file, "tlv-b");
	expect_no_notes(session, "for a file that had none");
	CHECK_FOUND(find(session, file, "in-b"), "in b");
}

/* Other attributes of a file are of no concern. */
TEST_FS(other_attributes_of_file)
{
	char *file = make_file(env->files, "file", "tlv-a");
	int session = session_open();
	u64 id;

	make_list(env->lists, "tlv-a", "a");
	tell(session, "notifier on");
	id = get(session, 0, file);
	MUST(setxattr(file, "security.digest_list2", "tlv-b", 5, 0));
	MUST(setxattr(file, "security.digest", "tlv-b", 5, 0));
	MUST(removexattr(file, "security.digest"));
	MUST(setxattr(file, "security.dig_prefetch", "1", 1, 0));
	CHECK_EQ(get(session, 0, file), id, "the list");
	expect_no_notes(session, "for other attributes");
}

/* Who may not write security attributes cannot change the label either. */
TEST_FS(label_refused_changes_nothing)
{
	char *file = make_file(env->files, "file", "tlv-a");
	int session = session_open();
	u64 id;

	make_list(env->lists, "tlv-a", "a");
	tell(session, "notifier on");
	id = get(session, 0, file);
	MUST(chmod(file, 0666));
	MUST(seteuid(65534));
	CHECK(setxattr(file, XATTR_LIST, "tlv-b", 5, 0), "set by nobody");
	CHECK(removexattr(file, XATTR_LIST), "removed by nobody");
	MUST(seteuid(0));
	CHECK(setxattr(file, XATTR_LIST, "tlv-b", 5, XATTR_CREATE),
	      "created although it is there");
	CHECK_EQ(get(session, 0, file), id, "the list");
	expect_no_notes(session, "for what did not happen");
}
