// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the Rust code needs from C because macros make it; see glue.h.
 */
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include <linux/wait_bit.h>

#include "glue.h"

#define CREATE_TRACE_POINTS
#define CREATE_RUST_TRACE_POINTS
#include <trace/events/digest_cache.h>

static DEFINE_PER_CPU(u64 [DIGEST_CACHE_NUM_COUNTERS], counters);

/*
 * Count an event. Not for interrupts: with these enabled, the counters of
 * architectures that cannot increment memory at once would miss events.
 */
void digest_cache_count(unsigned int counter)
{
	preempt_disable();
	__this_cpu_inc(counters[counter]);
	preempt_enable();
}

/*
 * Tell how often an event was counted. Where a word has 32 bits, a count that
 * changes at the same time may be off.
 */
u64 digest_cache_counted(unsigned int counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(&counters[counter], cpu));

	return sum;
}

/*
 * A chain of SRCU, not a blocking one: no lock is held while subscribers run,
 * so none of them can keep others from being called or from registering.
 */
SRCU_NOTIFIER_HEAD_STATIC(chain);

int digest_cache_chain_register(struct notifier_block *nb)
{
	return srcu_notifier_chain_register(&chain, nb);
}

int digest_cache_chain_unregister(struct notifier_block *nb)
{
	return srcu_notifier_chain_unregister(&chain, nb);
}

void digest_cache_chain_call(unsigned long event, void *data)
{
	srcu_notifier_call_chain(&chain, event, data);
}

/* Make digest_cache_wait_unpinned() wait. Any context. */
void digest_cache_pin(atomic_long_t *pins)
{
	atomic_long_inc(pins);
	/* Seen by who waits if what follows was not prevented by it. */
	smp_mb__after_atomic();
}

/* Undo digest_cache_pin(). Any context. */
void digest_cache_unpin(atomic_long_t *pins)
{
	/* Who waits may free @pins at once: only its address is used then. */
	if (atomic_long_dec_and_test(pins))
		wake_up_var(pins);
}

/* Wait until digest_cache_unpin() was called as often as the other. Sleeps. */
void digest_cache_wait_unpinned(atomic_long_t *pins)
{
	/* Pairs with the barrier in digest_cache_pin(). */
	smp_mb();
	wait_var_event(pins, !atomic_long_read(pins));
}

/* Wake those who wait in digest_cache_wait_loaded(), after the release. */
void digest_cache_wake_loaded(void **loader)
{
	/* Pairs with the barrier of a task that begins to wait. */
	smp_mb();
	wake_up_var(loader);
}

static bool is_loaded(void **loader)
{
	/* Pairs with the release by which it is made null. */
	return !smp_load_acquire(loader);
}

/*
 * Wait until @loader is null, to be seen with acquire semantics.
 *
 * Return: What is left of @timeout jiffies, at least 1; 0 if it elapsed; a
 * negative value if the task is being killed.
 */
long digest_cache_wait_loaded(void **loader, unsigned long timeout)
{
	long __ret = timeout;

	might_sleep();
	if (!___wait_cond_timeout(is_loaded(loader)))
		__ret = ___wait_var_event(loader,
					  ___wait_cond_timeout(is_loaded(loader)),
					  TASK_KILLABLE, 0, timeout,
					  __ret = schedule_timeout(__ret));
	return __ret;
}
