// SPDX-License-Identifier: GPL-2.0-only
/*
 * The textbook structure: an array of list heads, each digest in memory of its
 * own, some thirty in each list, found by its first two bytes. The C prototype
 * of 2024 used it, as its documentation says.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "bench.h"

#define AVERAGE_DEPTH	30

struct node {
	struct hlist_node list;
	u8 digest[];
};

struct baseline {
	unsigned int num_slots;
	struct hlist_head *slots;
};

static unsigned int slot_of(const struct baseline *table, const u8 *digest)
{
	return get_unaligned_le16(digest) % table->num_slots;
}

static void baseline_free(void *data)
{
	struct baseline *table = data;
	struct hlist_node *next;
	struct node *node;

	for (unsigned int i = 0; i < table->num_slots; i++) {
		hlist_for_each_entry_safe(node, next, &table->slots[i], list) {
			hlist_del(&node->list);
			kfree(node);
		}
	}
	kvfree(table->slots);
	kfree(table);
}

static struct baseline *baseline_new(size_t num)
{
	struct baseline *table = kmalloc_obj(*table);

	if (!table)
		return NULL;
	table->num_slots = max_t(size_t, num / AVERAGE_DEPTH, 1);
	table->slots = kvcalloc(table->num_slots, sizeof(*table->slots),
				GFP_KERNEL);
	if (!table->slots) {
		kfree(table);
		return NULL;
	}
	return table;
}

static int baseline_add(void *data, const u8 *digest)
{
	struct baseline *table = data;
	struct node *node;

	node = kmalloc(sizeof(*node) + DIGEST_SIZE, GFP_KERNEL);
	if (!node)
		return -ENOMEM;
	memcpy(node->digest, digest, DIGEST_SIZE);
	hlist_add_head(&node->list, &table->slots[slot_of(table, digest)]);
	return 0;
}

static int count(void *data, const u8 *digest)
{
	++*(size_t *)data;
	return 0;
}

/*
 * The prototype took the number from the list; here it is counted, which costs
 * a little of what loading does.
 */
static void *baseline_load(const struct bytes *list, enum format format)
{
	struct baseline *table;
	size_t num = 0;

	if (walk_digests(list, format, count, &num))
		return NULL;
	table = baseline_new(num);
	if (!table)
		return NULL;
	if (walk_digests(list, format, baseline_add, table)) {
		baseline_free(table);
		return NULL;
	}
	return table;
}

void *baseline_of_digests(const u8 *digests, size_t num)
{
	struct baseline *table = baseline_new(num);

	for (size_t i = 0; table && i < num; i++) {
		if (baseline_add(table, digests + i * DIGEST_SIZE)) {
			baseline_free(table);
			return NULL;
		}
	}
	return table;
}

static bool baseline_contains(const void *data, const u8 *digest)
{
	const struct baseline *table = data;
	const struct node *node;

	hlist_for_each_entry(node, &table->slots[slot_of(table, digest)], list)
		if (!memcmp(node->digest, digest, DIGEST_SIZE))
			return true;
	return false;
}

static size_t baseline_bytes(const void *data)
{
	const struct baseline *table = data;
	const struct node *node;
	size_t bytes;

	/* What vmalloc() gave is whole pages. */
	bytes = ksize(table);
	bytes += is_vmalloc_addr(table->slots) ?
		PAGE_ALIGN(table->num_slots * sizeof(*table->slots)) :
		ksize(table->slots);
	for (unsigned int i = 0; i < table->num_slots; i++)
		hlist_for_each_entry(node, &table->slots[i], list)
			bytes += ksize(node);
	return bytes;
}

const struct table_ops baseline_ops = {
	.name = "baseline",
	.load = baseline_load,
	.contains = baseline_contains,
	.bytes = baseline_bytes,
	.free = baseline_free,
};
