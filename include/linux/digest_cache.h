/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Client API of the digest_cache LSM.
 *
 * A digest cache holds the reference digests of one digest list, or stands for
 * a directory of digest lists. An integrity provider gets the digest cache of
 * the file that it verifies, looks the file's digest up in it, and asks what
 * it had itself recorded about the digest list when the list was read:
 *
 *	dc = digest_cache_get(file);
 *	if (dc) {
 *		found = digest_cache_lookup(dentry, dc, digest, algo);
 *		if (!IS_ERR_OR_NULL(found)) {
 *			verdict = digest_cache_verif_get(found, "provider");
 *			...
 *			digest_cache_put(found);
 *		}
 *		digest_cache_put(dc);
 *	}
 *
 * The digest cache never grants or denies anything by itself.
 */
#ifndef _LINUX_DIGEST_CACHE_H
#define _LINUX_DIGEST_CACHE_H

#include <linux/err.h>
#include <linux/types.h>
#include <uapi/linux/hash_info.h>

struct dentry;
struct digest_cache;
struct file;

#ifdef CONFIG_SECURITY_DIGEST_CACHE

struct digest_cache *digest_cache_get(struct file *file);
void digest_cache_put(struct digest_cache *digest_cache);
struct digest_cache *digest_cache_lookup(struct dentry *dentry,
					 struct digest_cache *digest_cache,
					 const u8 *digest, enum hash_algo algo);
u64 digest_cache_id(struct digest_cache *digest_cache);
u32 digest_cache_algos(struct digest_cache *digest_cache);
bool digest_cache_opened_fd(struct file *file);
int digest_cache_verif_set(struct file *file, const char *verif_id,
			   const void *data, size_t size);
void *digest_cache_verif_get(struct digest_cache *digest_cache,
			     const char *verif_id);

#else

static inline struct digest_cache *digest_cache_get(struct file *file)
{
	return NULL;
}

static inline void digest_cache_put(struct digest_cache *digest_cache)
{
}

static inline struct digest_cache *
digest_cache_lookup(struct dentry *dentry, struct digest_cache *digest_cache,
		    const u8 *digest, enum hash_algo algo)
{
	return NULL;
}

static inline u64 digest_cache_id(struct digest_cache *digest_cache)
{
	return 0;
}

static inline u32 digest_cache_algos(struct digest_cache *digest_cache)
{
	return 0;
}

static inline bool digest_cache_opened_fd(struct file *file)
{
	return false;
}

static inline int digest_cache_verif_set(struct file *file,
					 const char *verif_id,
					 const void *data, size_t size)
{
	return -EOPNOTSUPP;
}

static inline void *digest_cache_verif_get(struct digest_cache *digest_cache,
					   const char *verif_id)
{
	return NULL;
}

#endif /* CONFIG_SECURITY_DIGEST_CACHE */
#endif /* _LINUX_DIGEST_CACHE_H */
