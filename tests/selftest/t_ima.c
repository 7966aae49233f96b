// SPDX-License-Identifier: GPL-2.0-only
/*
 * IMA as a client: it decides about files by their digest lists, and again when
 * those change.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "sha256.h"
#include "test.h"

/* A list with the digests of these contents. */
static struct buf list_of(const char *content, const char *other)
{
	struct digest digest = { .algo = SHA256 };
	struct buf list = {};

	tlv_algo(&list, SHA256);
	if (content) {
		sha256(content, strlen(content), digest.bytes);
		tlv_entry(&list, digest, NULL);
	}
	if (other) {
		sha256(other, strlen(other), digest.bytes);
		tlv_entry(&list, digest, NULL);
	}
	return list;
}

/* Makes a file of an owner, with content of its own and a label. */
static char *make_owned(const struct env *env, const char *name,
			const char *owner, const char *list, char **content)
{
	char *path = in(env->files, name);

	*content = hex(digest(name));
	write_file(path, *content, strlen(*content));
	label(path, list);
	MUST(chown(path, atoi(owner), -1));
	return path;
}

/* How often a file was measured. */
static size_t measured(const struct env *env, const char *name)
{
	size_t num, i, count = 0;
	char **names = ima_measured(env->files, &num);

	for (i = 0; i < num; i++)
		count += !strcmp(names[i], name);
	return count;
}

static void read_it(const char *path)
{
	close(MUST(open(path, O_RDONLY)));
}

/* A file in a list is measured by it, until it is in the list no more. */
TEST_FS(ima_measures_by_list)
{
	char *in_a, *in_b, *stranger;
	char *a = make_owned(env, "a", OWNER_MEASURED, "tlv-a", &in_a);
	char *b = make_owned(env, "b", OWNER_MEASURED, "tlv-b", &in_b);
	char *c = make_owned(env, "c", OWNER_MEASURED, "tlv-a", &stranger);
	char *list = in(env->lists, "tlv-a");

	CHECK_EQ(ima_set_policy(), 0, "the policy of IMA");
	write_list(list, list_of(in_a, NULL));
	write_list(in(env->lists, "tlv-b"), list_of(in_b, NULL));
	read_it(a);
	read_it(b);
	read_it(c);
	CHECK_EQ(measured(env, "a"), 0, "a file in its list");
	CHECK_EQ(measured(env, "b"), 0, "a file in its list");
	CHECK_EQ(measured(env, "c"), 1, "a file that is in no list");

	/* The list changes: only its files are looked at again. */
	replace_list(list, list_of(stranger, NULL));
	read_it(a);
	read_it(b);
	read_it(c);
	CHECK_EQ(measured(env, "a"), 1, "a file that is in its list no more");
	CHECK_EQ(measured(env, "b"), 0, "a file of another list");
	CHECK_EQ(measured(env, "c"), 1, "a file that was measured before");
}

/* The same for a file without a label, and the directory. */
TEST_FS(ima_measures_by_directory)
{
	char *content;
	char *file = make_owned(env, "file", OWNER_MEASURED, "x", &content);

	CHECK_EQ(ima_set_policy(), 0, "the policy of IMA");
	unlabel(file);
	write_list(in(env->lists, "1-tlv-a"), list_of("none", NULL));
	write_list(in(env->lists, "2-tlv-b"), list_of(content, NULL));
	read_it(file);
	CHECK_EQ(measured(env, "file"), 0, "a file in a list");
	write_list(in(env->lists, "1-tlv-a"), list_of("other", NULL));
	read_it(file);
	CHECK_EQ(measured(env, "file"), 0, "a file that is still in a list");
	MUST(unlink(in(env->lists, "2-tlv-b")));
	read_it(file);
	CHECK_EQ(measured(env, "file"), 1, "a file whose list is gone");
}

/* Makes a list that IMA accepts: a hash is enough for the rule of the tests. */
static void write_appraised(const char *path, struct buf list)
{
	/* IMA_XATTR_DIGEST_NG, and the algorithm */
	u8 xattr[2 + SHA256_SIZE] = { 4, SHA256 };
	char *new = text("%s.new", path);

	*(strrchr(new, '/') + 1) = '.';
	write_list(new, list);
	sha256(list.data, list.len, xattr + 2);
	MUST(setxattr(new, "security.ima", xattr, sizeof(xattr), 0));
	MUST(chown(new, atoi(OWNER_APPRAISED), -1));
	MUST(rename(new, path));
}

static int open_error(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* A file is allowed as long as it is in a list that was appraised. */
TEST_FS(ima_appraises_by_list)
{
	char *in_a, *in_b, *stranger;
	char *a = make_owned(env, "a", OWNER_APPRAISED, "tlv-a", &in_a);
	char *b = make_owned(env, "b", OWNER_APPRAISED, "tlv-b", &in_b);
	char *c = make_owned(env, "c", OWNER_APPRAISED, "tlv-a", &stranger);
	char *list = in(env->lists, "tlv-a");
	struct buf forged;
	int i;

	CHECK_EQ(ima_set_policy(), 0, "the policy of IMA");
	write_appraised(in(env->lists, "tlv-b"), list_of(in_b, NULL));
	for (i = 0; i < 3; i++) {
		write_appraised(list, list_of(in_a, NULL));
		CHECK_EQ(open_error(a), 0, "a file in its list");
		CHECK_EQ(open_error(a), 0, "again");
		CHECK_EQ(open_error(b), 0, "a file in another list");
		CHECK_EQ(open_error(c), EACCES, "a file in no list");

		/* It leaves the list, and another comes. */
		write_appraised(list, list_of(stranger, NULL));
		CHECK_EQ(open_error(a), EACCES, "a file that left its list");
		CHECK_EQ(open_error(b), 0, "a file in another list");
		CHECK_EQ(open_error(c), 0, "a file that came to its list");
	}

	/* Both, but the list is not what IMA knows. */
	forged = list_of(in_a, stranger);
	write_appraised(list, list_of(in_a, NULL));
	CHECK_EQ(open_error(a), 0, "before");
	i = MUST(open(list, O_WRONLY | O_TRUNC));
	CHECK_EQ(write(i, forged.data, forged.len), forged.len, "write");
	MUST(setxattr(list, "security.ima", "\4\4xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		      2 + SHA256_SIZE, 0));
	close(i);
	CHECK_EQ(open_error(a), EACCES, "a list that was forged");
	CHECK_EQ(open_error(c), EACCES, "a list that was forged");
	CHECK_EQ(open_error(b), 0, "a file in another list");
	write_appraised(list, list_of(in_a, stranger));
	CHECK_EQ(open_error(a), 0, "when it is good");
	CHECK_EQ(open_error(c), 0, "when it is good");

	/* The file leaves for another list. */
	label(a, "tlv-b");
	CHECK_EQ(open_error(a), EACCES, "with another label");
	label(a, "tlv-a");
	CHECK_EQ(open_error(a), 0, "with the right one");
	write_file(a, "changed", 7);
	CHECK_EQ(open_error(a), EACCES, "changed");
}
