/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the macro benchmark's guest give each other.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>

/* Where the disk with the files is mounted; default_path is below it. */
#define MOUNT_POINT "/mnt"

/* report.c: where results go, and what ends the machine. */
void report_open(const char *path);
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
void fatal(const char *what, const char *path)
	__attribute__((noreturn));
void power_off(void) __attribute__((noreturn));

/* files.c: small files of /proc and /sys. */
char *read_file(const char *path, size_t *len);
void write_file(const char *path, const char *data, size_t len);
void write_text(const char *path, const char *text);

/* setup.c: from an empty machine to one with the disk and a policy. */
void set_up_file_systems(const char *disk);
void set_up_policy(const char *payload, const char *default_path);

/* The files to be read, in order, relative to MOUNT_POINT. */
struct accesses {
	char **paths;
	size_t num;
};

/* What became of them. */
struct replay {
	double seconds;
	size_t done;
	size_t errors;
	/* The errno of an error, 0 if there was none */
	int error;
};

/* replay.c */
struct accesses accesses_read(const char *path);
struct replay replay(const struct accesses *accesses, int processes);
int try_file(const char *path);

/* evidence.c: what the kernel says it did. */
void drop_caches(void);
void report_evidence(const char *moment);

#endif
