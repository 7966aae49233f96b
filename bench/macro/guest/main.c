// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first and only program of the macro benchmark's machine. The kernel
 * passes on what it does not know of its command line:
 *
 *   payload=DIR        "accesses", the files to read, one a line; "policy", the
 *                      IMA policy, if there is to be one
 *   disk=DEVICE        the ext4 with the files
 *   report=DEVICE      where the report goes
 *   default_path=PATH  where the digest lists are
 *   processes=N        how many read at the same time
 *   passes=N           how often the accesses are replayed
 *
 * Before there is a policy the accesses are replayed once for nothing: what is
 * used for the first time after boot must be fetched by the host first. Then
 * come the passes, all from empty caches, and at last the tampered file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"

static const char *needed(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		fatal("find", name);
	return value;
}

static int number(const char *name)
{
	int value = atoi(needed(name));

	if (value < 1)
		fatal("understand", name);
	return value;
}

static void pass(const struct accesses *accesses, int processes, int num)
{
	struct replay result;

	drop_caches();
	report_evidence("before");
	result = replay(accesses, processes);
	report("pass number=%d seconds=%.6f accesses=%zu errors=%zu errno=%d\n",
	       num, result.seconds, result.done, result.errors, result.error);
	report_evidence("after");
}

int main(void)
{
	int processes, passes, i;
	struct accesses accesses;
	struct utsname system;
	const char *payload;
	char path[4096];

	set_up_file_systems(needed("disk"));
	report_open(needed("report"));
	payload = needed("payload");
	processes = number("processes");
	passes = number("passes");
	uname(&system);
	report("machine kernel=%s cpus=%ld\n", system.release,
	       sysconf(_SC_NPROCESSORS_ONLN));

	snprintf(path, sizeof(path), "%s/accesses", payload);
	accesses = accesses_read(path);
	if (chdir(MOUNT_POINT) < 0)
		fatal("enter", MOUNT_POINT);

	pass(&accesses, processes, 0);
	set_up_policy(payload, getenv("default_path"));
	for (i = 1; i <= passes; i++)
		pass(&accesses, processes, i);
	report("tampered errno=%d\n", try_file("tampered"));
	report("end\n");
	power_off();
}
