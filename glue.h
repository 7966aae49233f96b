/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the Rust code needs from C because macros make it: static data of the
 * notifier chain and of per-CPU counters, tracepoints, waiting for a word to
 * change.
 */
#ifndef _SECURITY_DIGEST_CACHE_GLUE_H
#define _SECURITY_DIGEST_CACHE_GLUE_H

#include <linux/atomic.h>
#include <linux/notifier.h>
#include <linux/types.h>

/* At least as many as stats.rs has; checked there. */
#define DIGEST_CACHE_NUM_COUNTERS	64

void digest_cache_count(unsigned int counter);
u64 digest_cache_counted(unsigned int counter);

int digest_cache_chain_register(struct notifier_block *nb);
int digest_cache_chain_unregister(struct notifier_block *nb);
void digest_cache_chain_call(unsigned long event, void *data);

void digest_cache_pin(atomic_long_t *pins);
void digest_cache_unpin(atomic_long_t *pins);
void digest_cache_wait_unpinned(atomic_long_t *pins);

void digest_cache_wake_loaded(void **loader);
long digest_cache_wait_loaded(void **loader, unsigned long timeout);

#endif /* _SECURITY_DIGEST_CACHE_GLUE_H */
