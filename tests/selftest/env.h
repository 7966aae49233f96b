/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each test finds when it begins, and what is left when it ends.
 */
#ifndef _ENV_H
#define _ENV_H

#include <stdbool.h>

struct env;
struct test;

/* Makes the directories of a test and loads the client. Fails the test. */
void env_enter(struct env *env, const struct test *test);

/*
 * Undoes what a test did, also one that failed. Returns whether that could be
 * done: a module that cannot be unloaded any more tells of a lost reference.
 */
bool env_leave(const struct env *env, const struct test *test);

/* Where tests on tmpfs are, below the directory that was given. */
#define TMPFS_DIR	".tmpfs"

#endif /* _ENV_H */
