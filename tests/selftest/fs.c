// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs.h"
#include "test.h"

char *in(const char *directory, const char *name)
{
	return text("%s/%s", directory, name);
}

static void write_all(int fd, const void *data, size_t len)
{
	const char *rest = data;

	while (len) {
		ssize_t written = MUST(write(fd, rest, len));

		rest += written;
		len -= written;
	}
}

int open_to_write(const char *path, int flags)
{
	double end = now() + WAIT_SECONDS;
	int fd;

	while ((fd = open(path, flags | O_CLOEXEC, 0755)) < 0 &&
	       errno == ETXTBSY && now() < end)
		sleep_ms(1);
	CHECK(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

void write_file(const char *path, const void *data, size_t len)
{
	int fd = open_to_write(path, O_WRONLY | O_CREAT | O_TRUNC);

	write_all(fd, data, len);
	close(fd);
}

void write_list(const char *path, struct buf list)
{
	write_file(path, list.data, list.len);
}

void replace_list(const char *path, struct buf list)
{
	/* Not a name of a list, until it is renamed. */
	char *new = text("%s.new", path);
	char *slash = strrchr(new, '/');

	slash[1] = '.';
	write_list(new, list);
	MUST(rename(new, path));
}

char *make_list(const char *directory, const char *name, const char *words)
{
	char *path = in(directory, name);

	write_list(path, tlv_list(words));
	return path;
}

char *make_file(const char *directory, const char *name, const char *list)
{
	char *path = in(directory, name);

	write_file(path, name, strlen(name));
	if (list)
		label(path, list);
	return path;
}

void label(const char *path, const char *list)
{
	label_bytes(path, list, strlen(list));
}

void label_bytes(const char *path, const void *value, size_t len)
{
	CHECK(!lsetxattr(path, XATTR_LIST, value, len, 0), "%s: %s", path,
	      strerror(errno));
}

void unlabel(const char *path)
{
	MUST(lremovexattr(path, XATTR_LIST));
}

void prefetch(const char *directory, int on)
{
	if (on)
		MUST(setxattr(directory, XATTR_PREFETCH, "1", 1, 0));
	else
		MUST(removexattr(directory, XATTR_PREFETCH));
}

char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0, room = 4096;
	char *data = malloc(room);
	ssize_t count;

	CHECK(fd >= 0, "%s: %s", path, strerror(errno));
	if (!data)
		abort();
	while ((count = MUST(read(fd, data + len, room - len - 1)))) {
		len += count;
		if (room - len < 2048) {
			room *= 2;
			data = realloc(data, room);
			if (!data)
				abort();
		}
	}
	data[len] = '\0';
	close(fd);
	return data;
}

void rename_flags(const char *from, const char *to, unsigned int flags)
{
	MUST(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
}

void make_dir(const char *path)
{
	CHECK(!mkdir(path, 0755) || errno == EEXIST, "%s: %s", path,
	      strerror(errno));
}
