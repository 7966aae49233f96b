// SPDX-License-Identifier: GPL-2.0-only
/*
 * A parser of digest lists that say themselves what the parser is to do, to
 * reach the calls that are for parsers.
 *
 *	script on NAME	register the parser under a name
 *	script off NAME
 *	script log	reply with what was done since, and forget it
 *
 * "on" replies with the result of digest_cache_register_parser().
 *
 * A line of a list is one of these; the log has a line for each, the word and
 * the result of the call:
 *
 *	init ALGO NUM
 *	add ALGO HEX
 *	lookup ALGO HEX
 *	sleep MS
 *	return ERROR	end with this error
 */
#include <linux/delay.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client.h"

#define MAX_LOG		(16 * 1024)

/**
 * struct script_parser - the parser under one name
 * @list: in @parsers
 * @parser: what is registered
 * @registered: whether it is
 *
 * Memory is freed when the module goes, because a parser may be looked at a
 * little longer than it is registered.
 */
struct script_parser {
	struct list_head list;
	struct parser parser;
	bool registered;
};

/* Protects the parsers. */
static DEFINE_MUTEX(parsers_lock);
static LIST_HEAD(parsers);

/* Protects the log. */
static DEFINE_MUTEX(log_lock);
static char log_buffer[MAX_LOG];
static struct seq_buf script_log = {
	.buffer = log_buffer,
	.size = MAX_LOG,
};

static void log_result(const char *word, int result)
{
	mutex_lock(&log_lock);
	/* What does not fit any more is left out. */
	if (script_log.size - seq_buf_used(&script_log) > 64)
		seq_buf_printf(&script_log, "%.40s %d\n", word, result);
	mutex_unlock(&log_lock);
}

/* Does what a line says. Returns whether to end, and then with which error. */
static bool one_line(struct digest_cache *digest_cache, int argc, char **argv,
		     int *result)
{
	u8 digest[MAX_DIGEST];
	unsigned int number;
	enum hash_algo algo;
	int ret = -EINVAL;

	if (argc == 2 && !strcmp(argv[0], "return"))
		return !kstrtoint(argv[1], 10, result);

	if (argc == 2 && !strcmp(argv[0], "sleep")) {
		ret = kstrtouint(argv[1], 10, &number);
		if (!ret)
			msleep(number);
	} else if (argc == 3 && !strcmp(argv[0], "init")) {
		ret = digest_of_words(argv[1], "", &algo, digest);
		if (!ret)
			ret = kstrtouint(argv[2], 10, &number);
		if (!ret)
			ret = digest_cache_htable_init(digest_cache, number,
						       algo);
	} else if (argc == 3 && !strcmp(argv[0], "add")) {
		ret = digest_of_words(argv[1], argv[2], &algo, digest);
		if (!ret)
			ret = digest_cache_htable_add(digest_cache, digest,
						      algo);
	} else if (argc == 3 && !strcmp(argv[0], "lookup")) {
		ret = digest_of_words(argv[1], argv[2], &algo, digest);
		if (!ret)
			ret = digest_cache_htable_lookup(NULL, digest_cache,
							 digest, algo);
	}
	log_result(argv[0], ret);
	return false;
}

static int script_parse(struct digest_cache *digest_cache, const u8 *data,
			size_t data_len)
{
	char *text, *rest, *line, **argv;
	int argc, ret = 0;
	bool end = false;

	text = kmemdup_nul(data, data_len, GFP_KERNEL);
	if (!text)
		return -ENOMEM;

	rest = text;
	while (!end && (line = strsep(&rest, "\n"))) {
		argv = argv_split(GFP_KERNEL, line, &argc);
		if (!argv) {
			ret = -ENOMEM;
			break;
		}
		if (argc)
			end = one_line(digest_cache, argc, argv, &ret);
		argv_free(argv);
	}

	kfree(text);
	return ret;
}

static struct script_parser *find_parser(const char *name)
{
	struct script_parser *script;

	list_for_each_entry(script, &parsers, list)
		if (!strncmp(script->parser.name, name,
			     sizeof(script->parser.name)))
			return script;
	return NULL;
}

static int script_on(const char *name, struct seq_buf *reply)
{
	struct script_parser *script;
	int ret;

	script = kzalloc_obj(*script);
	if (!script)
		return -ENOMEM;
	script->parser.owner = THIS_MODULE;
	script->parser.func = script_parse;
	/* A name that is too long gets no terminator, to see it refused. */
	memcpy((char *)script->parser.name, name,
	       min(strlen(name), sizeof(script->parser.name)));

	ret = digest_cache_register_parser(&script->parser);
	seq_buf_printf(reply, "%d\n", ret);
	if (ret) {
		kfree(script);
		return 0;
	}

	script->registered = true;
	mutex_lock(&parsers_lock);
	list_add(&script->list, &parsers);
	mutex_unlock(&parsers_lock);
	return 0;
}

static int script_off(const char *name)
{
	struct script_parser *script;
	int ret = -ENOENT;

	mutex_lock(&parsers_lock);
	script = find_parser(name);
	if (script && script->registered) {
		digest_cache_unregister_parser(&script->parser);
		script->registered = false;
		ret = 0;
	}
	mutex_unlock(&parsers_lock);
	return ret;
}

int script_command(int argc, char **argv, struct seq_buf *reply)
{
	if (argc == 2 && !strcmp(argv[0], "on"))
		return script_on(argv[1], reply);
	if (argc == 2 && !strcmp(argv[0], "off"))
		return script_off(argv[1]);
	if (argc != 1 || strcmp(argv[0], "log"))
		return -EINVAL;

	mutex_lock(&log_lock);
	seq_buf_printf(reply, "%.*s", (int)seq_buf_used(&script_log),
		       log_buffer);
	seq_buf_clear(&script_log);
	mutex_unlock(&log_lock);
	return 0;
}

void script_exit(void)
{
	struct script_parser *script, *next;

	list_for_each_entry_safe(script, next, &parsers, list) {
		if (script->registered)
			digest_cache_unregister_parser(&script->parser);
		kfree(script);
	}
}
