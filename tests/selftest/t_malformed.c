// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists that are malformed, in every way that the formats know: nothing comes
 * out of them, and they are not read again until they change.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

static const char zeros[64];

/* An entry made of these bytes, after the algorithm. */
static struct buf entry(const struct buf *parts)
{
	struct buf list = {};

	tlv_algo(&list, SHA256);
	tlv_field(&list, 2, parts->data, parts->len);
	return list;
}

/* The good list that most bad ones are made from. */
static struct buf good(void)
{
	return tlv_list("good");
}

static struct buf truncated_value(void)
{
	struct buf list = good();

	list.len--;
	return list;
}

static struct buf truncated_header(void)
{
	struct buf list = good();

	buf_add(&list, zeros, 5);
	return list;
}

static struct buf length_too_big(void)
{
	struct buf list = good();

	buf_be16(&list, 2);
	buf_be32(&list, 0xffffffff);
	return list;
}

static struct buf excess_byte(void)
{
	struct buf list = good();

	buf_add(&list, "x", 1);
	return list;
}

static struct buf unknown_field(void)
{
	struct buf list = good();

	tlv_field(&list, 4, zeros, 4);
	return list;
}

static struct buf unknown_algo(void)
{
	struct buf list = {};

	tlv_algo(&list, NUM_ALGOS);
	return list;
}

static struct buf short_algo(void)
{
	struct buf list = good();

	tlv_field(&list, 0, zeros, 1);
	return list;
}

static struct buf long_algo(void)
{
	struct buf list = good();

	tlv_field(&list, 0, zeros, 4);
	return list;
}

static struct buf no_algo(void)
{
	struct buf list = {};

	tlv_entry(&list, digest("good"), NULL);
	return list;
}

static struct buf number_before_algo(void)
{
	struct buf list = {}, rest = good();

	tlv_num_entries(&list, 1);
	buf_add(&list, rest.data, rest.len);
	return list;
}

static struct buf number_zero(void)
{
	struct buf list = good();

	tlv_num_entries(&list, 0);
	return list;
}

static struct buf short_number(void)
{
	struct buf list = good();

	tlv_field(&list, 1, "\0\1", 2);
	return list;
}

static struct buf unknown_type(void)
{
	struct buf list = good();

	tlv_digest_type(&list, 2);
	return list;
}

static struct buf long_type(void)
{
	struct buf list = good();

	tlv_field(&list, 3, zeros, 4);
	return list;
}

static struct buf short_digest(void)
{
	struct buf parts = {};

	tlv_field(&parts, 0, digest("good").bytes, 31);
	return entry(&parts);
}

static struct buf long_digest(void)
{
	struct buf parts = {};

	tlv_field(&parts, 0, digest("good").bytes, 33);
	return entry(&parts);
}

static struct buf no_digest(void)
{
	struct buf parts = {};

	tlv_field(&parts, 1, "/a", 2);
	return entry(&parts);
}

static struct buf two_digests(void)
{
	struct buf parts = {};

	tlv_field(&parts, 0, digest("good").bytes, 32);
	tlv_field(&parts, 0, digest("bad").bytes, 32);
	return entry(&parts);
}

static struct buf empty_path(void)
{
	struct buf parts = {};

	tlv_field(&parts, 0, digest("good").bytes, 32);
	tlv_field(&parts, 1, NULL, 0);
	return entry(&parts);
}

static struct buf two_paths(void)
{
	struct buf parts = {};

	tlv_field(&parts, 0, digest("good").bytes, 32);
	tlv_field(&parts, 1, "/a", 2);
	tlv_field(&parts, 1, "/a", 2);
	return entry(&parts);
}

static struct buf unknown_part(void)
{
	struct buf parts = {};

	tlv_field(&parts, 0, digest("good").bytes, 32);
	tlv_field(&parts, 2, "x", 1);
	return entry(&parts);
}

static struct buf excess_in_entry(void)
{
	struct buf parts = {};

	tlv_field(&parts, 0, digest("good").bytes, 32);
	buf_add(&parts, "x", 1);
	return entry(&parts);
}

static struct buf digest_beyond_entry(void)
{
	struct buf parts = {};

	buf_be16(&parts, 0);
	buf_be32(&parts, 32);
	buf_add(&parts, digest("good").bytes, 31);
	return entry(&parts);
}

static struct buf text_list(void)
{
	struct buf list = {};

	buf_add(&list, "sha256:0123\n", 12);
	return list;
}

static struct buf zero_byte(void)
{
	struct buf list = {};

	buf_add(&list, zeros, 1);
	return list;
}

static struct buf only_zeros(void)
{
	struct buf list = {};

	buf_add(&list, zeros, 64);
	return list;
}

/* The form of April 2024: a list with these fields. */
static struct buf old_list(const struct buf *fields, u64 num)
{
	struct buf list = {};

	old_blob(&list, 0, num, fields);
	return list;
}

static struct buf old_fields(void)
{
	struct buf fields = {};

	old_algo(&fields, SHA256);
	old_entry(&fields, digest("good"), "/a");
	return fields;
}

static struct buf old_too_many(void)
{
	struct buf fields = old_fields();

	return old_list(&fields, 3);
}

static struct buf old_too_few(void)
{
	struct buf fields = old_fields();

	return old_list(&fields, 1);
}

static struct buf old_reserved(void)
{
	struct buf fields = old_fields(), list = old_list(&fields, 2);

	list.data[23] = 1;
	return list;
}

static struct buf old_length(void)
{
	struct buf fields = old_fields(), list = old_list(&fields, 2);

	list.data[24] = 0xff;
	return list;
}

static struct buf old_truncated(void)
{
	struct buf fields = old_fields(), list = old_list(&fields, 2);

	list.len--;
	return list;
}

static struct buf old_excess(void)
{
	struct buf fields = old_fields(), list = old_list(&fields, 2);

	buf_add(&list, "x", 1);
	return list;
}

static struct buf old_unknown_field(void)
{
	struct buf fields = old_fields();

	old_field(&fields, 2, "x", 1);
	return old_list(&fields, 3);
}

static struct buf old_unknown_algo(void)
{
	struct buf fields = {};

	old_algo(&fields, NUM_ALGOS);
	return old_list(&fields, 1);
}

static struct buf old_huge_algo(void)
{
	struct buf fields = {};

	buf_be64(&fields, 0);
	buf_be64(&fields, 8);
	buf_be64(&fields, 0x100000004);
	return old_list(&fields, 1);
}

static struct buf old_no_algo(void)
{
	struct buf fields = {};

	old_entry(&fields, digest("good"), NULL);
	return old_list(&fields, 1);
}

static struct buf old_short_digest(void)
{
	struct buf parts = {}, blob = {}, fields = {};

	old_field(&parts, 0, digest("good").bytes, 31);
	old_blob(&blob, 0, 1, &parts);
	old_algo(&fields, SHA256);
	old_field(&fields, 1, blob.data, blob.len);
	return old_list(&fields, 2);
}

static struct buf old_no_digest(void)
{
	struct buf parts = {}, blob = {}, fields = {};

	old_field(&parts, 1, "/a", 2);
	old_blob(&blob, 0, 1, &parts);
	old_algo(&fields, SHA256);
	old_field(&fields, 1, blob.data, blob.len);
	return old_list(&fields, 2);
}

/* RPM headers: a good one whose bytes are changed. */
static struct buf good_rpm(void)
{
	const struct rpm_file file = { hex(digest("good")), 0100644, 0, "a" };

	return rpm_list(8, &file, 1);
}

/* Changes a 32-bit word of a good header. */
static struct buf rpm_word(size_t at, u32 value)
{
	struct buf list = good_rpm(), word = {};

	buf_be32(&word, value);
	memcpy(list.data + at, word.data, 4);
	return list;
}

/* Where a word of a tag is; tags come in the order of rpm_list(). */
enum { MODES, DIGESTS, INDEXES, BASES, DIRS, ALGO };
enum { TAG, TYPE, OFFSET, COUNT };
#define RPM_WORD(tag, word)	(16 + 16 * (tag) + 4 * (word))

static struct buf rpm_magic(void)
{
	return rpm_word(0, 0x8eade802);
}

static struct buf rpm_reserved(void)
{
	return rpm_word(4, 1);
}

static struct buf rpm_more_tags(void)
{
	return rpm_word(8, 7);
}

static struct buf rpm_huge_tags(void)
{
	return rpm_word(8, 0xffffffff);
}

static struct buf rpm_data_size(void)
{
	return rpm_word(12, 1);
}

static struct buf rpm_huge_data(void)
{
	return rpm_word(12, 0xffffffff);
}

static struct buf rpm_truncated(void)
{
	struct buf list = good_rpm();

	list.len--;
	return list;
}

static struct buf rpm_excess(void)
{
	struct buf list = good_rpm();

	buf_add(&list, "x", 1);
	return list;
}

static struct buf rpm_only_magic(void)
{
	struct buf list = good_rpm();

	list.len = 8;
	return list;
}

static struct buf rpm_digests_type(void)
{
	return rpm_word(RPM_WORD(DIGESTS, TYPE), RPM_INT32);
}

static struct buf rpm_unknown_type(void)
{
	return rpm_word(RPM_WORD(DIGESTS, TYPE), 10);
}

static struct buf rpm_digests_offset(void)
{
	return rpm_word(RPM_WORD(DIGESTS, OFFSET), 0x7fffffff);
}

static struct buf rpm_digests_count(void)
{
	return rpm_word(RPM_WORD(DIGESTS, COUNT), 0xffffffff);
}

static struct buf rpm_no_digests(void)
{
	return rpm_word(RPM_WORD(DIGESTS, COUNT), 0);
}

static struct buf rpm_duplicate_tag(void)
{
	return rpm_word(RPM_WORD(BASES, TAG), RPM_FILEDIGESTS);
}

static struct buf rpm_missing_tag(void)
{
	return rpm_word(RPM_WORD(BASES, TAG), 9999);
}

static struct buf rpm_modes_count(void)
{
	return rpm_word(RPM_WORD(MODES, COUNT), 2);
}

static struct buf rpm_index_range(void)
{
	return rpm_word(RPM_WORD(DIRS, COUNT), 0);
}

static struct buf rpm_algo_type(void)
{
	return rpm_word(RPM_WORD(ALGO, TYPE), RPM_INT16);
}

static struct buf rpm_algo_count(void)
{
	return rpm_word(RPM_WORD(ALGO, COUNT), 2);
}

static struct buf rpm_misaligned(void)
{
	return rpm_word(RPM_WORD(INDEXES, OFFSET), 1);
}

static struct buf rpm_file_digest(const char *digits, u32 algo)
{
	const struct rpm_file file = { digits, 0100644, 0, "a" };

	return rpm_list(algo, &file, 1);
}

static struct buf rpm_unknown_algo(void)
{
	return rpm_file_digest(hex(digest("good")), 7);
}

static struct buf rpm_wrong_algo(void)
{
	return rpm_file_digest(hex(digest("good")), 10);
}

static struct buf rpm_upper_case(void)
{
	char *digits = hex(digest("good"));

	digits[5] = 'A';
	return rpm_file_digest(digits, 8);
}

static struct buf rpm_no_hex(void)
{
	char *digits = hex(digest("good"));

	digits[63] = 'g';
	return rpm_file_digest(digits, 8);
}

static struct buf rpm_odd_hex(void)
{
	char *digits = hex(digest("good"));

	digits[63] = '\0';
	return rpm_file_digest(digits, 8);
}

static struct buf rpm_dir_index(void)
{
	const struct rpm_file file = { hex(digest("good")), 0100644, 2, "a" };

	return rpm_list(8, &file, 1);
}

static struct buf rpm_unterminated(void)
{
	const char *digits = hex(digest("good"));
	struct rpm rpm = {};

	rpm_int32(&rpm, RPM_FILEDIGESTALGO, 8);
	rpm_strings(&rpm, RPM_FILEDIGESTS, &digits, 1);
	rpm.data.len--;
	return rpm_finish(&rpm);
}

/* Appended signatures */
static struct buf signed_list(void)
{
	struct buf list = good();

	append_signature(&list);
	return list;
}

static struct buf only_marker(void)
{
	struct buf list = {};

	buf_add(&list, "~Module signature appended~\n", 28);
	return list;
}

static struct buf signature_field(void)
{
	struct buf list = signed_list();

	/* The length of the signer's name */
	list.data[list.len - 28 - 12 + 3] = 1;
	return list;
}

static struct buf signature_too_long(void)
{
	struct buf list = signed_list();

	list.data[list.len - 28 - 4] = 0x7f;
	return list;
}

static struct buf signature_of_all(void)
{
	struct buf list = signed_list(), length = {};

	buf_be32(&length, list.len - 28 - 12);
	memcpy(list.data + list.len - 28 - 4, length.data, 4);
	return list;
}

static struct buf signature_empty(void)
{
	struct buf list = signed_list();

	memset(list.data + list.len - 28 - 4, 0, 4);
	return list;
}

static struct buf signature_truncated(void)
{
	struct buf list = signed_list();

	/* What is left of it is no field. */
	list.len -= 28;
	return list;
}

static const struct {
	const char *name;
	struct buf (*make)(void);
	int error;
} malformed[] = {
#define TLV(func)	{ "tlv-" #func, func, -EBADMSG }
	TLV(truncated_value), TLV(truncated_header), TLV(length_too_big),
	TLV(excess_byte), TLV(unknown_field), TLV(unknown_algo),
	TLV(short_algo), TLV(long_algo), TLV(no_algo), TLV(number_before_algo),
	TLV(number_zero), TLV(short_number), TLV(unknown_type), TLV(long_type),
	TLV(short_digest), TLV(long_digest), TLV(no_digest), TLV(two_digests),
	TLV(empty_path), TLV(two_paths), TLV(unknown_part),
	TLV(excess_in_entry), TLV(digest_beyond_entry), TLV(text_list),
	TLV(zero_byte), TLV(only_zeros), TLV(old_too_many), TLV(old_too_few),
	TLV(old_reserved), TLV(old_length), TLV(old_truncated),
	TLV(old_excess), TLV(old_unknown_field), TLV(old_unknown_algo),
	TLV(old_huge_algo), TLV(old_no_algo), TLV(old_short_digest),
	TLV(old_no_digest), TLV(good_rpm), TLV(only_marker),
	TLV(signature_field), TLV(signature_too_long), TLV(signature_of_all),
	TLV(signature_empty), TLV(signature_truncated),
#define RPM(func)	{ "rpm-" #func, func, -EBADMSG }
	RPM(rpm_magic), RPM(rpm_reserved), RPM(rpm_more_tags),
	RPM(rpm_huge_tags), RPM(rpm_data_size), RPM(rpm_huge_data),
	RPM(rpm_truncated), RPM(rpm_excess), RPM(rpm_only_magic),
	RPM(rpm_digests_type), RPM(rpm_unknown_type), RPM(rpm_digests_offset),
	RPM(rpm_digests_count), RPM(rpm_no_digests), RPM(rpm_duplicate_tag),
	RPM(rpm_missing_tag), RPM(rpm_modes_count), RPM(rpm_index_range),
	RPM(rpm_algo_type), RPM(rpm_algo_count), RPM(rpm_misaligned),
	RPM(rpm_unknown_algo), RPM(rpm_wrong_algo), RPM(rpm_upper_case),
	RPM(rpm_no_hex), RPM(rpm_odd_hex), RPM(rpm_dir_index),
	RPM(rpm_unterminated), RPM(good), RPM(text_list),
	/* The name says the format, whatever the content. */
	{ "nosuch-good", good, -ENOPKG },
	{ "TLV-good", good, -ENOPKG },
	{ "tlv2-good", good, -ENOPKG },
};

/* The list is failed, and stays so without being read again. */
static void expect_failed(const struct env *env, int session, const char *name,
			  const char *file, int error)
{
	u64 loads = stat_value("loads");
	u64 failures = stat_value("load_failures");
	u64 of_error = stat_value(text("load_failures.%d", -error));
	struct cache *cache;
	int i;

	for (i = 0; i < 3; i++)
		CHECK_EQ(get(session, 0, file), 0, "%s is loaded", name);
	CHECK_EQ(stat_value("load_failures") - failures, 1,
		 "%s fails each time it is asked for", name);
	CHECK_EQ(stat_value(text("load_failures.%d", -error)) - of_error, 1,
		 "%s fails with another error", name);
	CHECK(stat_value("loads") - loads <= 1, "%s is loaded again", name);

	cache = cache_of(in(env->lists, name));
	CHECK(cache, "%s is not in caches", name);
	CHECK(!strcmp(cache->state, "failed"), "%s is %s", name, cache->state);
	CHECK_EQ(cache->error, error, "%s", name);
	CHECK_EQ(cache->digests, 0, "%s", name);
}

/* Every malformed list: no cache, remembered, and gone when it is mended. */
TEST_FS(malformed_lists)
{
	int session = session_open();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		const char *name = malformed[i].name;
		char *list = in(env->lists, name);
		char *file = make_file(env->files, name, name);

		write_list(list, malformed[i].make());
		expect_failed(env, session, name, file, malformed[i].error);

		if (malformed[i].error == -ENOPKG)
			continue;
		write_list(list, strncmp(name, "rpm", 3) ? good() : good_rpm());
		CHECK_FOUND(find(session, file, "good"), "%s when mended", name);
		CHECK(!strcmp(cache_of(list)->state, "ready"), "%s when mended",
		      name);
		unlink(list);
	}
}

/* An empty file is refused before it gets to a parser. */
TEST(empty_list)
{
	char *file = make_file(env->files, "file", "tlv-empty");
	char *list = in(env->lists, "tlv-empty");
	int session = session_open();

	write_file(list, "", 0);
	expect_failed(env, session, "tlv-empty", file, -EINVAL);
	write_list(list, good());
	CHECK_FOUND(find(session, file, "good"), "the list when written");
}

/* Names that break the rule never lead to a digest cache. */
TEST(malformed_names)
{
	static const char *const names[] = {
		"tlv", "tlv-", "-tlv-a", "-", "1-tlv", "1-tlv-", "1--a", "1-",
		"4294967296-tlv-a", "99999999999999999999-tlv-a",
		"abcdefghijklmnopqrst-a", "list",
	};
	int session = session_open();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		char *file = make_file(env->files, names[i], names[i]);

		write_list(in(env->lists, names[i]), good());
		CHECK_EQ(get(session, 0, file), 0, "%s", names[i]);
		/* Nor is it one of the lists of the directory. */
		unlabel(file);
		CHECK_EQ(find(session, file, "good"), 0, "%s in directory",
			 names[i]);
	}
}

/* Good and bad lists in turn, so that nothing of one is left in the other. */
TEST(good_and_bad_in_turn)
{
	char *file = make_file(env->files, "file", "tlv-list");
	char *list = in(env->lists, "tlv-list");
	int session = session_open();
	int i;

	for (i = 0; i < 50; i++) {
		write_list(list, good());
		CHECK_FOUND(find(session, file, "good"), "good, round %d", i);
		write_list(list, truncated_value());
		CHECK_EQ(get(session, 0, file), 0, "bad, round %d", i);
	}
}
