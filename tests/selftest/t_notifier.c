// SPDX-License-Identifier: GPL-2.0-only
/*
 * Notifications: who is told what, and that subscribers may do what they like.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

#define NUM_USERS	40

/* Makes files that use a list, and gets its digest cache for each. */
static u64 make_users(const struct env *env, int session, const char *list,
		      char **users)
{
	u64 id = 0;
	int i;

	for (i = 0; i < NUM_USERS; i++) {
		users[i] = make_file(env->files, text("user-%d", i), list);
		id = get(session, 0, users[i]);
		CHECK(id, "no list");
	}
	return id;
}

/* Fails the test unless each of the users was told once. */
static void expect_all(int session, char *const *users, u64 id,
		       const char *when)
{
	struct note notes[NUM_USERS];
	int i;

	for (i = 0; i < NUM_USERS; i++)
		notes[i] = (struct note) { ident_of(users[i]), id };
	expect_notes(session, notes, NUM_USERS, when);
}

/* All users of a list are told, once each, in all sessions. */
TEST_FS(all_users_are_told)
{
	char *list = make_list(env->lists, "tlv-a", "a");
	int session = session_open(), other = session_open();
	char *users[NUM_USERS];
	u64 id, new;

	tell(session, "notifier on");
	tell(other, "notifier on");
	id = make_users(env, session, "tlv-a", users);
	/* Asking again and putting makes no difference. */
	CHECK_EQ(get(other, 0, users[0]), id, "the same list");
	CHECK_EQ(get(other, 1, users[0]), id, "the same list");
	tell(other, "put 0");
	expect_no_notes(session, "before anything happened");
	CHECK_EQ(cache_with_id(id)->users, NUM_USERS, "users in caches");

	replace_list(list, tlv_list("b"));
	expect_all(session, users, id, "in one session");
	expect_all(other, users, id, "in the other session");

	/* Nobody has asked again: there is nobody to tell. */
	replace_list(list, tlv_list("c"));
	expect_no_notes(session, "when nobody had asked");

	/* One has asked again: it is told of what it got. */
	new = get(session, 0, users[7]);
	CHECK(new > id, "a new one");
	replace_list(list, tlv_list("d"));
	EXPECT_NOTES(session, "to the only one", { ident_of(users[7]), new });

	/* Nobody listens in the second session. */
	forget_notes(other);
	tell(other, "notifier off");
	get(session, 0, users[7]);
	replace_list(list, tlv_list("e"));
	expect_no_notes(other, "after it was turned off");
}

/* Users of the directory are told of each of its lists. */
TEST_FS(users_of_directory_are_told)
{
	char *file = make_file(env->files, "file", NULL);
	char *list = make_list(env->lists, "1-tlv-a", "a");
	int session = session_open();
	u64 d;

	make_list(env->lists, "2-tlv-b", "b");
	tell(session, "notifier on");
	d = get(session, 0, file);
	CHECK_FOUND(lookup(session, 0, digest("b")), "in the second list");
	replace_list(list, tlv_list("a2"));
	EXPECT_NOTES(session, "of the first list", { ident_of(file), d });
	d = get(session, 0, file);
	CHECK_FOUND(lookup(session, 0, digest("a2")), "in the first list");
	make_list(env->lists, "2-tlv-b", "b2");
	EXPECT_NOTES(session, "of the second list", { ident_of(file), d });
	d = get(session, 0, file);
	make_list(env->lists, "0-tlv-c", "c");
	EXPECT_NOTES(session, "of a list that came", { ident_of(file), d });
}

/* Several names of a file are one user. */
TEST_FS(hard_link_is_one_user)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *list = make_list(env->lists, "tlv-a", "a");
	char *other = in(env->files, "other");
	int session = session_open();
	u64 id;

	MUST(link(file, other));
	tell(session, "notifier on");
	id = get(session, 0, file);
	CHECK_EQ(get(session, 0, other), id, "the same list");
	CHECK_EQ(cache_with_id(id)->users, 1, "users in caches");
	unlink(list);
	EXPECT_NOTES(session, "to the only inode", { ident_of(file), id });
}

/* Files that are gone are not told, and not counted. */
TEST(users_that_are_gone)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *list = make_list(env->lists, "tlv-a", "a");
	int session = session_open(), i;
	struct cache *cache;
	char *users[NUM_USERS];
	u64 id;

	tell(session, "notifier on");
	id = make_users(env, session, "tlv-a", users);
	CHECK_EQ(get(session, 0, file), id, "the same list");

	/* Half of them are removed, the others evicted. */
	for (i = 0; i < NUM_USERS / 2; i++)
		MUST(unlink(users[i]));
	WAIT_FOR(cache_with_id(id)->users <= NUM_USERS / 2 + 1,
		 "users that were removed are there");
	i = MUST(open(file, O_RDONLY));
	/* The list stays in memory as well. */
	MUST(open(list, O_RDONLY));
	WAIT_FOR((drop_caches(), cache = cache_with_id(id), cache) &&
		 cache->users == 1, "users that were evicted are there");
	replace_list(list, tlv_list("b"));
	EXPECT_NOTES(session, "to who is left", { ident_of(file), id });
	close(i);
}

/* Who notices a change by asking uses what it got then, and is told of it. */
TEST_FS(who_notices_is_told_of_both)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *list = make_list(env->lists, "tlv-a", "a");
	int session = session_open(), i;
	struct ident ident = ident_of(file);
	u64 old, new;

	tell(session, "notifier on");
	for (i = 0; i < 3; i++) {
		old = get(session, 0, file);
		forget_notes(session);
		/* No hook tells of this. */
		MUST(setxattr(list, "security.ima", "\3\2", 2, 0));
		new = get(session, 0, file);
		CHECK(new && new != old, "the old one");
		EXPECT_NOTES(session, "of the old one", { ident, old });
		replace_list(list, tlv_list("b"));
		EXPECT_NOTES(session, "of the new one", { ident, new });
	}
}

/* Users are told whatever happens to other files at the same time. */
static atomic_bool stop_labelling;

static void *label_in_thread(void *other)
{
	while (!stop_labelling)
		label(other, "tlv-other");
	return NULL;
}

TEST_FS(told_while_others_are_labelled)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *other = make_file(env->files, "other", NULL);
	char *list = make_list(env->lists, "tlv-a", "a");
	struct ident ident = ident_of(file);
	int session = session_open(), i;
	pthread_t thread;

	tell(session, "notifier on");
	CHECK(!pthread_create(&thread, NULL, label_in_thread, other), "thread");
	for (i = 0; i < 200; i++) {
		u64 id = get(session, 0, file);

		CHECK(id, "no list");
		replace_list(list, tlv_list(text("%d", i)));
		EXPECT_NOTES(session, "in turn", { ident, id });
	}
	stop_labelling = true;
	pthread_join(thread, NULL);
}

/* A change without a hook is noticed by a kernel thread that asks. */
TEST_FS(told_from_kernel_thread)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *list = make_list(env->lists, "tlv-a", "a");
	int session = session_open(), fd = MUST(open(file, O_RDONLY));
	struct ident ident = ident_of(file);
	struct note *notes = NULL;
	size_t num = 0, all = 0;
	u64 id;

	tell(session, "notifier on");
	id = get_fd(session, 0, fd);
	MUST(setxattr(list, "security.ima", "\3\2", 2, 0));
	CHECK(strtoull(ask(session, "async get 1 %d", fd), NULL, 10) != id,
	      "the old one");
	WAIT_FOR((notes = take_notes(session, &num),
		  all += num,
		  count_notes(notes, num, ident, id)),
		 "nobody is told");
	CHECK_EQ(all, 1, "notifications");
}

/* Subscribers that do things, each beside one that only logs. */
static const char *const subscribers[] = {
	"sleep=3", "alloc", "get", "sleep=1 alloc get", "evict",
	"sleep=1 alloc get evict",
};

TEST_FS(subscribers_do_things)
{
	char *list = make_list(env->lists, "tlv-a", "a");
	char *other = make_file(env->files, "other", "tlv-b");
	int session = session_open(), busy = session_open(), fd;
	char *users[NUM_USERS], *options;
	size_t i;

	make_list(env->lists, "tlv-b", "b");
	fd = MUST(open(other, O_RDONLY));
	tell(session, "notifier on");
	for (i = 0; i < ARRAY_SIZE(subscribers); i++) {
		struct ident idents[NUM_USERS];
		struct note want[NUM_USERS];
		u64 id;
		int j;

		options = strdup(subscribers[i]);
		if (strstr(options, "get"))
			options = text("%.*sget=%d%s",
				       (int)(strstr(options, "get") - options),
				       options, fd,
				       strstr(options, "get") + 3);
		tell(busy, "notifier on %s", options);
		id = make_users(env, session, "tlv-a", users);
		for (j = 0; j < NUM_USERS; j++) {
			idents[j] = ident_of(users[j]);
			want[j] = (struct note) { idents[j], id };
		}
		forget_notes(session);
		forget_notes(busy);

		replace_list(list, tlv_list(text("a-%zu", i)));
		expect_notes(session, want, NUM_USERS, subscribers[i]);
		expect_notes(busy, want, NUM_USERS, subscribers[i]);
		tell(busy, "notifier off");
		CHECK_FOUND(find(session, users[0], text("a-%zu", i)),
			    "afterwards: %s", subscribers[i]);
	}
}

/* A subscriber that asks for the very list gets the new one. */
TEST_FS(subscriber_gets_same_list)
{
	char *file = make_file(env->files, "file", "tlv-a");
	char *list = make_list(env->lists, "tlv-a", "a");
	int session = session_open(), fd = MUST(open(file, O_RDONLY));
	struct note *notes;
	u64 id, new;
	size_t num;
	int i;

	tell(session, "notifier on get=%d", fd);
	for (i = 0; i < 10; i++) {
		id = get(session, 0, file);
		CHECK(id, "no list");
		forget_notes(session);
		replace_list(list, tlv_list(text("a%d", i)));
		notes = take_notes(session, &num);
		CHECK_EQ(num, 1, "notifications");
		CHECK_EQ(notes[0].cache, id, "about the old one");
		new = get(session, 0, file);
		CHECK(new != id, "the old one");
		CHECK_EQ(notes[0].got, new, "what the subscriber got");
		CHECK_EQ(lookup(session, 0, digest(text("a%d", i))), new,
			 "the new digest");
	}
}

/* Turning a subscription off waits for who is being told. */
static void *write_in_thread(void *list)
{
	write_list(list, tlv_list("b"));
	return NULL;
}

TEST_FS(unregister_while_telling)
{
	char *list = make_list(env->lists, "tlv-a", "a");
	int session = session_open();
	char *users[NUM_USERS];
	pthread_t thread;
	size_t num;

	make_users(env, session, "tlv-a", users);
	tell(session, "notifier on sleep=10");
	CHECK(!pthread_create(&thread, NULL, write_in_thread, list), "thread");
	sleep_ms(50);
	tell(session, "notifier off");
	free(take_notes(session, &num));
	pthread_join(thread, NULL);
	expect_no_notes(session, "after it was turned off");
	/* A session may even end while others are told. */
	make_users(env, session, "tlv-a", users);
	tell(session, "notifier on sleep=10");
	CHECK(!pthread_create(&thread, NULL, write_in_thread, list), "thread");
	sleep_ms(50);
	close(session);
	pthread_join(thread, NULL);
}
