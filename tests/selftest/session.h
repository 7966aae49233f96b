/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client of the API, which is the dc_client module: see its sources for
 * what can be asked of it.
 */
#ifndef _SESSION_H
#define _SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lists.h"
#include "types.h"

/* Opens a session; the test fails if that is not possible. */
int session_open(void);

/*
 * Has a command carried out, and returns the reply, which is to be freed. The
 * test fails if the client does not understand the command.
 */
__printf(2, 3) char *ask(int session, const char *format, ...);

/* As ask(), but returns NULL and sets errno if the command is refused. */
__printf(2, 3) char *try_ask(int session, const char *format, ...);

/* As ask(), for commands without a reply. */
__printf(2, 3) void tell(int session, const char *format, ...);

/* Gets the digest cache of a file to a slot; returns its number, or 0. */
u64 get_fd(int session, int slot, int fd);
u64 get(int session, int slot, const char *path);

/*
 * Looks a digest up in what a slot has. Returns the number of the digest cache
 * that has it, 0, or a negative error.
 */
s64 lookup(int session, int slot, struct digest digest);

/* As lookup(), and keeps the digest cache that has it in another slot. */
s64 lookup_to(int session, int slot, struct digest digest, int to);

/* Gets the digest cache of a file and looks the digest for words up. */
s64 find(int session, const char *path, const char *words);

/* The algorithms of what a slot has, as a mask. */
u32 algos_of(int session, int slot);

/* A slot that tests leave alone, for find() */
#define SCRATCH_SLOT	31

/**
 * struct ident - which inode it is
 */
struct ident {
	unsigned int major;
	unsigned int minor;
	u64 ino;
};

struct ident ident_of(const char *path);

/**
 * struct note - a notification
 * @inode: the inode
 * @cache: number of the digest cache that was reset
 * @got: number of the digest cache that the subscriber got
 */
struct note {
	struct ident inode;
	u64 cache;
	u64 got;
};

/* Takes what was logged; sets @num. To be freed. */
struct note *take_notes(int session, size_t *num);

/* Forgets what was logged. */
void forget_notes(int session);

/* Fails the test unless what was logged is this, in any order. */
void expect_notes(int session, const struct note *want, size_t num,
		  const char *when);

/*
 * The same for what no system call led to: some may come a little later, though
 * the digest caches are new already.
 */
void expect_notes_in_time(int session, const struct note *want, size_t num,
			  const char *when);

/* As expect_notes(), with the notes written out. */
#define EXPECT_NOTES(session, when, ...)				\
	do {								\
		struct note want_[] = { __VA_ARGS__ };			\
									\
		expect_notes(session, want_, ARRAY_SIZE(want_), when);	\
	} while (0)

/* Fails the test if anything was logged. */
void expect_no_notes(int session, const char *when);

/* Counts notifications of one inode about one digest cache. */
size_t count_notes(const struct note *notes, size_t num, struct ident inode,
		   u64 cache);

#endif /* _SESSION_H */
