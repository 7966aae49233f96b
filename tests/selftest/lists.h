/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Digest lists, made from scratch: none of the code that is tested is used.
 */
#ifndef _LISTS_H
#define _LISTS_H

#include <stddef.h>

#include "types.h"

/* enum hash_algo of the kernel */
enum {
	MD4, MD5, SHA1, RMD160, SHA256, SHA384, SHA512, SHA224, RMD128, RMD256,
	RMD320, WP256, WP384, WP512, TGR128, TGR160, TGR192, SM3, STREEBOG256,
	STREEBOG512, SHA3_256, SHA3_384, SHA3_512, NUM_ALGOS
};

#define MAX_DIGEST	64

/* What is known of each algorithm; names are those of the kernel */
extern const struct algo {
	const char *name;
	size_t size;
} algos[NUM_ALGOS];

/**
 * struct digest - a digest of nothing in particular
 * @algo: its algorithm
 * @bytes: as many as the algorithm has, then zeros
 */
struct digest {
	unsigned int algo;
	u8 bytes[MAX_DIGEST];
};

/* A digest that is the same for the same words, and another in each run. */
struct digest digest_for(unsigned int algo, const char *words);

/* Such a digest of the algorithm that most tests use, SHA-256. */
struct digest digest(const char *words);

/**
 * struct buf - bytes that grow
 * @data: the bytes
 * @len: how many there are
 * @room: how many there is room for
 */
struct buf {
	u8 *data;
	size_t len;
	size_t room;
};

void buf_add(struct buf *buf, const void *data, size_t len);
void buf_be16(struct buf *buf, u16 value);
void buf_be32(struct buf *buf, u32 value);
void buf_be64(struct buf *buf, u64 value);

/* The tlv format. */
void tlv_field(struct buf *list, u16 field, const void *value, size_t len);
void tlv_algo(struct buf *list, unsigned int algo);
void tlv_num_entries(struct buf *list, u32 num);
void tlv_digest_type(struct buf *list, u16 type);
void tlv_entry(struct buf *list, struct digest digest, const char *path);

/* A list of SHA-256 digests for words that are separated by spaces. */
struct buf tlv_list(const char *words);

/* The tlv format of April 2024. */
void old_header(struct buf *list, u64 type, u64 num, u64 len);
void old_field(struct buf *list, u64 field, const void *value, size_t len);
void old_algo(struct buf *fields, unsigned int algo);
void old_entry(struct buf *fields, struct digest digest, const char *path);
void old_blob(struct buf *list, u64 type, u64 num,
	      const struct buf *fields);

/**
 * struct rpm_file - a file in an rpm header
 * @hex: its digest in hexadecimal
 * @mode: its type and mode
 * @dir: number of its directory
 * @base: its name
 */
struct rpm_file {
	const char *hex;
	u16 mode;
	u32 dir;
	const char *base;
};

/* RPM's tags and types */
enum {
	RPM_FILEMODES = 1030, RPM_FILEDIGESTS = 1035, RPM_DIRINDEXES = 1116,
	RPM_BASENAMES = 1117, RPM_DIRNAMES = 1118, RPM_FILEDIGESTALGO = 5011,
	RPM_INT16 = 3, RPM_INT32 = 4, RPM_STRING_ARRAY = 8
};

/**
 * struct rpm - an rpm header being made
 * @tags: the index
 * @num: number of tags in it
 * @data: the data
 */
struct rpm {
	struct buf tags;
	u32 num;
	struct buf data;
};

void rpm_tag(struct rpm *rpm, u32 tag, u32 type, u32 offset,
	     u32 count);
void rpm_int32(struct rpm *rpm, u32 tag, u32 value);
void rpm_strings(struct rpm *rpm, u32 tag, const char *const *strings,
		 u32 num);
struct buf rpm_finish(const struct rpm *rpm);

/* A header of files, @algo being RPM's number or 0 for none. */
struct buf rpm_list(u32 algo, const struct rpm_file *files, u32 num);

/* Appends something in the form of a signature to a list. */
void append_signature(struct buf *list);

/* A digest in hexadecimal. */
char *hex(struct digest digest);

#endif /* _LISTS_H */
