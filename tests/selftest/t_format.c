// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every algorithm and every form of the formats, and what their tables take.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

/*
 * Makes a list of this name, and a file that is labelled with it. Gets the
 * file's digest cache to slot 0 and returns its number.
 */
static u64 load(const struct env *env, int session, const char *name,
		struct buf list)
{
	char *path = in(env->lists, name);
	char *file = make_file(env->files, name, name);
	u64 id;

	write_list(path, list);
	id = get(session, 0, file);
	CHECK(id, "%s is not loaded", name);
	return id;
}

/* The digest is in the list that is in slot 0, and no similar one is. */
static void expect_only(int session, struct digest digest, u64 id)
{
	const char *name = algos[digest.algo].name;
	size_t i, size = algos[digest.algo].size;
	struct digest other = digest;

	CHECK_EQ(lookup(session, 0, digest), id, "%s digest", name);
	for (i = 0; i < 8 * size; i += 8 * size - 1) {
		other = digest;
		other.bytes[i / 8] ^= 0x80 >> i % 8;
		CHECK_EQ(lookup(session, 0, other), 0,
			 "%s digest with bit %zu changed", name, i);
	}
	for (i = 0; i < NUM_ALGOS; i++) {
		if (i == digest.algo)
			continue;
		other = digest;
		other.algo = i;
		CHECK_EQ(lookup(session, 0, other), 0,
			 "%s digest taken for %s", name, algos[i].name);
	}
}

/* One list of each algorithm. */
TEST_FS(tlv_each_algorithm)
{
	int session = session_open();
	struct cache *cache;
	unsigned int i;

	for (i = 0; i < NUM_ALGOS; i++) {
		struct digest digest = digest_for(i, "one");
		struct buf list = {};
		u64 id;

		tlv_algo(&list, i);
		tlv_num_entries(&list, 1);
		tlv_entry(&list, digest, "/usr/bin/one");
		id = load(env, session, text("tlv-%s", algos[i].name), list);
		expect_only(session, digest, id);
		CHECK_EQ(algos_of(session, 0), 1U << i, "%s", algos[i].name);

		cache = cache_with_id(id);
		CHECK(cache, "a digest cache is not in caches");
		CHECK(!strcmp(cache->algos, algos[i].name), "caches has %s",
		      cache->algos);
		CHECK_EQ(cache->digests, 1, "caches of %s", algos[i].name);
	}
}

/* One list with all algorithms, each with a table of its own. */
TEST(tlv_all_algorithms_in_one)
{
	int session = session_open();
	struct buf list = {};
	unsigned int i, j;
	u64 id;

	for (i = 0; i < NUM_ALGOS; i++) {
		tlv_algo(&list, i);
		tlv_num_entries(&list, i + 1);
		for (j = 0; j <= i; j++)
			tlv_entry(&list, digest_for(i, text("%u", j)), NULL);
	}
	/* An algorithm may come again. */
	tlv_algo(&list, MD5);
	tlv_entry(&list, digest_for(MD5, "again"), NULL);

	id = load(env, session, "tlv-all", list);
	for (i = 0; i < NUM_ALGOS; i++)
		for (j = 0; j <= i; j++)
			expect_only(session, digest_for(i, text("%u", j)), id);
	expect_only(session, digest_for(MD5, "again"), id);
	CHECK_EQ(algos_of(session, 0), (1U << NUM_ALGOS) - 1, "all algorithms");
	CHECK_EQ(cache_with_id(id)->digests,
		 NUM_ALGOS * (NUM_ALGOS + 1) / 2 + 1, "digests");
}

/* What the format allows, beside what our tools write. */
TEST(tlv_liberties)
{
	struct digest data = digest("data"), verity = digest("verity");
	int session = session_open();
	struct buf list = {};
	u64 id;

	/* A number of entries is not trusted. */
	tlv_algo(&list, SHA256);
	tlv_num_entries(&list, 0xffffffff);
	tlv_field(&list, 2, NULL, 0);
	tlv_entry(&list, data, NULL);
	/* fs-verity digests are no digests of data. */
	tlv_digest_type(&list, 1);
	tlv_entry(&list, verity, NULL);
	tlv_digest_type(&list, 0);
	tlv_entry(&list, digest("data again"), "/a b\n\xff");
	/* The same digest twice */
	tlv_entry(&list, data, NULL);

	id = load(env, session, "tlv-liberties", list);
	CHECK_EQ(lookup(session, 0, data), id, "data");
	CHECK_EQ(lookup(session, 0, digest("data again")), id, "data");
	CHECK_EQ(lookup(session, 0, verity), 0, "an fs-verity digest");

	list = (struct buf) {};
	tlv_algo(&list, SHA256);
	id = load(env, session, "tlv-without-entries", list);
	CHECK_EQ(lookup(session, 0, data), 0, "a list without entries");
}

/* The form of April 2024, with each algorithm. */
TEST(old_tlv_each_algorithm)
{
	int session = session_open();
	unsigned int i;

	for (i = 0; i < NUM_ALGOS; i++) {
		struct digest digest = digest_for(i, "one");
		struct buf list = {}, fields = {};
		u64 id;

		old_algo(&fields, i);
		old_entry(&fields, digest, i % 2 ? "/usr/bin/one" : NULL);
		old_blob(&list, 0, 2, &fields);
		id = load(env, session, text("tlv-%s", algos[i].name), list);
		expect_only(session, digest, id);
	}
}

/* Several blobs, one of them of a type that is skipped. */
TEST(old_tlv_blobs)
{
	struct buf list = {}, fields = {}, others = {};
	int session = session_open();
	u64 id;

	old_algo(&fields, SHA256);
	old_entry(&fields, digest("a"), NULL);
	old_entry(&fields, digest("b"), NULL);
	old_field(&fields, 1, NULL, 0);
	old_blob(&list, 0, 4, &fields);

	/* Of other types even the fields are others. */
	buf_add(&others, "whatever", 8);
	old_blob(&list, 7, 99, &others);

	fields = (struct buf) {};
	old_algo(&fields, SHA512);
	old_entry(&fields, digest_for(SHA512, "c"), NULL);
	old_blob(&list, 0, 2, &fields);

	id = load(env, session, "tlv-blobs", list);
	expect_only(session, digest("a"), id);
	expect_only(session, digest("b"), id);
	expect_only(session, digest_for(SHA512, "c"), id);
}

/* RPM's numbers of algorithms */
static const struct {
	u32 number;
	unsigned int algo;
} rpm_algos[] = {
	{ 0, MD5 }, { 1, MD5 }, { 2, SHA1 }, { 3, RMD160 }, { 8, SHA256 },
	{ 9, SHA384 }, { 10, SHA512 }, { 11, SHA224 }, { 12, SHA3_256 },
	{ 14, SHA3_512 },
};

/* Each algorithm, and none, which means MD5. */
TEST_FS(rpm_each_algorithm)
{
	int session = session_open();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rpm_algos); i++) {
		struct digest a = digest_for(rpm_algos[i].algo, "a");
		struct digest b = digest_for(rpm_algos[i].algo, "b");
		const struct rpm_file files[] = {
			{ hex(a), 0100755, 0, "a" },
			{ "", 0040755, 0, "dir" },
			{ hex(b), 0100644, 1, "b" },
			{ "", 0120777, 1, "link" },
		};
		u64 id;

		id = load(env, session, text("rpm-%u", rpm_algos[i].number),
			  rpm_list(rpm_algos[i].number, files,
				   ARRAY_SIZE(files)));
		expect_only(session, a, id);
		expect_only(session, b, id);
		CHECK_EQ(cache_with_id(id)->digests, 2, "digests");
	}
}

/* Headers that say little. */
TEST(rpm_liberties)
{
	const char *const digests[] = { hex(digest("a")), hex(digest("b")) };
	int session = session_open();
	struct rpm rpm = {};
	u64 id;

	/* A package without files */
	rpm_int32(&rpm, 1000, 1);
	id = load(env, session, "rpm-empty", rpm_finish(&rpm));
	CHECK_EQ(lookup(session, 0, digest("a")), 0, "an empty list");
	CHECK_EQ(cache_with_id(id)->digests, 0, "an empty list");

	/* Neither paths nor modes */
	rpm = (struct rpm) {};
	rpm_strings(&rpm, RPM_FILEDIGESTS, digests, 2);
	rpm_int32(&rpm, RPM_FILEDIGESTALGO, 8);
	id = load(env, session, "rpm-bare", rpm_finish(&rpm));
	expect_only(session, digest("a"), id);
	expect_only(session, digest("b"), id);
}

/* What looks like a signature is cut off before the list is parsed. */
TEST(signature_is_stripped)
{
	struct buf list = tlv_list("a b");
	struct rpm_file file = { hex(digest("a")), 0100644, 0, "a" };
	int session = session_open();
	u64 id;

	append_signature(&list);
	id = load(env, session, "tlv-signed", list);
	expect_only(session, digest("a"), id);
	expect_only(session, digest("b"), id);

	list = rpm_list(8, &file, 1);
	append_signature(&list);
	id = load(env, session, "rpm-signed", list);
	expect_only(session, digest("a"), id);
}

/* Names with everything that they may have. */
TEST(list_names)
{
	static const char *const names[] = {
		"tlv-a", "0-tlv-a", "4294967295-tlv-a", "007-tlv-a", "tlv--",
		"tlv-a b", "tlv-\xff\n", "1-tlv-2-tlv-3", "12-rpm-x-1.fc40",
	};
	int session = session_open();
	char longest[256];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct rpm_file file = { hex(digest("a")), 0100644, 0, "a" };
		struct buf list = strstr(names[i], "rpm-") ?
			rpm_list(8, &file, 1) : tlv_list("a");
		u64 id = load(env, session, names[i], list);

		CHECK_EQ(lookup(session, 0, digest("a")), id, "%s", names[i]);
		unlink(in(env->lists, names[i]));
	}

	memset(longest, 'x', 255);
	memcpy(longest, "tlv-", 4);
	longest[255] = '\0';
	load(env, session, longest, tlv_list("a"));
}

/* A list of many digests: all are found, and take little memory. */
TEST(big_list)
{
	const unsigned int num = 100000;
	int session = session_open();
	struct buf list = {};
	struct cache *cache;
	char words[32];
	unsigned int i;
	u64 id;

	tlv_algo(&list, SHA256);
	tlv_num_entries(&list, num);
	for (i = 0; i < num; i++) {
		snprintf(words, sizeof(words), "%u", i);
		tlv_entry(&list, digest(words), "/usr/lib/some/where/or/other");
	}
	id = load(env, session, "tlv-big", list);

	for (i = 0; i < num; i += 97) {
		snprintf(words, sizeof(words), "%u", i);
		CHECK_EQ(lookup(session, 0, digest(words)), id, "number %u", i);
		snprintf(words, sizeof(words), "no %u", i);
		CHECK_EQ(lookup(session, 0, digest(words)), 0, "none %u", i);
	}

	cache = cache_with_id(id);
	CHECK_EQ(cache->digests, num, "digests");
	CHECK(cache->bytes >= 32ULL * num, "%llu bytes are too few to be true",
	      cache->bytes);
	/* What design.md promises, and what a digest cache takes by itself */
	CHECK(cache->bytes <= 33ULL * num + 4096, "%llu bytes are too many",
	      cache->bytes);
}
