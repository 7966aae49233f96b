// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once: lists are changed in all ways, evicted, loaded and looked
 * up, files change their lists, the default path and the parsers come and go,
 * and subscribers are told. However it goes, no answer may be wrong.
 *
 * Each list has one digest, which tells the directory, the list and the
 * generation of its content. What is in place is counted: before a change
 * begins, "pending" goes up, and when it is complete, "done" follows. An answer
 * given between a look at "done" and one at "pending" that comes after it can
 * be about the generations in between, and about no other.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "modules.h"
#include "session.h"
#include "test.h"

#define DIRS		2
#define LISTS		4
#define READERS		4

/* Files of a reader: one for each list, one that changes its list, one without */
#define FLIP		LISTS
#define PLAIN		(LISTS + 1)
#define FILES		(LISTS + 2)

struct counter {
	atomic_uint pending;
	atomic_uint done;
};

/* What is in place of each list, and which directory is the default path. */
static struct counter generations[DIRS][LISTS];
static struct counter paths;

/* Odd while the directory may be missing altogether, or lists be unreadable. */
static struct counter absences;

static const struct env *env_of_all;
static atomic_bool stop;

/**
 * struct span - what was in place during an answer
 * @first: the earliest
 * @last: the latest
 */
struct span {
	unsigned int first;
	unsigned int last;
};

static void begin_change(struct counter *counter)
{
	atomic_fetch_add(&counter->pending, 1);
}

static void end_change(struct counter *counter)
{
	atomic_fetch_add(&counter->done, 1);
}

static char *dir_path(unsigned int dir)
{
	return text("%s/lists-%u", env_of_all->root, dir);
}

static char *list_name(unsigned int list)
{
	return text("%u-tlv-x", list);
}

/* Open, to get at what is in them while they are moved */
static int dir_fds[DIRS];

static char *list_path(unsigned int dir, unsigned int list)
{
	return text("/proc/self/fd/%d/%u-tlv-x", dir_fds[dir], list);
}

static struct digest list_digest(unsigned int dir, unsigned int list,
				 unsigned int generation)
{
	char words[64];

	snprintf(words, sizeof(words), "%u-%u-%u", dir, list, generation);
	return digest(words);
}

static struct buf list_content(unsigned int dir, unsigned int list,
			       unsigned int generation)
{
	struct buf content = {};

	tlv_algo(&content, SHA256);
	tlv_num_entries(&content, 1);
	tlv_entry(&content, list_digest(dir, list, generation), "/x");
	return content;
}

/* The ways to change a list. All write the same number of bytes. */

static void overwrite(const char *path, struct buf content)
{
	int fd = open_to_write(path, O_WRONLY);

	CHECK_EQ(pwrite(fd, content.data, content.len, 0), content.len,
		 "pwrite");
	close(fd);
}

static void write_mapping(const char *path, struct buf content)
{
	int fd = open_to_write(path, O_RDWR);
	void *map = mmap(NULL, content.len, PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);

	CHECK(map != MAP_FAILED, "mmap: %s", strerror(errno));
	close(fd);
	memcpy(map, content.data, content.len);
	MUST(munmap(map, content.len));
}

static void create_anew(const char *path, struct buf content)
{
	MUST(unlink(path));
	write_list(path, content);
}

static void exchange(const char *path, struct buf content)
{
	char *other = text("%s.other", path);

	*(strrchr(other, '/') + 1) = '.';
	write_list(other, content);
	rename_flags(other, path, RENAME_EXCHANGE);
	MUST(unlink(other));
	free(other);
}

static void by_link(const char *path, struct buf content)
{
	char *other = text("%s.other", path);

	*(strrchr(other, '/') + 1) = '.';
	MUST(link(path, other));
	overwrite(other, content);
	MUST(unlink(other));
	free(other);
}

static void (*const ways[])(const char *path, struct buf content) = {
	replace_list, write_list, overwrite, write_mapping, create_anew,
	exchange, by_link,
};

/* Changes the lists of a directory. */
static void *change_lists(void *number)
{
	unsigned int dir = (uintptr_t)number, seed = dir + 1;

	while (!stop) {
		unsigned int list = rand_r(&seed) % LISTS;
		struct counter *generation = &generations[dir][list];
		char *path = list_path(dir, list);
		struct buf content = list_content(dir, list,
						  generation->done + 1);

		begin_change(generation);
		ways[rand_r(&seed) % ARRAY_SIZE(ways)](path, content);
		end_change(generation);
		free(content.data);
		free(path);
		sleep_ms(rand_r(&seed) % 8);
	}
	return NULL;
}

/* Changes the default path, and the directories themselves. */
static void *change_path(void *unused)
{
	unsigned int seed = 77;

	(void)unused;
	while (!stop) {
		unsigned int dir = paths.done % DIRS;
		char *path = dir_path(dir), *away = text("%s-away", path);

		switch (rand_r(&seed) % 6) {
		case 0:
			begin_change(&paths);
			free(path);
			path = dir_path((dir + 1) % DIRS);
			set_default_path(path);
			end_change(&paths);
			break;
		case 1:
			set_default_path(path);
			break;
		case 2:
			begin_change(&absences);
			MUST(rename(path, away));
			sleep_ms(rand_r(&seed) % 3);
			MUST(rename(away, path));
			end_change(&absences);
			break;
		case 3:
			prefetch(path, 1);
			break;
		case 4:
			removexattr(path, XATTR_PREFETCH);
			break;
		default:
			/* Something of no concern in the directory */
			free(away);
			away = text("%s/README", path);
			write_file(away, "x", 1);
			MUST(unlink(away));
		}
		free(path);
		free(away);
		sleep_ms(rand_r(&seed) % 40);
	}
	return NULL;
}

static void *evict(void *unused)
{
	unsigned int seed = 78;

	(void)unused;
	while (!stop) {
		drop_caches();
		sleep_ms(20 + rand_r(&seed) % 100);
	}
	return NULL;
}

/* A format that comes and goes, and a list of it in both directories. */
static void *change_parsers(void *unused)
{
	static const char *const modules[] = { "dc_parser_c", "dc_parser_rust" };
	unsigned int seed = 79, i;

	(void)unused;
	while (!stop) {
		for (i = 0; i < ARRAY_SIZE(modules); i++)
			CHECK_EQ(module_load(env_of_all->modules, modules[i],
					     ""), 0, "%s", modules[i]);
		sleep_ms(rand_r(&seed) % 50);
		for (i = 0; i < ARRAY_SIZE(modules); i++)
			CHECK_EQ(module_unload_wait(modules[i]), 0, "%s",
				 modules[i]);
		sleep_ms(rand_r(&seed) % 20);
	}
	return NULL;
}

/**
 * struct told - an inode and a digest cache, about which it was or must be told
 */
struct told {
	u64 ino;
	u64 cache;
};

struct told_list {
	struct told *items;
	size_t num;
	size_t room;
};

static void told_add(struct told_list *list, u64 ino, u64 cache)
{
	if (list->num == list->room) {
		list->room = 2 * list->room + 1024;
		list->items = realloc(list->items,
				      list->room * sizeof(*list->items));
		if (!list->items)
			abort();
	}
	list->items[list->num++] = (struct told) { ino, cache };
}

static int told_compare(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	if (x->cache != y->cache)
		return x->cache < y->cache ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return 0;
}

/**
 * struct reader - who gets and looks up
 * @number: which one
 * @session: its session
 * @fds: its open files
 * @inos: their inodes
 * @last: the digest cache that each had, if it gave an answer
 * @label: which list the file has that changes it
 * @expected: of which it must be told
 * @told: of which it was
 * @found: answers that a digest was found
 * @not_found: answers that it was not
 * @stale: answers that the digest cache was reset
 * @missing: when no digest cache was to be had
 */
struct reader {
	unsigned int number;
	int session;
	int fds[FILES];
	u64 inos[FILES];
	u64 last[FILES];
	struct counter label;
	struct told_list expected;
	struct told_list told;
	unsigned long found;
	unsigned long not_found;
	unsigned long stale;
	unsigned long missing;
};

static struct reader readers[READERS];

static char *reader_file(const struct reader *reader, int file)
{
	return text("%s/%u-%d", env_of_all->files, reader->number, file);
}

static void take_told(struct reader *reader)
{
	size_t num, i, file;
	struct note *notes = take_notes(reader->session, &num);

	for (i = 0; i < num; i++)
		for (file = 0; file < FILES; file++)
			if (notes[i].inode.ino == reader->inos[file])
				told_add(&reader->told, notes[i].inode.ino,
					 notes[i].cache);
	free(notes);
}

/* Whether a number can be in place, if those of a span can, modulo the rest. */
static bool can_be(const struct span *span, unsigned int value,
		   unsigned int modulus)
{
	return span->last - span->first >= modulus ||
	       (value + modulus - span->first % modulus) % modulus <=
	       span->last - span->first;
}

/*
 * Looks one digest up in what a slot has, and judges the answer. Returns whether
 * there was one.
 */
static bool judge(struct reader *reader, int slot, int file,
		  const struct span *label, unsigned int dir,
		  unsigned int list, unsigned int generation)
{
	struct counter *counter = &generations[dir][list];
	struct span path, place, absence;
	s64 result;
	bool certain;

	path.first = paths.done;
	place.first = counter->done;
	absence.first = absences.done;
	result = lookup(reader->session, slot,
			list_digest(dir, list, generation));
	absence.last = absences.pending;
	place.last = counter->pending;
	path.last = paths.pending;

	if (result == -EAGAIN) {
		reader->stale++;
		return false;
	}
	CHECK(result >= 0, "a look-up fails: %lld", result);

	if (result) {
		reader->found++;
		CHECK(can_be(&path, dir, DIRS),
		      "found in directory %u, which is not in place", dir);
		CHECK(generation >= place.first && generation <= place.last,
		      "found generation %u, in place were %u to %u", generation,
		      place.first, place.last);
		CHECK(file == PLAIN || file == (int)list ||
		      (file == FLIP && can_be(label, list, LISTS)),
		      "file %d found in list %u", file, list);
		return true;
	}

	reader->not_found++;
	/* Nothing changed, so it is certain what should have been found. */
	certain = path.first == path.last && place.first == place.last &&
		  absence.first == absence.last;
	if (file == FLIP)
		certain = certain && label->first == label->last &&
			  list == label->first % LISTS;
	else
		certain = certain && (file == PLAIN || file == (int)list);
	CHECK(!certain || dir != path.first % DIRS ||
	      generation != place.first,
	      "generation %u of list %u is in place, but not found for file %d",
	      generation, list, file);
	return true;
}

static void one_file(struct reader *reader, int file, unsigned int *seed)
{
	struct span label;
	bool answered = false;
	u64 id;
	int i;

	label.first = reader->label.done;
	id = get_fd(reader->session, file, reader->fds[file]);
	label.last = reader->label.pending;
	if (!id) {
		reader->missing++;
		return;
	}
	if (reader->last[file] && reader->last[file] != id)
		told_add(&reader->expected, reader->inos[file],
			 reader->last[file]);

	for (i = 0; i < 4; i++) {
		unsigned int dir = rand_r(seed) % DIRS;
		unsigned int list = file < LISTS ? file : rand_r(seed) % LISTS;
		/* What is in place, and what is not yet or no more */
		unsigned int generation = generations[dir][list].done +
			rand_r(seed) % 3 - 1;

		if (i < 2) {
			dir = paths.done % DIRS;
			generation = generations[dir][list].done;
		}
		answered |= judge(reader, file, file, &label, dir, list,
				  generation);
	}
	/* What was reset before it was of any use is of no concern. */
	reader->last[file] = answered ? id : 0;
}

static void *read_files(void *data)
{
	struct reader *reader = data;
	unsigned int seed = 1000 + reader->number, round;

	for (round = 0; !stop; round++) {
		one_file(reader, rand_r(&seed) % FILES, &seed);
		if (rand_r(&seed) % 64 == 0)
			tell(reader->session, "put %u", rand_r(&seed) % FILES);
		if (round % 256 == 0)
			take_told(reader);
	}
	return NULL;
}

/* Files change their lists. */
static void *change_labels(void *unused)
{
	unsigned int seed = 80;

	(void)unused;
	while (!stop) {
		struct reader *reader = &readers[rand_r(&seed) % READERS];
		char *name = list_name((reader->label.done + 1) % LISTS);
		char *flip = reader_file(reader, FLIP);

		begin_change(&reader->label);
		label(flip, name);
		end_change(&reader->label);
		free(name);
		free(flip);
		sleep_ms(rand_r(&seed) % 10);
	}
	return NULL;
}

/* Files that are evicted again and again, by many kernel threads. */
static void *get_in_workers(void *unused)
{
	int session = session_open(), i;

	(void)unused;
	while (!stop) {
		char *fds = strdup("");
		int open_fds[FILES];

		for (i = 0; i < FILES; i++) {
			char *name = text("%s/worker-%d", env_of_all->files, i);
			char *longer;

			open_fds[i] = MUST(open(name, O_RDONLY));
			longer = text("%s %d", fds, open_fds[i]);
			free(fds);
			fds = longer;
			free(name);
		}
		free(ask(session, "async get 2%s%s", fds, fds));
		for (i = 0; i < FILES; i++)
			close(open_fds[i]);
		free(fds);
	}
	close(session);
	return NULL;
}

/* A subscriber that does all that it may. */
static void subscribe(int session)
{
	char *name = text("%s/subscriber", env_of_all->files);
	int fd;

	write_file(name, "x", 1);
	label(name, "0-tlv-x");
	fd = MUST(open(name, O_RDONLY));
	tell(session, "notifier on sleep=1 alloc get=%d", fd);
	close(fd);
}

static void make_all(const struct env *env)
{
	unsigned int dir, list, i;
	int file;

	for (dir = 0; dir < DIRS; dir++) {
		make_dir(dir_path(dir));
		dir_fds[dir] = MUST(open(dir_path(dir), O_RDONLY | O_DIRECTORY));
		for (list = 0; list < LISTS; list++)
			write_list(list_path(dir, list),
				   list_content(dir, list, 0));
		/* Formats that come and go, behind and between the others */
		write_file(text("%s/2-plain-x", dir_path(dir)), "# none\n", 7);
		write_file(text("%s/plainrs-x", dir_path(dir)), "# none\n", 7);
		write_file(text("%s/1-tlv-bad", dir_path(dir)), "bad", 3);
	}
	set_default_path(dir_path(0));

	for (i = 0; i < READERS; i++) {
		struct reader *reader = &readers[i];

		reader->number = i;
		reader->session = session_open();
		for (file = 0; file < FILES; file++) {
			char *path = reader_file(reader, file);

			make_file(env->files, strrchr(path, '/') + 1,
				  file == PLAIN ? NULL :
				  list_name(file % LISTS));
			reader->fds[file] = MUST(open(path, O_RDONLY));
			reader->inos[file] = ident_of(path).ino;
		}
		tell(reader->session, "notifier on");
	}
	for (file = 0; file < FILES; file++)
		make_file(env->files, text("worker-%d", file),
			  file == PLAIN ? NULL : list_name(file % LISTS));
}

/* When nothing changes any more, everything is exact. */
static void expect_exact(void)
{
	unsigned int dir = paths.done % DIRS, i, list;
	int file;

	for (i = 0; i < READERS; i++) {
		struct reader *reader = &readers[i];

		for (file = 0; file < FILES; file++) {
			u64 id = get_fd(reader->session, file,
					     reader->fds[file]);

			CHECK(id, "file %d has no digest cache", file);
			if (reader->last[file] && reader->last[file] != id)
				told_add(&reader->expected, reader->inos[file],
					 reader->last[file]);
			for (list = 0; list < LISTS; list++) {
				struct counter *gen = &generations[dir][list];
				bool has = file == PLAIN || file == (int)list ||
					(file == FLIP && list ==
					 reader->label.done % LISTS);
				s64 result = lookup(reader->session, file,
					list_digest(dir, list, gen->done));

				CHECK_EQ(result > 0, has, "list %u, file %d: %lld",
					 list, file, result);
				if (!gen->done)
					continue;
				result = lookup(reader->session, file,
						list_digest(dir, list,
							    gen->done - 1));
				CHECK_EQ(result, 0, "old list %u, file %d",
					 list, file);
			}
		}
	}
}

/* Whether a reader was told of everything that it must be told of. */
static bool told_all(struct reader *reader, bool explain)
{
	size_t i, missing = 0;

	take_told(reader);
	qsort(reader->told.items, reader->told.num, sizeof(struct told),
	      told_compare);
	for (i = 0; i < reader->expected.num; i++) {
		struct told *want = &reader->expected.items[i];

		if (bsearch(want, reader->told.items, reader->told.num,
			    sizeof(*want), told_compare))
			continue;
		if (explain && missing < 5)
			diag("inode %llu was not told of digest cache %llu",
			     want->ino,
			     want->cache);
		missing++;
	}
	if (explain && missing)
		diag("reader %u: %zu of %zu are missing", reader->number,
		     missing, reader->expected.num);
	return !missing;
}

TEST(concurrency)
{
	pthread_t threads[16];
	int subscriber = session_open();
	size_t num = 0, i;
	double end;

	env_of_all = env;
	make_all(env);
	subscribe(subscriber);

#define START(func, data)						\
	CHECK(!pthread_create(&threads[num++], NULL, func, data), #func)

	for (i = 0; i < DIRS; i++)
		START(change_lists, (void *)i);
	START(change_path, NULL);
	START(evict, NULL);
	START(change_parsers, NULL);
	START(change_labels, NULL);
	START(get_in_workers, NULL);
	for (i = 0; i < READERS; i++)
		START(read_files, &readers[i]);

	for (end = now() + env->seconds; now() < end;) {
		sleep_ms(500);
		forget_notes(subscriber);
	}
	stop = true;
	for (i = 0; i < num; i++)
		pthread_join(threads[i], NULL);

	expect_exact();
	for (i = 0; i < READERS; i++) {
		struct reader *reader = &readers[i];

		end = now() + WAIT_SECONDS;
		while (!told_all(reader, false) && now() < end)
			sleep_ms(50);
		diag("reader %zu: %lu found, %lu not, %lu stale, %lu without a cache, %zu resets",
		     i, reader->found, reader->not_found, reader->stale,
		     reader->missing, reader->expected.num);
		CHECK(told_all(reader, true), "reader %zu was not told", i);
		CHECK(reader->found, "reader %zu found nothing", i);
		CHECK(reader->expected.num, "reader %zu saw no reset", i);
	}
}
