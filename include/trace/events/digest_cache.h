/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM digest_cache

#if !defined(_TRACE_DIGEST_CACHE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_DIGEST_CACHE_H

#include <linux/fs.h>
#include <linux/tracepoint.h>

/*
 * The digest cache of a file was asked for.
 * id: number of the digest cache, 0 if there is none
 * warm: the inode had it at hand
 */
TRACE_EVENT(digest_cache_get,
	TP_PROTO(const struct inode *inode, u64 id, bool warm),

	TP_ARGS(inode, id, warm),

	TP_STRUCT__entry(
		__field(dev_t,	dev)
		__field(u64,	ino)
		__field(u64,	id)
		__field(bool,	warm)
	),

	TP_fast_assign(
		__entry->dev = inode->i_sb->s_dev;
		__entry->ino = inode->i_ino;
		__entry->id = id;
		__entry->warm = warm;
	),

	TP_printk("dev=%u:%u ino=%llu id=%llu warm=%d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->id, __entry->warm)
);

/*
 * A digest list or a directory of them was loaded, or could not be.
 * error: 0, or a negative error number
 * digests, bytes: of its tables
 */
TRACE_EVENT(digest_cache_load,
	TP_PROTO(u64 id, const char *name, int error, u64 digests, u64 bytes),

	TP_ARGS(id, name, error, digests, bytes),

	TP_STRUCT__entry(
		__field(u64,	id)
		__string(name,	name)
		__field(int,	error)
		__field(u64,	digests)
		__field(u64,	bytes)
	),

	TP_fast_assign(
		__entry->id = id;
		__assign_str(name);
		__entry->error = error;
		__entry->digests = digests;
		__entry->bytes = bytes;
	),

	TP_printk("id=%llu name=%s error=%d digests=%llu bytes=%llu",
		  __entry->id, __get_str(name), __entry->error,
		  __entry->digests, __entry->bytes)
);

/*
 * A digest was looked up.
 * id: number of the digest cache that was asked
 * found: number of the digest cache of the digest list that has the digest,
 *	  0 if none has
 * algo: enum hash_algo
 * error: 0, or -EAGAIN if the digest cache had been reset
 */
TRACE_EVENT(digest_cache_lookup,
	TP_PROTO(u64 id, u64 found, u8 algo, int error),

	TP_ARGS(id, found, algo, error),

	TP_STRUCT__entry(
		__field(u64,	id)
		__field(u64,	found)
		__field(u8,	algo)
		__field(int,	error)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->found = found;
		__entry->algo = algo;
		__entry->error = error;
	),

	TP_printk("id=%llu found=%llu algo=%u error=%d",
		  __entry->id, __entry->found, __entry->algo, __entry->error)
);

/*
 * A digest cache was reset.
 * reason: as in securityfs digest_cache/stats
 * users: inodes that subscribers are notified of
 */
TRACE_EVENT(digest_cache_reset,
	TP_PROTO(u64 id, const char *name, const char *reason, u32 users),

	TP_ARGS(id, name, reason, users),

	TP_STRUCT__entry(
		__field(u64,	id)
		__string(name,	name)
		__string(reason,	reason)
		__field(u32,	users)
	),

	TP_fast_assign(
		__entry->id = id;
		__assign_str(name);
		__assign_str(reason);
		__entry->users = users;
	),

	TP_printk("id=%llu name=%s reason=%s users=%u",
		  __entry->id, __get_str(name), __get_str(reason),
		  __entry->users)
);

#endif /* _TRACE_DIGEST_CACHE_H */

/* This part must be outside protection. */
#include <trace/define_trace.h>
