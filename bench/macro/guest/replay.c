// SPDX-License-Identifier: GPL-2.0-only
/*
 * The work that is measured: open, read and close one file after the other.
 *
 * With several processes each has a part of the sequence. They are made before
 * the clock starts, and start together.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* What a process tells the one that measures, in memory that they share. */
struct part {
	size_t done;
	size_t errors;
	int error;
};

struct accesses accesses_read(const char *path)
{
	struct accesses accesses = { 0 };
	char *data = read_file(path, NULL);
	size_t size = 0;
	char *line;

	while ((line = strsep(&data, "\n"))) {
		if (!*line)
			continue;
		if (accesses.num == size) {
			size = size ? 2 * size : 4096;
			accesses.paths = realloc(accesses.paths,
						 size * sizeof(char *));
			if (!accesses.paths)
				fatal("keep", path);
		}
		accesses.paths[accesses.num++] = line;
	}
	return accesses;
}

/* Returns 0, or what went wrong. The current directory is the mount point. */
int try_file(const char *path)
{
	/* Larger than all files, so that one call reads it. */
	char buffer[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error = 0;
	ssize_t got;

	if (fd < 0)
		return errno;
	got = read(fd, buffer, sizeof(buffer));
	if (got < 0)
		error = errno;
	else if (got == 0)
		error = ENODATA;
	close(fd);
	return error;
}

static void replay_part(const struct accesses *accesses, size_t begin,
			size_t end, struct part *part)
{
	size_t i;

	for (i = begin; i < end; i++) {
		int error = try_file(accesses->paths[i]);

		part->done++;
		if (error) {
			part->errors++;
			part->error = error;
		}
	}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* The children wait until the pipe is closed on the other side. */
static double replay_children(const struct accesses *accesses, int processes,
			      struct part *parts)
{
	int gate[2], i;
	double start;
	char byte;

	if (pipe(gate) < 0)
		fatal("make", "pipe");
	for (i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fatal("make", "process");
		if (pid == 0) {
			close(gate[1]);
			if (read(gate[0], &byte, 1) != 0)
				_exit(1);
			replay_part(accesses, accesses->num * i / processes,
				    accesses->num * (i + 1) / processes,
				    &parts[i]);
			_exit(0);
		}
	}
	close(gate[0]);
	/* Let all of them get to their wait. */
	usleep(100 * 1000);
	start = now();
	close(gate[1]);
	while (wait(NULL) > 0)
		;
	return now() - start;
}

struct replay replay(const struct accesses *accesses, int processes)
{
	struct replay result = { 0 };
	size_t size = processes * sizeof(struct part);
	struct part *parts = mmap(NULL, size, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i;

	if (parts == MAP_FAILED)
		fatal("map", "memory");
	if (processes == 1) {
		double start = now();

		replay_part(accesses, 0, accesses->num, parts);
		result.seconds = now() - start;
	} else {
		result.seconds = replay_children(accesses, processes, parts);
	}
	for (i = 0; i < processes; i++) {
		result.done += parts[i].done;
		result.errors += parts[i].errors;
		if (parts[i].error)
			result.error = parts[i].error;
	}
	munmap(parts, size);
	return result;
}
