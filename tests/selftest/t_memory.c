// SPDX-License-Identifier: GPL-2.0-only
/*
 * Out of memory: each operation is done over and over again, from the same
 * state, and each time the kernel makes another one of its allocations fail,
 * until there is none left to fail. The operation either succeeds or says that
 * it did not, and no answer is wrong. Done once more at once, with all
 * allocations, it succeeds: nothing is remembered of the failure.
 *
 * Those on the file system that was given begin without anything in the caches
 * of the VFS, so that inodes and their blobs are allocated, too; on tmpfs all is
 * there but digest caches.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "env.h"
#include "fs.h"
#include "kernel.h"
#include "modules.h"
#include "session.h"
#include "sha256.h"
#include "test.h"

/* No operation needs as many allocations: one that does never ends. */
#define MAX_ALLOCATIONS	5000

/* Digests of a list whose tables take more than a page */
#define NUM_FILLERS	300

/* System calls that an operation consists of, and the longest reply */
#define MAX_STEPS	8
#define MAX_REPLY	64

struct trial;

/**
 * struct step - a command of a session, made before and judged after the time
 *	in which an allocation fails: nothing is allocated in user space then,
 *	as that could be what fails
 * @command: the command
 * @error: why it was refused, or 0
 * @reply: what the client said
 */
struct step {
	const char *command;
	int error;
	char reply[MAX_REPLY];
};

/**
 * struct operation - what is done, and what has to become of it
 * @name: for people
 * @cool: makes everything as it was before the operation was done
 * @act: does it
 * @judge: fails the test unless what became of it is right; a failure is right
 *	only if an allocation was made to fail
 * @data: of these functions
 */
struct operation {
	const char *name;
	void (*cool)(struct trial *trial);
	void (*act)(struct trial *trial);
	void (*judge)(struct trial *trial, bool failed);
	const void *data;
};

/**
 * struct trial - an operation being tried
 * @env: of the test
 * @op: the operation
 * @session: a session
 * @fail_nth: file that says which allocation of this task is to fail
 * @what: which attempt this is, for people
 * @file: a file that uses a list
 * @other: another file, which uses the directory if not said otherwise
 * @list: the list
 * @fd: @file, open
 * @error: what became of a system call: 0 or a negative error
 * @other_error: what became of another one
 * @steps: commands
 * @num_steps: how many there are
 * @answer: reply to the last one when no allocation fails
 * @id: number of the digest cache of @file before the operation
 */
struct trial {
	const struct env *env;
	const struct operation *op;
	int session;
	int fail_nth;
	char *what;
	char *file;
	char *other;
	char *list;
	int fd;
	int error;
	int other_error;
	struct step steps[MAX_STEPS];
	unsigned int num_steps;
	char answer[MAX_REPLY];
	u64 id;
};

/* Begins a test, or skips it where allocations cannot be made to fail. */
static void begin(struct trial *trial, const struct env *env)
{
	memset(trial, 0, sizeof(*trial));
	trial->env = env;
	trial->fail_nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (trial->fail_nth < 0 || !set_faults(true))
		test_skip("the kernel has no fault injection");
	trial->session = session_open();
	/* A page fault at the wrong moment would be what lacks memory. */
	MUST(mlockall(MCL_CURRENT | MCL_FUTURE));
}

/* Has the nth allocation of this task fail from now on; the first is 1. */
static void arm(const struct trial *trial, unsigned int nth)
{
	char number[16];
	int len = snprintf(number, sizeof(number), "%u", nth);

	CHECK_EQ(pwrite(trial->fail_nth, number, len, 0), len, "fail-nth");
}

/* Ends that, and tells whether the allocation has failed. */
static bool has_failed(const struct trial *trial)
{
	char left[16] = "";

	MUST(pread(trial->fail_nth, left, sizeof(left) - 1, 0));
	arm(trial, 0);
	return !atoi(left);
}

/*
 * Tries an operation with each of its allocations failing in its turn, or as
 * many of them as were asked for.
 */
static void exhaust(struct trial *trial, const struct operation *op)
{
	unsigned int n = 1, num_failed = 0;
	bool failed;

	trial->op = op;
	do {
		CHECK(n <= MAX_ALLOCATIONS, "%s: there is no end", op->name);
		trial->what = text("%s, allocation %u", op->name, n);
		op->cool(trial);
		arm(trial, n);
		op->act(trial);
		failed = has_failed(trial);
		op->judge(trial, failed);
		if (failed) {
			trial->what = text("%s, after allocation %u", op->name,
					   n);
			op->act(trial);
			op->judge(trial, false);
			num_failed++;
			n += trial->env->every;
		}
	} while (failed);
	CHECK(num_failed, "%s: no allocation can fail", op->name);
	diag("%s: %u allocations, one in %u, have failed", op->name, num_failed,
	     trial->env->every);
}

/* An error that a lack of memory may well have. */
static bool is_want(int error)
{
	return error == -ENOMEM || error == -EAGAIN;
}

static void add_step(struct trial *trial, const char *command)
{
	CHECK(trial->num_steps < MAX_STEPS, "too many steps");
	trial->steps[trial->num_steps++].command = command;
}

static void act_steps(struct trial *trial)
{
	struct step *step;
	ssize_t len;

	for (step = trial->steps; step < trial->steps + trial->num_steps;
	     step++) {
		len = write(trial->session, step->command,
			    strlen(step->command));
		step->error = len < 0 ? -errno : 0;
		len = len < 0 ? 0 : pread(trial->session, step->reply,
					  MAX_REPLY - 1, 0);
		step->reply[len < 0 ? 0 : len] = '\0';
	}
}

/* The number that was replied, or the error. */
static s64 result(const struct trial *trial, unsigned int number)
{
	const struct step *step = &trial->steps[number];

	return step->error ?: strtoll(step->reply, NULL, 10);
}

/* Nothing that was loaded is used any more, nor anything of the VFS there. */
static void cool_caches(struct trial *trial)
{
	tell(trial->session, "put 0");
	set_default_path(trial->env->lists);
	if (!strstr(trial->env->root, "/" TMPFS_DIR "/"))
		drop_caches();
}

/*
 * Questions: a file's digest cache is got, a digest looked up that it has, and
 * one that it does not have.
 */

/**
 * struct query - a question
 * @label: label of the file, or NULL if it uses the directory
 * @hit: word for a digest that is there
 * @ask: a further command, which says the same each time unless it cannot
 */
struct query {
	const char *label;
	const char *hit;
	const char *ask;
};

enum { GET, HIT, MISS, FURTHER };

static void judge_get(const struct trial *trial, bool failed)
{
	s64 got = result(trial, GET);

	if (failed)
		CHECK(got >= 0 || is_want(got), "%s: get: %lld", trial->what,
		      got);
	else
		CHECK_FOUND(got, "%s: get", trial->what);
}

/*
 * A list that was got tells what is in it. A directory may have to load lists,
 * and has no other way than NULL to say that it cannot.
 */
static void judge_hit(const struct trial *trial, bool failed, bool directory)
{
	s64 got = result(trial, GET), found = result(trial, HIT);

	if (!failed) {
		CHECK_FOUND(found, "%s: look-up", trial->what);
		return;
	}
	if (got <= 0) {
		CHECK(found == -ENOENT || is_want(found),
		      "%s: look-up in nothing: %lld", trial->what, found);
		return;
	}
	CHECK(found > 0 || is_want(found) || (directory && !found),
	      "%s: look-up: %lld", trial->what, found);
	CHECK(directory || found < 0 || found == got,
	      "%s: look-up: %lld in %lld", trial->what, found, got);
}

/* Who kept what was got is not told anything else by it, either. */
static void judge_kept(const struct trial *trial, const char *hit)
{
	s64 found;

	if (result(trial, GET) <= 0)
		return;
	found = lookup(trial->session, 0, digest(hit));
	CHECK(found > 0 || found == -EAGAIN, "%s: second look-up: %lld",
	      trial->what, found);
	found = lookup(trial->session, 0, digest("absent"));
	CHECK(!found || found == -EAGAIN,
	      "%s: second look-up of what is absent: %lld", trial->what, found);
}

static void judge_answer(const struct trial *trial, bool failed)
{
	const struct step *step = &trial->steps[FURTHER];

	if (failed && (step->error || !strcmp(step->reply, "0\n") ||
		       !strcmp(step->reply, "none\n")))
		return;
	CHECK(!strcmp(step->reply, trial->answer), "%s: \"%s\": %d, %s",
	      trial->what, step->command, step->error, step->reply);
}

static void judge_query(struct trial *trial, bool failed)
{
	const struct query *query = trial->op->data;
	s64 found = result(trial, MISS);

	judge_get(trial, failed);
	judge_hit(trial, failed, !query->label);
	CHECK(failed ? found <= 0 : !found,
	      "%s: look-up of what is absent: %lld", trial->what, found);
	if (failed)
		judge_kept(trial, query->hit);
	if (query->ask)
		judge_answer(trial, failed);
}

static const char *lookup_command(const char *words)
{
	return text("lookup 0 - %u %s", SHA256, hex(digest(words)));
}

static void try_query(struct trial *trial, const char *name,
		      const struct query *query,
		      void (*judge)(struct trial *trial, bool failed))
{
	struct operation op = {
		.name = name,
		.cool = cool_caches,
		.act = act_steps,
		.judge = judge,
		.data = query,
	};

	trial->num_steps = 0;
	trial->file = make_file(trial->env->files, name, query->label);
	trial->fd = MUST(open(trial->file, O_RDONLY | O_CLOEXEC));
	add_step(trial, text("get 0 %d", trial->fd));
	add_step(trial, lookup_command(query->hit));
	add_step(trial, lookup_command("absent"));
	if (query->ask) {
		add_step(trial, query->ask);
		act_steps(trial);
		memcpy(trial->answer, trial->steps[FURTHER].reply, MAX_REPLY);
		CHECK(atoll(trial->answer), "%s: %s", query->ask,
		      trial->answer);
	}
	exhaust(trial, &op);
}

/* A list of many digests, and those for some words. */
static struct buf large_list(const char *words)
{
	struct buf list = tlv_list(words);
	int i;

	for (i = 0; i < NUM_FILLERS; i++)
		tlv_entry(&list, digest(text("filler-%d", i)), NULL);
	return list;
}

TEST_FS(memory_tlv)
{
	static const struct query query = { "tlv-a", "a" };
	struct trial trial;

	begin(&trial, env);
	write_list(in(env->lists, "tlv-a"), large_list("a"));
	try_query(&trial, "tlv", &query, judge_query);
}

TEST_FS(memory_rpm)
{
	static const struct query query = { "rpm-a", "a" };
	struct rpm_file file = { hex(digest("a")), 0100755, 0, "a" };
	struct trial trial;

	begin(&trial, env);
	write_list(in(env->lists, "rpm-a"), rpm_list(8, &file, 1));
	try_query(&trial, "rpm", &query, judge_query);
}

static void make_lists(const struct env *env)
{
	struct buf last = large_list("c");

	make_list(env->lists, "1-tlv-a", "a");
	write_list(in(env->lists, "2-tlv-b"), large_list("b"));
	/* One that has more than one algorithm */
	tlv_algo(&last, SHA512);
	tlv_entry(&last, digest_for(SHA512, "c"), NULL);
	write_list(in(env->lists, "3-tlv-c"), last);
}

TEST_FS(memory_directory)
{
	static const struct query query = { NULL, "c", "algos 0" };
	struct trial trial;

	begin(&trial, env);
	make_lists(env);
	try_query(&trial, "directory", &query, judge_query);
}

/* Lists that are loaded for the first time are in the order of the directory. */
static void judge_prefetch(struct trial *trial, bool failed)
{
	static const char *const names[] = { "1-tlv-a", "2-tlv-b", "3-tlv-c" };
	struct cache *cache;
	u64 last = 0;
	size_t i;

	judge_query(trial, failed);
	for (i = 0; !failed && i < ARRAY_SIZE(names); i++) {
		cache = cache_of(in(trial->env->lists, names[i]));
		CHECK(cache, "%s: %s is not loaded", trial->what, names[i]);
		CHECK(cache->id > last, "%s: %s was loaded too early",
		      trial->what, names[i]);
		last = cache->id;
	}
}

TEST_FS(memory_prefetch)
{
	static const struct query query = { "3-tlv-c", "c" };
	struct trial trial;

	begin(&trial, env);
	make_lists(env);
	prefetch(env->lists, 1);
	try_query(&trial, "prefetch", &query, judge_prefetch);
}

/* Formats from modules */
static void try_module(const struct env *env, const char *module,
		       const char *list)
{
	struct query query = { list, "a" };
	char *content = text("sha256:%s\nsha256:%s\n", hex(digest("a")),
			     hex(digest("b")));
	struct trial trial;

	begin(&trial, env);
	write_file(in(env->lists, list), content, strlen(content));
	CHECK_EQ(module_load(env->modules, module, ""), 0, "%s", module);
	try_query(&trial, module, &query, judge_query);
}

TEST(memory_parser_c)
{
	try_module(env, "dc_parser_c", "plain-a");
}

TEST(memory_parser_rust)
{
	try_module(env, "dc_parser_rust", "plainrs-a");
}

/* What IMA attached is there, or the list is read again. */
TEST_FS(memory_verif)
{
	static const struct query query = { "tlv-a", "a", "verif_get 0 ima" };
	struct trial trial;

	begin(&trial, env);
	CHECK_EQ(ima_set_policy(), 0, "the policy of IMA");
	make_list(env->lists, "tlv-a", "a");
	try_query(&trial, "verif", &query, judge_query);
}

static int try_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static void act_ima(struct trial *trial)
{
	trial->error = try_open(trial->file);
	trial->other_error = try_open(trial->other);
}

/* IMA allows a file that is in a list, and never one that is in none. */
static void judge_ima(struct trial *trial, bool failed)
{
	CHECK(trial->other_error, "%s: a file in no list is allowed",
	      trial->what);
	CHECK(!trial->error || (failed && (trial->error == -EACCES ||
					   is_want(trial->error))),
	      "%s: a file in a list: %d", trial->what, trial->error);
}

static char *make_appraised(const struct env *env, const char *name)
{
	char *file = make_file(env->files, name, "tlv-a");

	MUST(chown(file, atoi(OWNER_APPRAISED), -1));
	return file;
}

TEST_FS(memory_ima)
{
	struct operation op = {
		.name = "ima",
		.cool = cool_caches,
		.act = act_ima,
		.judge = judge_ima,
	};
	/* IMA_XATTR_DIGEST_NG, and the algorithm */
	u8 xattr[2 + SHA256_SIZE] = { 4, SHA256 };
	struct digest in_list = { .algo = SHA256 };
	struct buf list = {};
	struct trial trial;

	begin(&trial, env);
	CHECK_EQ(ima_set_policy(), 0, "the policy of IMA");
	trial.file = make_appraised(env, "file");
	trial.other = make_appraised(env, "stranger");
	/* Files have their name as content. */
	sha256("file", 4, in_list.bytes);
	tlv_algo(&list, SHA256);
	tlv_entry(&list, in_list, NULL);
	trial.list = in(env->lists, "tlv-a");
	write_list(trial.list, list);
	sha256(list.data, list.len, xattr + 2);
	MUST(setxattr(trial.list, "security.ima", xattr, sizeof(xattr), 0));
	MUST(chown(trial.list, atoi(OWNER_APPRAISED), -1));
	exhaust(&trial, &op);
}

/* Registering a parser, and a subscriber: it is done, or it is not. */
enum { PARSER, SUBSCRIBER };

static void cool_registered(struct trial *trial)
{
	free(try_ask(trial->session, "script off memory"));
	tell(trial->session, "notifier off");
	trial->id = stat_value("parsers");
}

static void judge_registered(struct trial *trial, bool failed)
{
	const struct step *parser = &trial->steps[PARSER];
	bool done = !parser->error && !result(trial, PARSER);

	CHECK(done || (failed && is_want(result(trial, PARSER))),
	      "%s: the parser: %d, %s", trial->what, parser->error,
	      parser->reply);
	CHECK_EQ(stat_value("parsers"), trial->id + done, "%s: parsers",
		 trial->what);
	CHECK(!result(trial, SUBSCRIBER) ||
	      (failed && is_want(result(trial, SUBSCRIBER))),
	      "%s: the subscriber: %lld", trial->what,
	      result(trial, SUBSCRIBER));
	cool_registered(trial);
}

TEST(memory_register)
{
	struct operation op = {
		.name = "register",
		.cool = cool_registered,
		.act = act_steps,
		.judge = judge_registered,
	};
	struct trial trial;

	begin(&trial, env);
	add_step(&trial, "script on memory");
	add_step(&trial, "notifier on");
	exhaust(&trial, &op);
}

/*
 * Changes: who used a list is told, whichever allocation fails, and asked again
 * the list is what it is by then.
 */

/**
 * struct change - a change, and who is concerned
 * @act: makes it
 * @word: what the list of the file has, or NULL if there is no such list
 * @list: whether it is the list that changes, and with it the directory
 */
struct change {
	void (*act)(struct trial *trial);
	const char *(*word)(const struct trial *trial);
	bool list;
};

static struct buf old_content, new_content;
static char *other_list, *other_lists;

/*
 * How many were told about, those included for which the subscriber had no
 * memory left.
 */
static size_t num_told(int session)
{
	char *log = ask(session, "log"), *line;
	unsigned int lost;
	size_t num = 0;

	while ((line = strsep(&log, "\n")) && *line)
		num += sscanf(line, "lost %u", &lost) == 1 ? lost : 1;
	return num;
}

static void cool_change(struct trial *trial)
{
	int session = trial->session;

	set_default_path(trial->env->lists);
	write_list(trial->list, old_content);
	write_list(other_list, new_content);
	label(trial->file, "tlv-l");
	trial->id = get(session, 0, trial->file);
	CHECK(trial->id, "%s: no list", trial->what);
	CHECK_FOUND(find(session, trial->other, "old"), "%s: in the directory",
		    trial->what);
	num_told(session);
}

static void act_rewrite(struct trial *trial)
{
	int fd = open(trial->list, O_WRONLY | O_TRUNC | O_CLOEXEC);

	trial->error = fd < 0 ? -errno : 0;
	if (fd >= 0 && write(fd, new_content.data, new_content.len) < 0)
		trial->error = -errno;
	close(fd);
}

static void act_unlink(struct trial *trial)
{
	trial->error = unlink(trial->list) ? -errno : 0;
}

static void act_replace(struct trial *trial)
{
	trial->error = rename(other_list, trial->list) ? -errno : 0;
}

static void act_relabel(struct trial *trial)
{
	trial->error = setxattr(trial->file, XATTR_LIST, "tlv-m", 5, 0) ?
		       -errno : 0;
}

static void act_path(struct trial *trial)
{
	trial->error = try_default_path(other_lists);
}

static const char *word_of_list(const struct trial *trial)
{
	struct stat st;

	/* Cut off, it is no list. */
	if (stat(trial->list, &st) || (size_t)st.st_size != old_content.len)
		return NULL;
	return memcmp(read_file(trial->list), old_content.data,
		      old_content.len) ? "new" : "old";
}

static const char *word_of_label(const struct trial *trial)
{
	char value[8] = "";

	MUST(getxattr(trial->file, XATTR_LIST, value, sizeof(value)));
	return strcmp(value, "tlv-l") ? "new" : "old";
}

static const char *word_of_path(const struct trial *trial)
{
	return strcmp(get_default_path(), trial->env->lists) ? "new" : "old";
}

/* Who asks finds only what is there. */
static void judge_answers(const struct trial *trial, const char *word)
{
	static const char *const words[] = { "old", "new" };
	s64 found;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		found = find(trial->session, trial->file, words[i]);
		CHECK_EQ(found > 0, word && !strcmp(word, words[i]),
			 "%s: \"%s\": %lld", trial->what, words[i], found);
	}
}

static void judge_change(struct trial *trial, bool failed)
{
	const struct change *change = trial->op->data;
	const char *word = change->word(trial);
	bool changed = !word || strcmp(word, "old");
	s64 found = lookup(trial->session, 0, digest("old"));
	size_t told = 0;

	CHECK(found == -EAGAIN || (found > 0 && !(changed && change->list)),
	      "%s: the old handle: %lld", trial->what, found);
	CHECK(changed || failed, "%s: nothing has changed", trial->what);
	CHECK(!trial->error || (failed && is_want(trial->error)), "%s: %d",
	      trial->what, trial->error);
	if (changed)
		WAIT_FOR((told += num_told(trial->session)) >=
			 (change->list ? 2 : 1),
			 "%s: %zu were told", trial->what, told);
	judge_answers(trial, word);
	if (failed)
		cool_change(trial);
}

static void try_change(const struct env *env, const char *name,
		       const struct change *change)
{
	struct operation op = {
		.name = name,
		.cool = cool_change,
		.act = change->act,
		.judge = judge_change,
		.data = change,
	};
	struct trial trial;

	begin(&trial, env);
	trial.what = "before";
	trial.file = make_file(env->files, "file", NULL);
	trial.other = make_file(env->files, "plain", NULL);
	trial.list = in(env->lists, "tlv-l");
	other_lists = in(env->root, "other");
	other_list = in(env->lists, ".new");
	old_content = tlv_list("old");
	new_content = tlv_list("new");
	make_list(env->lists, "tlv-m", "new");
	make_dir(other_lists);
	make_list(other_lists, "tlv-l", "new");
	tell(trial.session, "notifier on");
	exhaust(&trial, &op);
}

/*
 * ext4 calls it an error of the file system if it cannot truncate or free an
 * inode for want of memory.
 */
TEST_TMPFS(memory_rewrite)
{
	static const struct change change = {
		act_rewrite, word_of_list, true
	};

	try_change(env, "rewrite", &change);
}

TEST_TMPFS(memory_unlink)
{
	static const struct change change = {
		act_unlink, word_of_list, true
	};

	try_change(env, "unlink", &change);
}

TEST_TMPFS(memory_replace)
{
	static const struct change change = {
		act_replace, word_of_list, true
	};

	try_change(env, "replace", &change);
}

TEST_FS(memory_relabel)
{
	static const struct change change = {
		act_relabel, word_of_label, false
	};

	try_change(env, "relabel", &change);
}

TEST_FS(memory_default_path)
{
	static const struct change change = {
		act_path, word_of_path, true
	};

	try_change(env, "default_path", &change);
}

/*
 * A task gets the digest cache of a file while another one is about to tell that
 * the file's previous one is void. Whatever it gets, if it gets something, the
 * file is a user of that: it is told when that is void in its turn.
 */
static struct {
	const char *from;
	const char *to;
} renaming;

static void *rename_list(void *unused)
{
	(void)unused;
	MUST(rename(renaming.from, renaming.to));
	return NULL;
}

/* How long the subscriber keeps the other task busy with another file */
#define BUSY_MS		100

static bool get_while_telling(struct trial *trial, unsigned int n)
{
	pthread_t thread;
	bool failed;

	cool_change(trial);
	CHECK_EQ(get(trial->session, 1, trial->other), trial->id, "one list");
	write_list(other_list, new_content);
	CHECK(!pthread_create(&thread, NULL, rename_list, NULL), "thread");
	/* Who came last is told first. */
	WAIT_FOR(cache_with_id(trial->id)->stale, "the list is not void");
	arm(trial, n);
	act_steps(trial);
	failed = has_failed(trial);
	pthread_join(thread, NULL);
	return failed;
}

TEST_TMPFS(memory_get_while_telling)
{
	struct trial trial;
	unsigned int n = 0;
	bool failed;

	begin(&trial, env);
	trial.what = "before";
	trial.file = make_file(env->files, "file", "tlv-l");
	trial.other = make_file(env->files, "plain", "tlv-l");
	trial.list = in(env->lists, "tlv-l");
	other_list = in(env->lists, ".new");
	old_content = tlv_list("old");
	new_content = tlv_list("new");
	renaming.from = other_list;
	renaming.to = trial.list;
	tell(trial.session, "notifier on sleep=%d", BUSY_MS);
	add_step(&trial, text("get 0 %d", MUST(open(trial.file, O_RDONLY))));
	do {
		trial.what = text("allocation %u", ++n);
		failed = get_while_telling(&trial, n);
		judge_get(&trial, failed);
		if (result(&trial, GET) <= 0)
			continue;
		CHECK_FOUND(lookup(trial.session, 0, digest("new")), "%s",
			    trial.what);
		/* All who are told of the previous one have been. */
		num_told(trial.session);
		write_list(trial.list, old_content);
		WAIT_FOR(num_told(trial.session), "%s: nobody is told",
			 trial.what);
	} while (failed);
	diag("each of %u allocations has failed", n - 1);
}

/*
 * What the files of the digest cache say: all of it or nothing.
 */
#define NUM_LISTS	60
#define MAX_CACHES	(64 * 1024)

static char caches_text[MAX_CACHES];

static void act_caches(struct trial *trial)
{
	int fd = open(CACHES, O_RDONLY | O_CLOEXEC);
	ssize_t len = 1;
	size_t total = 0;

	trial->error = fd < 0 ? -errno : 0;
	while (!trial->error && len) {
		len = read(fd, caches_text + total, MAX_CACHES - 1 - total);
		if (len < 0)
			trial->error = -errno;
		else
			total += len;
	}
	caches_text[total] = '\0';
	close(fd);
}

static void cool_nothing(struct trial *trial)
{
	(void)trial;
}

static void judge_caches(struct trial *trial, bool failed)
{
	int i;

	if (trial->error) {
		CHECK(failed && is_want(trial->error), "%s: %d", trial->what,
		      trial->error);
		return;
	}
	for (i = 0; i < NUM_LISTS; i++)
		CHECK(strstr(caches_text, text("/%d-tlv-x\n", i)),
		      "%s: list %d is missing", trial->what, i);
}

TEST(memory_caches)
{
	struct operation op = {
		.name = "caches",
		.cool = cool_nothing,
		.act = act_caches,
		.judge = judge_caches,
	};
	struct trial trial;
	int i;

	begin(&trial, env);
	for (i = 0; i < NUM_LISTS; i++) {
		char *name = text("%d-tlv-x", i);

		make_list(env->lists, name, name);
		CHECK_FOUND(find(trial.session,
				 make_file(env->files, name, name), name),
			    "list %d", i);
	}
	exhaust(&trial, &op);
}
