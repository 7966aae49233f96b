/* SPDX-License-Identifier: GPL-2.0-only */
/* Files, and what is done to them. All fail the test if they do not succeed. */
#ifndef _FS_H
#define _FS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lists.h"

#define XATTR_LIST	"security.digest_list"
#define XATTR_PREFETCH	"security.dig_prefetch"

/* DIRECTORY/NAME; never freed. */
char *in(const char *directory, const char *name);

/* Opens a file for writing, which is refused while a list is being read. */
int open_to_write(const char *path, int flags);

/* Writes a file anew, or over what is there. */
void write_file(const char *path, const void *data, size_t len);
void write_list(const char *path, struct buf list);

/* Makes a new file with the same name as one that is there take its place. */
void replace_list(const char *path, struct buf list);

/* Makes the list DIRECTORY/NAME with digests for words; returns its path. */
char *make_list(const char *directory, const char *name, const char *words);

/* Makes a file to be verified; with the label if it is not NULL. */
char *make_file(const char *directory, const char *name, const char *list);

void label(const char *path, const char *list);
void label_bytes(const char *path, const void *value, size_t len);
void unlabel(const char *path);

/* Turns prefetching on or off for a directory. */
void prefetch(const char *directory, int on);

/* Reads a whole file, with a NUL behind it. */
char *read_file(const char *path);

/* renameat2() */
void rename_flags(const char *from, const char *to, unsigned int flags);

/* mkdir() that succeeds also if it is there. */
void make_dir(const char *path);

#endif /* _FS_H */
