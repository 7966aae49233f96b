// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report: lines of words "name=value", the first word of a line says what
 * it is about. A machine that cannot do its work says why and ends: the last
 * line of a good report is "end".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "bench.h"

static int report_fd = STDERR_FILENO;

void report_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		fatal("open", path);
	report_fd = fd;
}

void report(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vdprintf(report_fd, format, args);
	va_end(args);
}

void fatal(const char *what, const char *path)
{
	int error = errno;

	/* Spaces would end the value. */
	report("fatal what=%s path=%s errno=%d\n", what, path, error);
	fprintf(stderr, "bench_macro: cannot %s %s: %s\n", what, path,
		strerror(error));
	power_off();
}

void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	/* Not the first process of a machine. */
	_exit(1);
}
