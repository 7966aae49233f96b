// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "reset.h"
#include "test.h"

struct scene_file scene_files[NUM_FILES] = {
	[F] = { .name = "f", .label = "1-tlv-l" },
	[F2] = { .name = "f2", .label = "1-tlv-l" },
	[G] = { .name = "g", .label = "2-tlv-u" },
	[D] = { .name = "d" },
};

static enum after after(const struct event *event, int file)
{
	switch (file) {
	case F:
	case F2:
		return event->f;
	case G:
		return event->g;
	default:
		return event->d;
	}
}

/* Each of the words is found, or none is. */
static void expect_words(int session, int slot, const char *words, bool found,
			 const char *who)
{
	char *rest = words ? strdup(words) : NULL, *word;
	s64 result;

	while ((word = strsep(&rest, " "))) {
		result = lookup(session, slot, digest(word));
		if (found)
			CHECK(result > 0, "\"%s\" for %s: %lld", word, who,
			      result);
		else
			CHECK_EQ(result, 0, "\"%s\" for %s", word, who);
	}
}

static void set_scene(struct scene *scene, int session,
		      const struct event *event)
{
	const struct env *env = scene->env;
	int i;

	scene->lists = in(env->root, "lists");
	scene->outside = in(env->root, "outside");
	make_dir(scene->outside);
	if (event->prepare)
		event->prepare(scene);
	scene->l = in(scene->lists, "1-tlv-l");
	scene->u = in(scene->lists, "2-tlv-u");
	if (access(scene->l, F_OK))
		make_list(scene->lists, "1-tlv-l", L_WORDS);
	make_list(scene->lists, "2-tlv-u", "u");

	/* Who never asks is never told. */
	make_file(env->files, "untouched", "1-tlv-l");

	tell(session, "notifier on");
	for (i = 0; i < NUM_FILES; i++) {
		struct scene_file *file = &scene_files[i];

		file->path = make_file(env->files, file->name, file->label);
		file->ident = ident_of(file->path);
		file->id = get(session, i, file->path);
		CHECK(file->id, "%s has no digest cache", file->name);
	}
	expect_words(session, F, L_WORDS, true, "f");
	expect_words(session, G, "u", true, "g");
	/* The directory looks through all its lists. */
	expect_words(session, D, L_WORDS " u", true, "d");
	expect_words(session, D, "absent", false, "d");
	/* What made the scene may have told of itself. */
	forget_notes(session);
}

static bool is_uncertain(const struct event *event)
{
	return event->late || event->f == ANY || event->g == ANY ||
	       event->d == ANY;
}

/* Those are told, and only those, whose digest cache is another one. */
static void expect_told(int session, const struct event *event,
			const u64 *new, const char *when)
{
	struct note notes[NUM_FILES];
	size_t num = 0;
	int i;

	for (i = 0; i < NUM_FILES; i++) {
		enum after what = after(event, i);

		if (what == SAME ||
		    (what == ANY && new && new[i] == scene_files[i].id))
			continue;
		notes[num++] = (struct note) {
			.inode = scene_files[i].ident,
			.cache = scene_files[i].id,
		};
	}
	/* If no system call led to it, another task may still be telling. */
	if (is_uncertain(event))
		expect_notes_in_time(session, notes, num, when);
	else
		expect_notes(session, notes, num, when);
}

/* Who still has an old handle gets no old answer. */
static void expect_old_handle(int session, const struct event *event, int file)
{
	const char *name = scene_files[file].name;
	s64 result = lookup(session, file, digest(file == G ? "u" : "l"));

	switch (after(event, file)) {
	case SAME:
		/*
		 * When the directory has changed, the path to the list has to
		 * be looked up again before the list can be trusted.
		 */
		CHECK(result > 0 || (result == -EAGAIN && event->d != SAME),
		      "the old handle of %s: %lld", name, result);
		break;
	case NEW:
	case NONE:
		CHECK_EQ(result, -EAGAIN, "the old handle of %s", name);
		break;
	case ANY:
		CHECK(result > 0 || result == -EAGAIN,
		      "the old handle of %s: %lld", name, result);
	}
}

/*
 * Gets the digest cache of a file. What no hook has told of may be noticed only
 * by a look-up, after which the digest cache is got again, as clients do.
 */
static u64 get_again(int session, const struct event *event, int file)
{
	u64 id = get(session, file, scene_files[file].path);

	if (id && is_uncertain(event) &&
	    lookup(session, file, digest(file == G ? "u" : "l")) == -EAGAIN)
		id = get(session, file, scene_files[file].path);
	return id;
}

static void reset_test(const struct env *env)
{
	const struct event *event = env->data;
	struct scene scene = { .env = env };
	int session = session_open(), i;
	u64 new[NUM_FILES], loads;

	set_scene(&scene, session, event);
	event->act(&scene);
	if (!is_uncertain(event))
		expect_told(session, event, NULL, "when it happened");

	for (i = 0; i < NUM_FILES; i++)
		expect_old_handle(session, event, i);

	/* What is not concerned is not loaded again. */
	loads = stat_value("loads");
	new[G] = get(session, G, scene_files[G].path);
	if (event->g == SAME)
		CHECK_EQ(stat_value("loads"), loads, "2-tlv-u is loaded again");

	for (i = 0; i < NUM_FILES; i++) {
		new[i] = get_again(session, event, i);
		switch (after(event, i)) {
		case SAME:
			CHECK_EQ(new[i], scene_files[i].id, "%s", scene_files[i].name);
			break;
		case NEW:
			CHECK(new[i], "%s has no digest cache", scene_files[i].name);
			CHECK(new[i] != scene_files[i].id, "%s has the old one",
			      scene_files[i].name);
			break;
		case NONE:
			CHECK_EQ(new[i], 0, "%s", scene_files[i].name);
			break;
		case ANY:
			CHECK(new[i], "%s has no digest cache", scene_files[i].name);
		}
	}

	if (new[F]) {
		expect_words(session, F, event->f_has, true, "f");
		expect_words(session, F, event->f_lacks, false, "f");
	}
	if (new[G])
		expect_words(session, G, event->g_has, true, "g");
	if (new[D]) {
		expect_words(session, D, event->d_has, true, "d");
		expect_words(session, D, event->d_lacks, false, "d");
	}

	if (is_uncertain(event))
		expect_told(session, event, new, "after asking again");
	else
		expect_no_notes(session, "after asking again");
}

void register_events(const struct event *events, size_t num)
{
	struct test *test;
	size_t i;

	for (i = 0; i < 2 * num; i++) {
		test = calloc(1, sizeof(*test));
		if (!test)
			abort();
		test->name = text("reset_%s%s", events[i / 2].name,
				  i % 2 ? "/tmpfs" : "");
		test->func = reset_test;
		test->tmpfs = i % 2;
		test->data = &events[i / 2];
		test_register(test);
	}
}
