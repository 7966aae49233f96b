// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

/* The size of files in /proc is not known before they are read. */
char *read_file(const char *path, size_t *len)
{
	size_t size = 64 * 1024, used = 0;
	char *data = malloc(size + 1);
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fatal("open", path);
	while (data && (got = read(fd, data + used, size - used)) != 0) {
		if (got < 0)
			fatal("read", path);
		used += got;
		if (used == size) {
			size *= 2;
			data = realloc(data, size + 1);
		}
	}
	close(fd);
	if (!data)
		fatal("keep", path);
	data[used] = '\0';
	if (len)
		*len = used;
	return data;
}

/* In one piece, as the files of securityfs want it. */
void write_file(const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		fatal("open", path);
	if (write(fd, data, len) != (ssize_t)len)
		fatal("write", path);
	/* IMA checks a policy when it is closed. */
	if (close(fd) < 0)
		fatal("close", path);
}

void write_text(const char *path, const char *text)
{
	write_file(path, text, strlen(text));
}
