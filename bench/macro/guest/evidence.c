// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel counted, so that a result is believed only if the work that
 * it stands for was done. Nothing is judged here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static const char stats_path[] = "/sys/kernel/security/digest_cache/stats";
static const char measurements_path[] =
	"/sys/kernel/security/ima/runtime_measurements_count";

/* Pages, dentries and inodes, with all that hangs on those. */
void drop_caches(void)
{
	sync();
	write_text("/proc/sys/vm/drop_caches", "3");
	/* Inodes are freed after a grace period. */
	usleep(200 * 1000);
}

static unsigned long meminfo(const char *name)
{
	char *text = read_file("/proc/meminfo", NULL);
	char *line, *rest = text;
	unsigned long value = 0;
	size_t len = strlen(name);

	while ((line = strsep(&rest, "\n"))) {
		if (!strncmp(line, name, len) && line[len] == ':')
			value = strtoul(line + len + 1, NULL, 10);
	}
	free(text);
	return value;
}

/* The lines of stats are "name value". */
static void report_stats(void)
{
	char *text, *line, *rest;

	if (access(stats_path, F_OK) < 0)
		return;
	text = rest = read_file(stats_path, NULL);
	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, ' ');

		if (value) {
			*value = '\0';
			report(" %s=%s", line, value + 1);
		}
	}
	free(text);
}

void report_evidence(const char *moment)
{
	char *measurements = read_file(measurements_path, NULL);

	report("%s slab_kb=%lu measurements=%lu", moment, meminfo("Slab"),
	       strtoul(measurements, NULL, 10));
	free(measurements);
	report_stats();
	report("\n");
}
