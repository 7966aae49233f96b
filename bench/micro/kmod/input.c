// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists for the benchmarks: read, and walked through in the plain way that the
 * baseline loads them in. They are well-formed; what is not ends the walk.
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/hex.h>
#include <linux/kernel_read_file.h>
#include <linux/prandom.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include "bench.h"

#define ALGO_SHA256	4

#define TLV_ALGO	0
#define TLV_ENTRY	2
#define TLV_DIGEST	0

#define RPM_HEAD	16
#define RPM_DIGESTS	1035

int read_whole(const char *path, struct bytes *content)
{
	void *data = NULL;
	ssize_t len;

	len = kernel_read_file_from_path(path, 0, &data, INT_MAX, NULL,
					 READING_UNKNOWN);
	if (len < 0)
		return len;
	content->data = data;
	content->len = len;
	return 0;
}

void free_bytes(struct bytes *bytes)
{
	vfree(bytes->data);
	bytes->data = NULL;
}

int format_of(const char *name, enum format *format)
{
	if (!strcmp(name, "tlv"))
		*format = FORMAT_TLV;
	else if (!strcmp(name, "rpm"))
		*format = FORMAT_RPM;
	else
		return -EINVAL;
	return 0;
}

/* Reads the head of a field, and whether all of the field is there. */
static bool field(const u8 *data, size_t left, u16 *number, u32 *len)
{
	if (left < 6)
		return false;
	*number = get_unaligned_be16(data);
	*len = get_unaligned_be32(data + 2);
	return *len <= left - 6;
}

static int walk_tlv(const struct bytes *list,
		    int (*f)(void *data, const u8 *digest), void *data)
{
	const u8 *at = list->data, *end = at + list->len;
	u16 number, inner;
	u32 len, inner_len;
	const u8 *entry;
	int ret = 0;

	for (; at < end && !ret; at += 6 + len) {
		if (!field(at, end - at, &number, &len))
			return -EBADMSG;
		if (number == TLV_ALGO && get_unaligned_be16(at + 6) != ALGO_SHA256)
			return -EBADMSG;
		if (number != TLV_ENTRY)
			continue;
		for (entry = at + 6; entry < at + 6 + len;
		     entry += 6 + inner_len) {
			if (!field(entry, at + 6 + len - entry, &inner,
				   &inner_len))
				return -EBADMSG;
			if (inner != TLV_DIGEST)
				continue;
			if (inner_len != DIGEST_SIZE)
				return -EBADMSG;
			ret = f(data, entry + 6);
			if (ret)
				break;
		}
	}
	return ret;
}

static int walk_rpm(const struct bytes *list,
		    int (*f)(void *data, const u8 *digest), void *data)
{
	const u8 *at = list->data, *end = at + list->len, *values;
	u8 digest[DIGEST_SIZE];
	u32 i, num, count;
	size_t len;
	int ret;

	if (list->len < RPM_HEAD)
		return -EBADMSG;
	num = get_unaligned_be32(at + 8);
	at += RPM_HEAD;
	values = at + 16 * num;
	if (values > end)
		return -EBADMSG;
	for (i = 0; i < num; i++, at += 16)
		if (get_unaligned_be32(at) == RPM_DIGESTS)
			break;
	if (i == num)
		return 0;
	count = get_unaligned_be32(at + 12);
	at = values + get_unaligned_be32(at + 8);
	for (i = 0; i < count; i++, at += len + 1) {
		if (at >= end)
			return -EBADMSG;
		len = strnlen((const char *)at, end - at);
		if (!len)
			continue;
		if (len != 2 * DIGEST_SIZE ||
		    hex2bin(digest, (const char *)at, DIGEST_SIZE))
			return -EBADMSG;
		ret = f(data, digest);
		if (ret)
			return ret;
	}
	return 0;
}

int walk_digests(const struct bytes *list, enum format format,
		 int (*f)(void *data, const u8 *digest), void *data)
{
	if (format == FORMAT_TLV)
		return walk_tlv(list, f, data);
	return walk_rpm(list, f, data);
}

static int count(void *data, const u8 *digest)
{
	++*(size_t *)data;
	return 0;
}

static int append(void *data, const u8 *digest)
{
	struct bytes *digests = data;

	memcpy(digests->data + digests->len, digest, DIGEST_SIZE);
	digests->len += DIGEST_SIZE;
	return 0;
}

/* Takes the digests out of a list. */
int digests_of(const struct bytes *list, enum format format,
	       struct bytes *digests)
{
	size_t num = 0;
	int ret;

	ret = walk_digests(list, format, count, &num);
	if (ret)
		return ret;
	if (!num)
		return -ENODATA;
	digests->len = 0;
	digests->data = vmalloc(num * DIGEST_SIZE);
	if (!digests->data)
		return -ENOMEM;
	return walk_digests(list, format, append, digests);
}

/*
 * Digests to look up: all of them in another order, always the same one, and as
 * many that are not there.
 */
int shuffled(const struct bytes *digests, struct bytes *hits,
	     struct bytes *misses)
{
	size_t num = digests->len / DIGEST_SIZE;
	struct rnd_state state;
	u8 digest[DIGEST_SIZE];

	hits->data = vmalloc(digests->len);
	misses->data = vmalloc(digests->len);
	if (!hits->data || !misses->data)
		return -ENOMEM;
	memcpy(hits->data, digests->data, digests->len);
	hits->len = digests->len;
	misses->len = digests->len;

	prandom_seed_state(&state, 1);
	for (size_t i = num - 1; i > 0; i--) {
		u8 *a = hits->data + i * DIGEST_SIZE;
		u8 *b = hits->data +
			prandom_u32_state(&state) % (i + 1) * DIGEST_SIZE;

		memcpy(digest, a, DIGEST_SIZE);
		memcpy(a, b, DIGEST_SIZE);
		memcpy(b, digest, DIGEST_SIZE);
	}
	prandom_bytes_state(&state, misses->data, misses->len);
	return 0;
}
