// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lists.h"
#include "test.h"

const struct algo algos[NUM_ALGOS] = {
	[MD4] = { "md4", 16 },
	[MD5] = { "md5", 16 },
	[SHA1] = { "sha1", 20 },
	[RMD160] = { "rmd160", 20 },
	[SHA256] = { "sha256", 32 },
	[SHA384] = { "sha384", 48 },
	[SHA512] = { "sha512", 64 },
	[SHA224] = { "sha224", 28 },
	[RMD128] = { "rmd128", 16 },
	[RMD256] = { "rmd256", 32 },
	[RMD320] = { "rmd320", 40 },
	[WP256] = { "wp256", 32 },
	[WP384] = { "wp384", 48 },
	[WP512] = { "wp512", 64 },
	[TGR128] = { "tgr128", 16 },
	[TGR160] = { "tgr160", 20 },
	[TGR192] = { "tgr192", 24 },
	[SM3] = { "sm3", 32 },
	[STREEBOG256] = { "streebog256", 32 },
	[STREEBOG512] = { "streebog512", 64 },
	[SHA3_256] = { "sha3-256", 32 },
	[SHA3_384] = { "sha3-384", 48 },
	[SHA3_512] = { "sha3-512", 64 },
};

/* Mixes the bits of a number (splitmix64). */
static u64 mix(u64 x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

struct digest digest_for(unsigned int algo, const char *words)
{
	/* Of this run: lists of two runs have nothing in common. */
	static u64 nonce;
	struct digest result = { .algo = algo };
	u64 state, word;
	size_t i;

	if (!nonce &&
	    getrandom(&nonce, sizeof(nonce), GRND_INSECURE) != sizeof(nonce))
		abort();

	state = mix(nonce + algo);
	for (; *words; words++)
		state = mix(state ^ (u8)*words);
	for (i = 0; i < MAX_DIGEST; i += sizeof(word)) {
		word = mix(state + i);
		memcpy(result.bytes + i, &word, sizeof(word));
	}
	memset(result.bytes + algos[algo].size, 0,
	       MAX_DIGEST - algos[algo].size);
	return result;
}

struct digest digest(const char *words)
{
	return digest_for(SHA256, words);
}

char *hex(struct digest digest)
{
	size_t i, size = algos[digest.algo].size;
	char *result = malloc(2 * size + 1);

	if (!result)
		abort();
	for (i = 0; i < 2 * size; i++)
		result[i] = "0123456789abcdef"[digest.bytes[i / 2] >>
					       (i % 2 ? 0 : 4) & 15];
	result[2 * size] = '\0';
	return result;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	if (buf->len + len > buf->room) {
		buf->room = 2 * (buf->len + len);
		buf->data = realloc(buf->data, buf->room);
		if (!buf->data)
			abort();
	}
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
}

static void buf_be(struct buf *buf, u64 value, unsigned int size)
{
	while (size--) {
		u8 byte = value >> (8 * size);

		buf_add(buf, &byte, 1);
	}
}

void buf_be16(struct buf *buf, u16 value)
{
	buf_be(buf, value, 2);
}

void buf_be32(struct buf *buf, u32 value)
{
	buf_be(buf, value, 4);
}

void buf_be64(struct buf *buf, u64 value)
{
	buf_be(buf, value, 8);
}

void tlv_field(struct buf *list, u16 field, const void *value, size_t len)
{
	buf_be16(list, field);
	buf_be32(list, len);
	buf_add(list, value, len);
}

void tlv_algo(struct buf *list, unsigned int algo)
{
	buf_be16(list, 0);
	buf_be32(list, 2);
	buf_be16(list, algo);
}

void tlv_num_entries(struct buf *list, u32 num)
{
	buf_be16(list, 1);
	buf_be32(list, 4);
	buf_be32(list, num);
}

void tlv_digest_type(struct buf *list, u16 type)
{
	buf_be16(list, 3);
	buf_be32(list, 2);
	buf_be16(list, type);
}

void tlv_entry(struct buf *list, struct digest digest, const char *path)
{
	struct buf entry = {};

	tlv_field(&entry, 0, digest.bytes, algos[digest.algo].size);
	if (path)
		tlv_field(&entry, 1, path, strlen(path));
	tlv_field(list, 2, entry.data, entry.len);
	free(entry.data);
}

struct buf tlv_list(const char *words)
{
	char *copy = strdup(words), *rest = copy, *word;
	struct buf list = {}, entries = {};
	u32 num = 0;

	if (!copy)
		abort();
	while ((word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		tlv_entry(&entries, digest(word), NULL);
		num++;
	}
	tlv_algo(&list, SHA256);
	if (num)
		tlv_num_entries(&list, num);
	buf_add(&list, entries.data, entries.len);
	free(entries.data);
	free(copy);
	return list;
}

void old_header(struct buf *list, u64 type, u64 num, u64 len)
{
	buf_be64(list, type);
	buf_be64(list, num);
	buf_be64(list, 0);
	buf_be64(list, len);
}

void old_field(struct buf *list, u64 field, const void *value, size_t len)
{
	buf_be64(list, field);
	buf_be64(list, len);
	buf_add(list, value, len);
}

void old_algo(struct buf *fields, unsigned int algo)
{
	buf_be64(fields, 0);
	buf_be64(fields, 8);
	buf_be64(fields, algo);
}

void old_blob(struct buf *list, u64 type, u64 num,
	      const struct buf *fields)
{
	old_header(list, type, num, fields->len);
	buf_add(list, fields->data, fields->len);
}

void old_entry(struct buf *fields, struct digest digest, const char *path)
{
	struct buf parts = {}, entry = {};

	old_field(&parts, 0, digest.bytes, algos[digest.algo].size);
	if (path)
		old_field(&parts, 1, path, strlen(path));
	old_blob(&entry, 0, path ? 2 : 1, &parts);
	old_field(fields, 1, entry.data, entry.len);
	free(parts.data);
	free(entry.data);
}

void rpm_tag(struct rpm *rpm, u32 tag, u32 type, u32 offset,
	     u32 count)
{
	buf_be32(&rpm->tags, tag);
	buf_be32(&rpm->tags, type);
	buf_be32(&rpm->tags, offset);
	buf_be32(&rpm->tags, count);
	rpm->num++;
}

static void rpm_align(struct rpm *rpm, size_t size)
{
	while (rpm->data.len % size)
		buf_add(&rpm->data, "", 1);
}

void rpm_int32(struct rpm *rpm, u32 tag, u32 value)
{
	rpm_align(rpm, 4);
	rpm_tag(rpm, tag, RPM_INT32, rpm->data.len, 1);
	buf_be32(&rpm->data, value);
}

void rpm_strings(struct rpm *rpm, u32 tag, const char *const *strings,
		 u32 num)
{
	u32 i;

	rpm_tag(rpm, tag, RPM_STRING_ARRAY, rpm->data.len, num);
	for (i = 0; i < num; i++)
		buf_add(&rpm->data, strings[i], strlen(strings[i]) + 1);
}

struct buf rpm_finish(const struct rpm *rpm)
{
	static const u8 magic[8] = { 0x8e, 0xad, 0xe8, 0x01 };
	struct buf list = {};

	buf_add(&list, magic, sizeof(magic));
	buf_be32(&list, rpm->num);
	buf_be32(&list, rpm->data.len);
	buf_add(&list, rpm->tags.data, rpm->tags.len);
	buf_add(&list, rpm->data.data, rpm->data.len);
	return list;
}

struct buf rpm_list(u32 algo, const struct rpm_file *files, u32 num)
{
	static const char *const dirs[] = { "/usr/bin/", "/usr/lib/" };
	const char **strings = calloc(num, sizeof(*strings));
	struct rpm rpm = {};
	u32 i;

	if (!strings)
		abort();
	/* In the order of the tags, as RPM has it. */
	rpm_tag(&rpm, RPM_FILEMODES, RPM_INT16, rpm.data.len, num);
	for (i = 0; i < num; i++)
		buf_be16(&rpm.data, files[i].mode);
	for (i = 0; i < num; i++)
		strings[i] = files[i].hex;
	rpm_strings(&rpm, RPM_FILEDIGESTS, strings, num);
	rpm_align(&rpm, 4);
	rpm_tag(&rpm, RPM_DIRINDEXES, RPM_INT32, rpm.data.len, num);
	for (i = 0; i < num; i++)
		buf_be32(&rpm.data, files[i].dir);
	for (i = 0; i < num; i++)
		strings[i] = files[i].base;
	rpm_strings(&rpm, RPM_BASENAMES, strings, num);
	rpm_strings(&rpm, RPM_DIRNAMES, dirs, ARRAY_SIZE(dirs));
	if (algo)
		rpm_int32(&rpm, RPM_FILEDIGESTALGO, algo);
	free(strings);
	return rpm_finish(&rpm);
}

void append_signature(struct buf *list)
{
	static const char signature[] = "as good as any to who does not verify";
	/* algo, hash, id_type (PKCS#7), signer_len, key_id_len, padding */
	static const u8 info[8] = { 0, 0, 2 };

	buf_add(list, signature, sizeof(signature));
	buf_add(list, info, sizeof(info));
	buf_be32(list, sizeof(signature));
	buf_add(list, "~Module signature appended~\n", 28);
}
