// SPDX-License-Identifier: GPL-2.0-only
/*
 * Example of a module that teaches the digest_cache LSM a format of digest
 * lists: "plain", in files named [<number>-]plain-<name>.
 *
 * A list is text. Each line is "sha256:" and a digest in hexadecimal; empty
 * lines and lines that begin with "#" are skipped. Anything else makes the
 * whole list invalid, since a digest left out would deny a file later without
 * anybody knowing why.
 */
#include <linux/delay.h>
#include <linux/digest_cache.h>
#include <linux/hex.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#define PREFIX		"sha256:"
#define PREFIX_LEN	(sizeof(PREFIX) - 1)
#define DIGEST_LEN	32

static unsigned int delay_ms;
module_param(delay_ms, uint, 0444);
MODULE_PARM_DESC(delay_ms, "How long each list takes, for tests (ms)");

/*
 * Takes the next line of the list, without its end, from what is left of the
 * list. Returns false at the end of the list.
 */
static bool next_line(const u8 **data, size_t *data_len, const u8 **line,
		      size_t *line_len)
{
	const u8 *end;

	if (!*data_len)
		return false;

	end = memchr(*data, '\n', *data_len);
	*line = *data;
	*line_len = end ? end - *data : *data_len;
	*data += *line_len;
	*data_len -= *line_len;
	if (end) {
		(*data)++;
		(*data_len)--;
	}
	return true;
}

/* Returns 1 and the digest of a line, 0 if it has none, or an error. */
static int parse_line(const u8 *line, size_t line_len, u8 digest[DIGEST_LEN])
{
	if (!line_len || line[0] == '#')
		return 0;

	if (line_len != PREFIX_LEN + 2 * DIGEST_LEN ||
	    memcmp(line, PREFIX, PREFIX_LEN))
		return -EBADMSG;

	if (hex2bin(digest, line + PREFIX_LEN, DIGEST_LEN))
		return -EBADMSG;
	return 1;
}

/* Checks all lines, and counts those with a digest. */
static int count_digests(const u8 *data, size_t data_len, u64 *num)
{
	u8 digest[DIGEST_LEN];
	size_t line_len;
	const u8 *line;
	int ret;

	*num = 0;
	while (next_line(&data, &data_len, &line, &line_len)) {
		ret = parse_line(line, line_len, digest);
		if (ret < 0)
			return ret;
		*num += ret;
	}
	return 0;
}

static int plain_parse(struct digest_cache *digest_cache, const u8 *data,
		       size_t data_len)
{
	u8 digest[DIGEST_LEN];
	size_t line_len;
	const u8 *line;
	u64 num;
	int ret;

	if (delay_ms)
		msleep(delay_ms);

	ret = count_digests(data, data_len, &num);
	if (ret || !num)
		return ret;

	ret = digest_cache_htable_init(digest_cache, num, HASH_ALGO_SHA256);
	if (ret)
		return ret;

	while (next_line(&data, &data_len, &line, &line_len)) {
		/* A list may be long, and whoever needs it may be killed. */
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();

		ret = parse_line(line, line_len, digest);
		if (ret > 0)
			ret = digest_cache_htable_add(digest_cache, digest,
						      HASH_ALGO_SHA256);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static struct parser plain_parser = {
	.owner = THIS_MODULE,
	.name = "plain",
	.func = plain_parse,
};

static int __init plain_init(void)
{
	int ret = digest_cache_register_parser(&plain_parser);

	/* EEXIST would say that this very module is loaded already. */
	return ret == -EEXIST ? -EBUSY : ret;
}

static void __exit plain_exit(void)
{
	digest_cache_unregister_parser(&plain_parser);
}

module_init(plain_init);
module_exit(plain_exit);
MODULE_DESCRIPTION("Digest lists that are plain text");
MODULE_LICENSE("GPL");
