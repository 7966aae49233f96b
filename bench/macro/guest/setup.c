// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a machine with the host's root file system, read-only, to one with the
 * disk of the benchmark and a policy that is about nothing but it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define SECURITYFS "/sys/kernel/security"

static void mount_at(const char *source, const char *target, const char *type,
		     unsigned long flags)
{
	if (mount(source, target, type, flags, NULL) < 0 && errno != EBUSY)
		fatal("mount", target);
}

void set_up_file_systems(const char *disk)
{
	mount_at("proc", "/proc", "proc", 0);
	mount_at("sysfs", "/sys", "sysfs", 0);
	mount_at("securityfs", SECURITYFS, "securityfs", 0);
	/* The device nodes of the host's are not those of this machine. */
	mount_at("devtmpfs", "/dev", "devtmpfs", 0);
	/* Reading writes nothing, neither to the disk nor to inodes. */
	mount_at(disk, MOUNT_POINT, "ext4", MS_RDONLY | MS_NOATIME);
}

/*
 * Rules are written one by one, so that it is known which is refused. The
 * kernel puts the policy together when the file is closed.
 */
static void write_policy(const char *path)
{
	static const char target[] = SECURITYFS "/ima/policy";
	char *rules = read_file(path, NULL);
	FILE *file = fopen(target, "w");
	char *rule, *rest = rules;

	if (!file)
		fatal("open", target);
	setvbuf(file, NULL, _IOLBF, 4096);
	while ((rule = strsep(&rest, "\n"))) {
		if (*rule && fprintf(file, "%s\n", rule) < 0)
			fatal("write", target);
	}
	if (fclose(file))
		fatal("close", target);
	free(rules);
}

void set_up_policy(const char *payload, const char *default_path)
{
	char path[4096];

	if (default_path)
		write_text(SECURITYFS "/digest_cache/default_path",
			   default_path);

	/* There is none where nothing is to be checked. */
	snprintf(path, sizeof(path), "%s/policy", payload);
	if (access(path, F_OK) == 0)
		write_policy(path);
}
