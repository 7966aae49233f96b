// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does what a kernel that checks itself must complain about, one fault each
 * time that it is loaded: "insmod dc_faults.ko fault=NAME". With these
 * complaints scripts/selftest-control tests that none goes unheard.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

static char *fault = "";
module_param(fault, charp, 0);
MODULE_PARM_DESC(fault, "what to do wrong");

/* Sleeps where that is not allowed. */
static void fault_sleep(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

/* Reads what RCU protects without saying so. */
static void fault_rcu(void)
{
	static int __rcu *pointer;

	if (rcu_dereference(pointer))
		pr_info("cannot be\n");
}

/* Takes two locks in one order, then in the other. */
static void fault_lock(void)
{
	static DEFINE_MUTEX(first);
	static DEFINE_MUTEX(second);

	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

/* Forgets memory; some of it may look as if a stale pointer still knew it. */
static void fault_leak(void)
{
	void *memory;
	int i;

	for (i = 0; i < 16; i++) {
		memory = kmalloc(123, GFP_KERNEL);
		/* The compiler is not to see that nobody has it. */
		OPTIMIZER_HIDE_VAR(memory);
	}
}

static void nothing(struct work_struct *work)
{
}

/* Frees an object that is still in use: work that has yet to be done. */
static void fault_object(void)
{
	struct delayed_work *work = kzalloc_obj(*work);

	if (!work)
		return;
	INIT_DELAYED_WORK(work, nothing);
	schedule_delayed_work(work, HZ);
	/* The kernel cancels it after complaining. */
	kfree(work);
}

/* Uses memory after it was freed. */
static void fault_memory(void)
{
	char *memory = kmalloc(123, GFP_KERNEL);

	if (!memory)
		return;
	kfree(memory);
	OPTIMIZER_HIDE_VAR(memory);
	WRITE_ONCE(*memory, 1);
}

static unsigned long counter;

static int count(void *done)
{
	ktime_t end = ktime_add_ms(ktime_get(), 3000);

	while (ktime_before(ktime_get(), end)) {
		counter++;
		cond_resched();
	}
	kthread_complete_and_exit(done, 0);
}

/* Two threads count in one variable. */
static void fault_race(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	int i, threads = 0;

	for (i = 0; i < 2; i++)
		if (!IS_ERR(kthread_run(count, &done, "count/%d", i)))
			threads++;
	while (threads--)
		wait_for_completion(&done);
}

static const struct {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{ "sleep", fault_sleep },
	{ "rcu", fault_rcu },
	{ "lock", fault_lock },
	{ "leak", fault_leak },
	{ "object", fault_object },
	{ "memory", fault_memory },
	{ "race", fault_race },
};

static int __init faults_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(faults[i].name, fault))
			continue;
		pr_info("fault %s\n", fault);
		faults[i].commit();
		return 0;
	}
	return -EINVAL;
}
module_init(faults_init);

static void __exit faults_exit(void)
{
}
module_exit(faults_exit);

MODULE_DESCRIPTION("Faults that a kernel which checks itself must see");
MODULE_LICENSE("GPL");
