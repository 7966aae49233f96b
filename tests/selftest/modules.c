// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "modules.h"
#include "test.h"

int module_load(const char *directory, const char *name, const char *params)
{
	int fd, ret;

	fd = open(text("%s/%s.ko", directory, name), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return ret;
}

int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

int module_unload_wait(const char *name)
{
	double end = now() + WAIT_SECONDS;
	int ret;

	/* Files that were closed a moment ago are released a moment later. */
	while ((ret = module_unload(name)) == -EAGAIN && now() < end)
		sleep_ms(5);
	return ret;
}
