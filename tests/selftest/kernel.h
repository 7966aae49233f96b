/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of the digest cache and of IMA, as user space sees it.
 */
#ifndef _KERNEL_H
#define _KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

#define SECURITYFS	"/sys/kernel/security"
#define DEFAULT_PATH	SECURITYFS "/digest_cache/default_path"
#define CACHES		SECURITYFS "/digest_cache/caches"
#define STATS		SECURITYFS "/digest_cache/stats"

/* The PCR that digest lists are measured into */
#define LIST_PCR	12

/* Sets the default path; the test fails if that is refused. */
void set_default_path(const char *path);

/* Writes these bytes to the file. Returns 0 or a negative error. */
int try_default_path_bytes(const void *bytes, size_t len);
int try_default_path(const char *path);

/* The default path, without the newline. */
char *get_default_path(void);

/* A value of the stats, 0 if it is absent. */
u64 stat_value(const char *name);

/**
 * struct cache - a line of the caches
 * @path: without escapes
 */
struct cache {
	u64 id;
	char kind[8];
	char state[16];
	int error;
	char algos[256];
	u64 digests;
	u64 bytes;
	u64 references;
	u64 users;
	bool stale;
	char path[4096];
};

/* All lines; sets @num. */
struct cache *read_caches(size_t *num);

/* The cache with a number, or NULL. */
struct cache *cache_with_id(u64 id);

/* The cache in use, that is, not stale, made from a path, or NULL. */
struct cache *cache_of(const char *path);

/* Takes everything that is not in use out of the caches of the VFS. */
void drop_caches(void);

/* Owners of files that IMA measures and appraises, as the policy has them */
#define OWNER_MEASURED	"4711"
#define OWNER_APPRAISED	"4712"

/*
 * Has IMA measure digest lists, and files by their owner, if it does not yet.
 * Returns 0 or a negative error.
 */
int ima_set_policy(void);

/* The names of files below a directory as IMA measured them, in order. */
char **ima_measured(const char *directory, size_t *num);

/*
 * Lets the kernel's fault injection reach allocations that may wait, and single
 * pages, or not, as it is by default. Returns false if the kernel has none.
 */
bool set_faults(bool all);

#endif /* _KERNEL_H */
