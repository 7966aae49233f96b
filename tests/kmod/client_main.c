// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client of the digest_cache LSM, as an integrity provider is one, that does
 * what a test tells it.
 *
 * Every function of <linux/digest_cache.h> is reached through one file in
 * securityfs, digest_cache_test/session. Each time it is opened, a session of
 * its own begins. See client_session.c for what to write to it.
 */
#include <linux/module.h>
#include <linux/security.h>

#include "client.h"

static struct dentry *client_dir;

static int __init client_init(void)
{
	struct dentry *file;
	int ret;

	ret = async_init();
	if (ret)
		return ret;

	client_dir = securityfs_create_dir("digest_cache_test", NULL);
	if (IS_ERR(client_dir)) {
		ret = PTR_ERR(client_dir);
		goto out_async;
	}

	file = securityfs_create_file("session", 0600, client_dir, NULL,
				      &session_operations);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto out_dir;
	}
	return 0;

out_dir:
	securityfs_remove(client_dir);
out_async:
	async_exit();
	return ret;
}

static void __exit client_exit(void)
{
	/* An open session keeps the module loaded, so there is none. */
	securityfs_remove(client_dir);
	probe_exit();
	script_exit();
	async_exit();
}

module_init(client_init);
module_exit(client_exit);
MODULE_DESCRIPTION("Test client of the digest_cache LSM");
MODULE_LICENSE("GPL");
