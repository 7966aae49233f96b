// SPDX-License-Identifier: GPL-2.0-only
/*
 * What administrators see: caches, stats and tracepoints.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

/* Each line of stats is a name and a number, and these are there. */
TEST(stats_lines)
{
	static const char *const names[] = {
		"gets", "gets_warm", "lookups", "hits", "misses",
		"lookups_stale", "loads", "load_failures", "resets",
		"notifications", "caches", "digests", "bytes", "parsers",
	};
	char *stats = read_file(STATS), *rest = strdup(stats), *line, *end;
	size_t i;

	(void)env;
	while ((line = strsep(&rest, "\n")) && *line) {
		line += strcspn(line, " ");
		CHECK(*line == ' ' && line[1] >= '0' && line[1] <= '9',
		      "the stats are\n%s", stats);
		strtoull(line + 1, &end, 10);
		CHECK(!*end, "the stats are\n%s", stats);
	}
	stats = text("\n%s", stats);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		CHECK(strstr(stats, text("\n%s ", names[i])),
		      "%s is not in the stats", names[i]);
}

/* Counts what a statement adds to a value. */
#define ADDED(name, ...)						\
	({								\
		u64 before_ = stat_value(name);			\
									\
		__VA_ARGS__;						\
		stat_value(name) - before_;				\
	})

/* What is counted is what happens. */
TEST(stats_count)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *bad = make_file(env->files, "bad", "tlv-bad");
	char *list = make_list(env->lists, "tlv-a", "a b c");
	int session = session_open();
	u64 bytes = stat_value("bytes");

	write_file(in(env->lists, "tlv-bad"), "bad", 3);
	CHECK_EQ(ADDED("loads", get(session, 0, file)), 1, "cold");
	CHECK(stat_value("bytes") > bytes + 3 * 32, "bytes");
	CHECK_EQ(ADDED("gets", get(session, 0, file)), 1, "a get");
	CHECK_EQ(ADDED("gets_warm", get(session, 0, file)), 1, "a warm get");
	CHECK_EQ(ADDED("loads", get(session, 0, file)), 0, "warm");
	CHECK_EQ(ADDED("lookups", lookup(session, 0, digest("a"))), 1,
		 "a lookup");
	CHECK_EQ(ADDED("hits", lookup(session, 0, digest("a"))), 1, "a hit");
	CHECK_EQ(ADDED("misses", lookup(session, 0, digest("a"))), 0, "a hit");
	CHECK_EQ(ADDED("misses", lookup(session, 0, digest("x"))), 1, "a miss");
	CHECK_EQ(ADDED("hits", lookup(session, 0, digest("x"))), 0, "a miss");
	CHECK_EQ(ADDED("load_failures", get(session, 1, bad)), 1, "a bad one");
	CHECK_EQ(ADDED("load_failures", get(session, 1, bad)), 0, "again");
	CHECK_EQ(ADDED("notifications", (write_list(list, tlv_list("d")))), 1,
		 "a notification");
	CHECK_EQ(ADDED("lookups_stale", lookup(session, 0, digest("a"))), 1,
		 "a stale lookup");
}

/* Resets are counted by their reason. */
static struct {
	const struct env *env;
	char *list, *file, *plain;
} place;

static void by_truncate(void)
{
	MUST(truncate(place.list, 8 + 10 + 44));
}

static void by_write(void)
{
	int fd = MUST(open(place.list, O_WRONLY | O_APPEND));
	struct buf entry = {};

	tlv_entry(&entry, digest("more"), NULL);
	CHECK_EQ(write(fd, entry.data, entry.len), entry.len, "write");
	close(fd);
}

static void by_unlink(void)
{
	MUST(unlink(place.list));
}

static void by_rename(void)
{
	replace_list(place.list, tlv_list("new"));
}

static void by_create(void)
{
	make_dir(in(place.env->lists, "dir"));
}

static void by_link(void)
{
	MUST(link(place.file, in(place.env->lists, "README")));
}

static void by_rmdir(void)
{
	MUST(rmdir(in(place.env->lists, "dir")));
}

static void by_prefetch(void)
{
	prefetch(place.env->lists, 1);
}

static void by_default_path(void)
{
	set_default_path(place.env->lists);
}

static void by_change(void)
{
	MUST(chmod(place.list, 0600));
}

TEST(stats_count_resets)
{
	static const struct {
		const char *reason;
		void (*act)(void);
	} reasons[] = {
		{ "truncate", by_truncate }, { "write", by_write },
		{ "unlink", by_unlink }, { "rename", by_rename },
		{ "create", by_create }, { "link", by_link },
		{ "rmdir", by_rmdir }, { "prefetch", by_prefetch },
		{ "default_path", by_default_path }, { "changed", by_change },
	};
	int session = session_open();
	size_t i;

	place.env = env;
	place.file = make_file(env->files, "file", "tlv-a");
	place.plain = make_file(env->files, "plain", NULL);
	place.list = in(env->lists, "tlv-a");
	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		char *name = text("resets.%s", reasons[i].reason);
		u64 of_reason, all;

		make_list(env->lists, "tlv-a", "a cut");
		label(place.file, "tlv-a");
		CHECK(get(session, 0, place.file), "no list");
		CHECK_FOUND(find(session, place.plain, "a"), "no directory");

		of_reason = stat_value(name);
		all = stat_value("resets");
		reasons[i].act();
		get(session, 0, place.file);
		get(session, 0, place.plain);
		CHECK(stat_value(name) > of_reason, "%s is not counted", name);
		CHECK(stat_value("resets") > all, "%s: no reset", name);
	}
}

/* Each line of caches says what there is. */
TEST_FS(caches_lines)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *file2 = make_file(env->files, "file2", "tlv-a");
	char *plain = make_file(env->files, "plain", NULL);
	int session = session_open();
	struct buf list = {};
	struct cache *cache;
	u64 id, d;

	tlv_algo(&list, SHA256);
	tlv_entry(&list, digest("a"), NULL);
	tlv_entry(&list, digest("b"), NULL);
	tlv_algo(&list, SHA512);
	tlv_entry(&list, digest_for(SHA512, "c"), NULL);
	write_list(in(env->lists, "tlv-a"), list);

	id = get(session, 0, file);
	cache = cache_with_id(id);
	CHECK(cache, "the list is not there");
	CHECK(!strcmp(cache->kind, "list"), "kind %s", cache->kind);
	CHECK(!strcmp(cache->state, "ready"), "state %s", cache->state);
	CHECK_EQ(cache->error, 0, "error");
	CHECK(!strcmp(cache->algos, "sha256,sha512"), "algos %s", cache->algos);
	CHECK_EQ(cache->digests, 3, "digests");
	CHECK(cache->bytes >= 2 * 32 + 64, "bytes");
	CHECK(cache->references >= 1, "references");
	CHECK_EQ(cache->users, 1, "users");
	CHECK(!cache->stale, "it is stale");
	CHECK(!strcmp(cache->path, in(env->lists, "tlv-a")), "path %s",
	      cache->path);
	get(session, 1, file2);
	CHECK_EQ(cache_with_id(id)->users, 2, "users");

	d = get(session, 2, plain);
	cache = cache_with_id(d);
	CHECK(cache, "the directory is not there");
	CHECK(!strcmp(cache->kind, "dir"), "kind %s", cache->kind);
	CHECK(!strcmp(cache->path, env->lists), "path %s", cache->path);
	CHECK_EQ(cache->users, 1, "users");

	/* What was reset is there as long as somebody holds it. */
	MUST(unlink(in(env->lists, "tlv-a")));
	cache = cache_with_id(id);
	CHECK(cache && cache->stale, "what was reset");
	cache = cache_with_id(d);
	CHECK(cache && cache->stale, "what was reset");
	tell(session, "put 0");
	CHECK(cache_with_id(id), "it is gone although it is held");
	tell(session, "put 1");
	tell(session, "put 2");
	WAIT_FOR(!cache_with_id(id), "the list is never freed");
	WAIT_FOR(!cache_with_id(d), "the directory is never freed");
}

/* Paths cannot forge lines. */
TEST(caches_escapes)
{
	static const char name[] = "tlv- \n\t\\#1 list\\040";
	char *file = make_file(env->files, "file", name);
	int session = session_open();
	u64 id;

	make_list(env->lists, name, "a");
	id = get(session, 0, file);
	CHECK(id, "no list");
	CHECK(!strcmp(cache_with_id(id)->path, in(env->lists, name)),
	      "path %s", cache_with_id(id)->path);
}

/* A list that is being loaded says so. */
static void *get_slowly(void *file)
{
	int session = session_open();

	get(session, 0, file);
	close(session);
	return NULL;
}

TEST(caches_loading)
{
	char *file = make_file(env->files, "file", "script-a");
	char *list = in(env->lists, "script-a");
	int session = session_open();
	struct cache *cache;
	pthread_t thread;

	CHECK_EQ(atoi(ask(session, "script on script")), 0, "registering");
	write_file(list, "sleep 1000\n", 11);
	CHECK(!pthread_create(&thread, NULL, get_slowly, file), "thread");
	WAIT_FOR((cache = cache_of(list)) && !strcmp(cache->state, "loading"),
		 "it never loads");
	CHECK_EQ(cache->error, 0, "error");
	CHECK(!strcmp(cache->algos, "-"), "algos %s", cache->algos);
	CHECK_EQ(cache->digests, 0, "digests");
	pthread_join(thread, NULL);
	CHECK(!strcmp(cache_of(list)->state, "ready"), "when it is loaded");
	tell(session, "script off script");
}

/* Many lines, read in small pieces, are the same as read at once. */
TEST(caches_in_pieces)
{
	enum { LISTS = 300 };
	char *file = make_file(env->files, "file", NULL), *all, piece[17];
	int session = session_open(), fd, i;
	struct cache *caches;
	u64 digests = 0, bytes = 0;
	size_t at = 0, num;
	ssize_t len;

	for (i = 0; i < LISTS; i++)
		make_list(env->lists, text("%d-tlv-x", i), text("%d", i));
	CHECK_EQ(find(session, file, "none"), 0, "in none");
	all = read_file(CACHES);
	fd = MUST(open(CACHES, O_RDONLY));
	while ((len = MUST(read(fd, piece, sizeof(piece))))) {
		CHECK(!memcmp(all + at, piece, len), "other bytes at %zu", at);
		at += len;
	}
	CHECK_EQ(at, strlen(all), "other length");
	close(fd);

	/* The stats are the sums; a directory has the digests of its lists. */
	caches = read_caches(&num);
	CHECK(num > LISTS, "%zu caches", num);
	for (i = 0; i < (int)num; i++) {
		if (strcmp(caches[i].kind, "dir"))
			digests += caches[i].digests;
		bytes += caches[i].bytes;
	}
	CHECK_EQ(stat_value("caches"), num, "caches");
	CHECK_EQ(stat_value("digests"), digests, "digests");
	CHECK_EQ(stat_value("bytes"), bytes, "bytes");
}

/* Only root reads them, and nobody writes them. */
TEST(files_are_private)
{
	static const char *const paths[] = { CACHES, STATS };
	size_t i;

	(void)env;
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		struct stat st;
		int status, fd;
		pid_t pid;

		MUST(stat(paths[i], &st));
		CHECK_EQ(st.st_mode & 0777, 0400, "%s", paths[i]);
		/* Root is let in by modes, but there is nothing to write to. */
		fd = open(paths[i], O_WRONLY);
		CHECK(fd < 0 || write(fd, "x", 1) < 0, "%s is written to",
		      paths[i]);
		pid = MUST(fork());
		if (!pid) {
			if (setresuid(65534, 65534, 65534))
				_exit(100);
			fd = open(paths[i], O_RDONLY);
			_exit(fd < 0 ? errno : 0);
		}
		MUST(waitpid(pid, &status, 0));
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EACCES,
		      "%s is opened by nobody: %d", paths[i], status);
	}
}

/* The tracepoints say what happens, to whom. */
#define TRACEFS	"/sys/kernel/tracing"
#define EVENTS	TRACEFS "/events/digest_cache"

static void write_text(const char *path, const char *string)
{
	/* Emptying it is what clears a trace. */
	int fd = MUST(open(path, O_WRONLY | O_TRUNC));

	CHECK_EQ(write(fd, string, strlen(string)), strlen(string), "%s", path);
	close(fd);
}

TEST(tracepoints)
{
	static const char *const events[] = {
		"digest_cache_get", "digest_cache_load", "digest_cache_lookup",
		"digest_cache_reset",
	};
	char *file = make_file(env->files, "file", "tlv-a");
	char *list = make_list(env->lists, "tlv-a", "a"), *trace;
	int session = session_open();
	u64 id;
	size_t i;

	if (access(TRACEFS "/events", F_OK))
		mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	if (access(TRACEFS "/events", F_OK))
		test_skip("no tracefs");

	write_text(TRACEFS "/trace", "\n");
	for (i = 0; i < ARRAY_SIZE(events); i++)
		write_text(text(EVENTS "/%s/enable", events[i]), "1");
	id = get(session, 0, file);
	lookup(session, 0, digest("a"));
	MUST(unlink(list));
	get(session, 0, file);
	for (i = 0; i < ARRAY_SIZE(events); i++)
		write_text(text(EVENTS "/%s/enable", events[i]), "0");

	trace = read_file(TRACEFS "/trace");
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		char *line = strstr(trace, text(" %s: ", events[i]));

		CHECK(line, "%s is not in the trace", events[i]);
		line[strcspn(line, "\n")] = '\0';
		CHECK(strstr(line, text(" id=%llu ", id)),
		      "which digest cache? %s", line);
		line[strlen(line)] = '\n';
	}
	CHECK(strstr(trace, "tlv-a"), "the name of the list is not in it");
}
