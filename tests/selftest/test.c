// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running tests: each as a process, with a time limit.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "env.h"
#include "test.h"

/* Exit status of a test that was skipped, as kselftest has it */
#define STATUS_SKIP	4

/* How long a process may take to die, which it does not if the kernel hangs */
#define DEATH_SECONDS	20

static struct test *first, **last = &first;

/* Why the test was skipped, in memory that is shared with its process. */
static char *skip_reason;
#define MAX_REASON	256

void test_register(struct test *test)
{
	*last = test;
	last = &test->next;
}

struct test *test_first(void)
{
	return first;
}

double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

void sleep_ms(unsigned int ms)
{
	struct timespec time = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};

	nanosleep(&time, NULL);
}

char *text(const char *format, ...)
{
	va_list args;
	char *string;
	int len;

	va_start(args, format);
	len = vasprintf(&string, format, args);
	va_end(args);
	if (len < 0)
		abort();
	return string;
}

static void print_diag(const char *format, va_list args)
{
	char line[4096], *rest = line, *part;

	vsnprintf(line, sizeof(line), format, args);
	while ((part = strsep(&rest, "\n")))
		printf("# %s\n", part);
	fflush(stdout);
}

void diag(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_diag(format, args);
	va_end(args);
}

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_diag(format, args);
	va_end(args);
	diag("%s:%d", file, line);
	/* Other threads of the test end with it. */
	_exit(1);
}

void test_skip(const char *reason)
{
	snprintf(skip_reason, MAX_REASON, "%s", reason);
	_exit(STATUS_SKIP);
}

/*
 * Waits for the child with a time limit. Returns its status, -1 if it was
 * killed, and -2 if even that took too long.
 */
static int wait_child(pid_t child, unsigned int timeout)
{
	double end = now() + timeout;
	bool killed = false;
	int status;

	for (;;) {
		pid_t pid = waitpid(child, &status, WNOHANG);

		if (pid == child)
			return killed ? -1 : status;
		if (pid < 0)
			return -2;
		if (now() > end && killed)
			return -2;
		if (now() > end) {
			diag("not finished after %u seconds", timeout);
			kill(-child, SIGKILL);
			killed = true;
			end = now() + DEATH_SECONDS;
		}
		sleep_ms(2);
	}
}

static void __noreturn child(const struct test *test, const struct env *given)
{
	struct env env = *given;

	setpgid(0, 0);
	env.data = test->data;
	env_enter(&env, test);
	test->func(&env);
	fflush(stdout);
	_exit(0);
}

bool test_run(const struct test *test, const struct env *env,
	      unsigned int timeout, const char **skipped)
{
	bool passed;
	pid_t pid;
	int status;

	*skipped = NULL;
	if (!skip_reason) {
		skip_reason = mmap(NULL, MAX_REASON, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (skip_reason == MAP_FAILED)
			abort();
	}

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		diag("fork: %s", strerror(errno));
		return false;
	}
	if (!pid)
		child(test, env);
	setpgid(pid, pid);

	status = wait_child(pid, timeout);
	if (status == -2) {
		printf("Bail out! %s cannot be killed\n", test->name);
		fflush(stdout);
		_exit(1);
	}
	if (status >= 0 && WIFSIGNALED(status))
		diag("killed by signal %d", WTERMSIG(status));
	passed = status == 0;
	if (status >= 0 && WIFEXITED(status) &&
	    WEXITSTATUS(status) == STATUS_SKIP) {
		*skipped = skip_reason;
		passed = true;
	}

	/* What processes of the test are left would get in the way. */
	kill(-pid, SIGKILL);
	return env_leave(env, test) && passed;
}
