/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of events that void digest caches: the old answer is gone, the new one
 * is right, exactly those are told whom it concerns, and all else stays cached.
 *
 * The scene is always the same: two lists in the directory, 1-tlv-l and
 * 2-tlv-u, files labelled with one and with the other, and one without a label,
 * which uses the directory.
 */
#ifndef _RESET_H
#define _RESET_H

#include <stdbool.h>
#include <stddef.h>

#include "session.h"

struct env;

/* The digests of 1-tlv-l */
#define L_WORDS		"l cut"

/**
 * struct scene - where it happens
 * @env: of the test
 * @lists: the directory of lists
 * @outside: a directory of no concern
 * @l: 1-tlv-l
 * @u: 2-tlv-u
 */
struct scene {
	const struct env *env;
	char *lists;
	char *outside;
	char *l;
	char *u;
};

/* What becomes of the digest cache of a file. */
enum after {
	/* It is the same. */
	SAME,
	/* It is another one. */
	NEW,
	/* There is none. */
	NONE,
	/* It is the same or another: both are right. */
	ANY,
};

/**
 * struct event - something that happens
 * @name: name of the test
 * @prepare: what has to be there before anything else, or NULL
 * @act: the event
 * @f: what becomes of the digest cache of files labelled with 1-tlv-l
 * @g: ... of the file labelled with 2-tlv-u
 * @d: ... of the file without a label
 * @late: whether it is noticed only by the next who asks
 * @f_has: digests that are found for f afterwards
 * @f_lacks: digests that are not
 * @g_has: digests that are found for g afterwards
 * @d_has: digests that are found for d afterwards
 * @d_lacks: digests that are not
 */
struct event {
	const char *name;
	void (*prepare)(struct scene *scene);
	void (*act)(const struct scene *scene);
	enum after f;
	enum after g;
	enum after d;
	bool late;
	const char *f_has;
	const char *f_lacks;
	const char *g_has;
	const char *d_has;
	const char *d_lacks;
};

/* The files of the scene */
enum { F, F2, G, D, NUM_FILES };

/**
 * struct scene_file - a file of the scene
 * @name: its name
 * @label: its label, or NULL
 * @path: its path
 * @ident: its inode
 * @id: number of the digest cache that it had before the event
 */
struct scene_file {
	const char *name;
	const char *label;
	char *path;
	struct ident ident;
	u64 id;
};

extern struct scene_file scene_files[NUM_FILES];

/* Makes a test of each event, for both file systems. */
void register_events(const struct event *events, size_t num);

#endif /* _RESET_H */
