// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "test.h"

#define FAILSLAB	"/sys/kernel/debug/failslab"
#define FAIL_PAGE_ALLOC	"/sys/kernel/debug/fail_page_alloc"
#define IMA_POLICY	SECURITYFS "/ima/policy"
#define IMA_LIST	SECURITYFS "/ima/ascii_runtime_measurements"

/* Writes to a file that takes it all at once. Returns 0 or a negative error. */
static int write_once(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;
	int ret = 0;

	if (fd < 0)
		return -errno;
	written = write(fd, bytes, len);
	if (written < 0)
		ret = -errno;
	else if ((size_t)written != len)
		ret = -EIO;
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

int try_default_path_bytes(const void *bytes, size_t len)
{
	return write_once(DEFAULT_PATH, bytes, len);
}

int try_default_path(const char *path)
{
	return try_default_path_bytes(path, strlen(path));
}

void set_default_path(const char *path)
{
	int ret = try_default_path(path);

	CHECK(!ret, "default path %s: %s", path, strerror(-ret));
}

char *get_default_path(void)
{
	char *path = read_file(DEFAULT_PATH);

	path[strcspn(path, "\n")] = '\0';
	return path;
}

u64 stat_value(const char *name)
{
	char *all = read_file(STATS), *rest = all, *line;
	u64 value = 0;
	size_t len = strlen(name);

	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, name, len) && line[len] == ' ')
			value = strtoull(line + len + 1, NULL, 10);
	free(all);
	return value;
}

/* Replaces octal escapes, as in /proc/mounts. */
static void unescape(char *string)
{
	char *to = string;

	while (*string) {
		if (string[0] == '\\' && string[1] >= '0' && string[1] <= '3' &&
		    string[2] && string[3]) {
			*to++ = (string[1] - '0') << 6 |
				(string[2] - '0') << 3 | (string[3] - '0');
			string += 4;
		} else {
			*to++ = *string++;
		}
	}
	*to = '\0';
}

static void parse_cache(const char *line, struct cache *cache)
{
	int stale, fields;

	fields = sscanf(line, "%llu %7s %15s %d %255s %llu %llu %llu %llu %d %4095[^\n]",
			&cache->id, cache->kind, cache->state, &cache->error,
			cache->algos, &cache->digests, &cache->bytes,
			&cache->references, &cache->users, &stale, cache->path);
	CHECK_EQ(fields, 11, "caches has the line: %s", line);
	cache->stale = stale;
	unescape(cache->path);
}

struct cache *read_caches(size_t *num)
{
	static const char header[] =
		"# id kind state errno algos digests bytes references users stale path";
	char *all = read_file(CACHES), *rest = all, *line;
	struct cache *caches = NULL;

	*num = 0;
	line = strsep(&rest, "\n");
	CHECK(!strcmp(line, header), "caches begins with: %s", line);
	while ((line = strsep(&rest, "\n")) && *line) {
		caches = realloc(caches, (*num + 1) * sizeof(*caches));
		if (!caches)
			abort();
		parse_cache(line, &caches[(*num)++]);
	}
	free(all);
	return caches;
}

struct cache *cache_with_id(u64 id)
{
	size_t num, i;
	struct cache *caches = read_caches(&num);

	for (i = 0; i < num; i++)
		if (caches[i].id == id)
			return &caches[i];
	return NULL;
}

struct cache *cache_of(const char *path)
{
	size_t num, i;
	struct cache *caches = read_caches(&num);

	for (i = 0; i < num; i++)
		if (!caches[i].stale && !strcmp(caches[i].path, path))
			return &caches[i];
	return NULL;
}

void drop_caches(void)
{
	sync();
	CHECK_EQ(write_once("/proc/sys/vm/drop_caches", "3", 1), 0,
		 "caches cannot be dropped");
}

/*
 * What tests ask of IMA. Files are told by their owner, so that nothing else
 * is concerned; the owner of files to be appraised owns their lists as well.
 */
static const char ima_rules[] =
	"measure func=DIGEST_LIST_CHECK pcr=12\n"
	"measure func=FILE_CHECK mask=MAY_READ fowner=" OWNER_MEASURED
		" digest_cache=data pcr=12\n"
	"appraise func=DIGEST_LIST_CHECK fowner=" OWNER_APPRAISED "\n"
	"appraise func=FILE_CHECK mask=MAY_READ fowner=" OWNER_APPRAISED
		" digest_cache=data\n";

int ima_set_policy(void)
{
	const char *rest = ima_rules;
	ssize_t written;
	int fd, ret = 0;
	char *policy;
	bool present;

	if (access(IMA_POLICY, R_OK))
		return -errno;
	policy = read_file(IMA_POLICY);
	present = strstr(policy, "fowner=" OWNER_APPRAISED);
	free(policy);
	if (present)
		return 0;

	fd = open(IMA_POLICY, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* IMA takes a line at a time. */
	while (*rest && !ret) {
		written = write(fd, rest, strlen(rest));
		if (written > 0)
			rest += written;
		else
			ret = written ? -errno : -EIO;
	}
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

char **ima_measured(const char *directory, size_t *num)
{
	char *all = read_file(IMA_LIST), *rest = all, *line, *path;
	size_t len = strlen(directory);
	char **names = NULL;

	*num = 0;
	while ((line = strsep(&rest, "\n"))) {
		/* PCR, template digest, "ima-ng", file digest, path */
		if (strtol(line, NULL, 10) != LIST_PCR)
			continue;
		path = strchr(line, '/');
		if (!path || strncmp(path, directory, len) || path[len] != '/')
			continue;
		names = realloc(names, (*num + 1) * sizeof(*names));
		if (!names)
			abort();
		names[(*num)++] = text("%s", path + len + 1);
	}
	free(all);
	return names;
}

bool set_faults(bool all)
{
	const char *ignore = all ? "N" : "Y";

	return !write_once(FAILSLAB "/ignore-gfp-wait", ignore, 1) &&
	       !write_once(FAIL_PAGE_ALLOC "/ignore-gfp-wait", ignore, 1) &&
	       !write_once(FAIL_PAGE_ALLOC "/ignore-gfp-highmem", ignore, 1) &&
	       !write_once(FAIL_PAGE_ALLOC "/min-order", all ? "0" : "1", 1);
}
