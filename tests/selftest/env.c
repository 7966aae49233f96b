// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env.h"
#include "fs.h"
#include "kernel.h"
#include "modules.h"
#include "test.h"

/* The directory of a test, the same for who runs it and for who cleans up. */
static void find_root(const struct env *env, const struct test *test,
		      char *root, size_t size)
{
	size_t len;
	char *slash;

	snprintf(root, size, "%s/%s%s", env->root,
		 test->tmpfs ? TMPFS_DIR "/" : "", test->name);
	/* The name of a test on tmpfs has a slash. */
	slash = strrchr(root, '/');
	if (test->tmpfs)
		*slash = '-';
	/* What IMA has measured in an earlier run is not of this one. */
	len = strlen(root);
	snprintf(root + len, size - len, ".%08x", env->run);
}

void env_enter(struct env *env, const struct test *test)
{
	char root[sizeof(env->root)];

	find_root(env, test, root, sizeof(root));
	memcpy(env->root, root, sizeof(root));
	snprintf(env->lists, sizeof(env->lists), "%s/lists", root);
	snprintf(env->files, sizeof(env->files), "%s/files", root);

	MUST(mkdir(env->root, 0755));
	MUST(mkdir(env->lists, 0755));
	MUST(mkdir(env->files, 0755));
	set_default_path(env->lists);
	CHECK_EQ(module_load(env->modules, "dc_client", ""), 0,
		 "the client cannot be loaded");
}

/* Unmounts what is mounted at or below a directory. */
static void unmount_below(const char *root)
{
	char line[4096], point[1024];
	size_t len = strlen(root);
	bool again = true;
	FILE *mounts;

	/* The list changes with each, so it is read again. */
	while (again) {
		again = false;
		mounts = fopen("/proc/self/mountinfo", "r");
		if (!mounts)
			return;
		while (fgets(line, sizeof(line), mounts)) {
			if (sscanf(line, "%*s %*s %*s %*s %1023s", point) != 1)
				continue;
			if (strncmp(point, root, len) ||
			    (point[len] && point[len] != '/'))
				continue;
			if (!umount2(point, MNT_DETACH))
				again = true;
			break;
		}
		fclose(mounts);
	}
}

static int remove_one(const char *path, const struct stat *stat, int type,
		      struct FTW *ftw)
{
	(void)stat;
	(void)ftw;
	if (type == FTW_DP || type == FTW_DNR)
		rmdir(path);
	else
		unlink(path);
	return 0;
}

bool env_leave(const struct env *env, const struct test *test)
{
	static const char *const modules[] = {
		"dc_parser_c", "dc_parser_rust", "dc_client"
	};
	char root[sizeof(env->root)];
	bool clean = true;
	size_t i;

	find_root(env, test, root, sizeof(root));
	for (i = 0; i < ARRAY_SIZE(modules); i++) {
		int ret = module_unload_wait(modules[i]);

		if (ret && ret != -ENOENT) {
			diag("%s cannot be unloaded: %s", modules[i],
			     strerror(-ret));
			clean = false;
		}
	}

	set_faults(false);
	try_default_path("/nowhere/lists");
	unmount_below(root);
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	if (!access(root, F_OK)) {
		diag("%s cannot be removed", root);
		clean = false;
	}
	return clean;
}
