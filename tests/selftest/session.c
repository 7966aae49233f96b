// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kernel.h"
#include "session.h"
#include "test.h"

/* What the client gives at most */
#define MAX_REPLY	(32 * 1024)

int session_open(void)
{
	return MUST(open(SECURITYFS "/digest_cache_test/session",
			 O_RDWR | O_CLOEXEC));
}

static char *ask_args(int session, const char *format, va_list args)
{
	char *command, *reply;
	ssize_t len;

	if (vasprintf(&command, format, args) < 0)
		abort();
	len = write(session, command, strlen(command));
	free(command);
	if (len < 0)
		return NULL;

	reply = malloc(MAX_REPLY + 1);
	if (!reply)
		abort();
	len = MUST(pread(session, reply, MAX_REPLY, 0));
	reply[len] = '\0';
	return reply;
}

char *ask(int session, const char *format, ...)
{
	va_list args;
	char *reply;

	va_start(args, format);
	reply = ask_args(session, format, args);
	va_end(args);
	CHECK(reply, "the client refuses \"%s\": %s", format, strerror(errno));
	return reply;
}

char *try_ask(int session, const char *format, ...)
{
	va_list args;
	char *reply;

	va_start(args, format);
	reply = ask_args(session, format, args);
	va_end(args);
	return reply;
}

void tell(int session, const char *format, ...)
{
	va_list args;
	char *reply;

	va_start(args, format);
	reply = ask_args(session, format, args);
	va_end(args);
	CHECK(reply, "the client refuses \"%s\": %s", format, strerror(errno));
	CHECK(!*reply, "the client says \"%s\" to \"%s\"", reply, format);
	free(reply);
}

/* A reply that is one number. */
static s64 number(char *reply)
{
	char *end;
	s64 result = strtoll(reply, &end, 10);

	CHECK(end != reply && !strcmp(end, "\n"), "the client says \"%s\"",
	      reply);
	free(reply);
	return result;
}

u64 get_fd(int session, int slot, int fd)
{
	return number(ask(session, "get %d %d", slot, fd));
}

u64 get(int session, int slot, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	u64 id;

	CHECK(fd >= 0, "%s: %s", path, strerror(errno));
	id = get_fd(session, slot, fd);
	close(fd);
	return id;
}

s64 lookup(int session, int slot, struct digest digest)
{
	char *digits = hex(digest);
	s64 found;

	found = number(ask(session, "lookup %d - %u %s", slot, digest.algo,
			   digits));
	free(digits);
	return found;
}

s64 lookup_to(int session, int slot, struct digest digest, int to)
{
	return number(ask(session, "lookup %d - %u %s %d", slot, digest.algo,
			  hex(digest), to));
}

s64 find(int session, const char *path, const char *words)
{
	if (!get(session, SCRATCH_SLOT, path))
		return 0;
	return lookup(session, SCRATCH_SLOT, digest(words));
}

u32 algos_of(int session, int slot)
{
	return number(ask(session, "algos %d", slot));
}

struct ident ident_of(const char *path)
{
	struct stat st;

	CHECK(!lstat(path, &st), "%s: %s", path, strerror(errno));
	return (struct ident) {
		.major = major(st.st_dev),
		.minor = minor(st.st_dev),
		.ino = st.st_ino,
	};
}

static void parse_notes(char *reply, struct note **notes, size_t *num)
{
	struct note *note;
	char *line;

	while ((line = strsep(&reply, "\n")) && *line) {
		CHECK(strncmp(line, "lost", 4), "notifications were lost");
		*notes = realloc(*notes, (*num + 1) * sizeof(**notes));
		if (!*notes)
			abort();
		note = *notes + (*num)++;
		note->got = 0;
		CHECK(sscanf(line, "%u:%u:%llu %llu %llu",
			     &note->inode.major, &note->inode.minor,
			     &note->inode.ino, &note->cache, &note->got) >= 4,
		      "the client says \"%s\"", line);
	}
}

/* Adds what there is to the notifications; returns how many there are. */
static size_t more_notes(int session, struct note **notes, size_t *num)
{
	char *reply;
	bool empty;

	do {
		reply = ask(session, "log");
		empty = !*reply;
		parse_notes(reply, notes, num);
		free(reply);
	} while (!empty);
	return *num;
}

struct note *take_notes(int session, size_t *num)
{
	struct note *notes = NULL;

	*num = 0;
	more_notes(session, &notes, num);
	return notes;
}

void forget_notes(int session)
{
	size_t num;

	free(take_notes(session, &num));
}

size_t count_notes(const struct note *notes, size_t num, struct ident inode,
		   u64 cache)
{
	size_t i, count = 0;

	for (i = 0; i < num; i++)
		count += notes[i].inode.major == inode.major &&
			 notes[i].inode.minor == inode.minor &&
			 notes[i].inode.ino == inode.ino &&
			 notes[i].cache == cache;
	return count;
}

static void print_notes(const char *title, const struct note *notes, size_t num)
{
	size_t i;

	diag("%s:%s", title, num ? "" : " none");
	for (i = 0; i < num; i++)
		diag("  inode %u:%u:%llu cache %llu",
		     notes[i].inode.major, notes[i].inode.minor,
		     notes[i].inode.ino, notes[i].cache);
}

static void compare_notes(struct note *have, size_t num_have,
			  const struct note *want, size_t num, const char *when)
{
	bool same = num_have == num;
	size_t i;

	for (i = 0; i < num && same; i++)
		same = count_notes(have, num_have, want[i].inode,
				   want[i].cache) ==
		       count_notes(want, num, want[i].inode, want[i].cache);
	if (!same) {
		print_notes("notifications", have, num_have);
		print_notes("expected", want, num);
		FAIL("wrong notifications %s", when);
	}
	free(have);
}

void expect_notes(int session, const struct note *want, size_t num,
		  const char *when)
{
	size_t num_have;
	struct note *have = take_notes(session, &num_have);

	compare_notes(have, num_have, want, num, when);
}

void expect_notes_in_time(int session, const struct note *want, size_t num,
			  const char *when)
{
	double end = now() + WAIT_SECONDS;
	struct note *have = NULL;
	size_t num_have = 0;

	while (more_notes(session, &have, &num_have) < num && now() < end)
		sleep_ms(5);
	compare_notes(have, num_have, want, num, when);
}

void expect_no_notes(int session, const char *when)
{
	expect_notes(session, NULL, 0, when);
}
