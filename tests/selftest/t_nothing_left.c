// SPDX-License-Identifier: GPL-2.0-only
/* When all lists are dropped, no digest cache is left. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs.h"
#include "kernel.h"
#include "session.h"
#include "test.h"

TEST(nothing_left)
{
	char *file = make_file(env->files, "file", "tlv-a");
	int session = session_open();

	make_list(env->lists, "tlv-a", "a");
	CHECK_FOUND(find(session, file, "a"), "the list");
	tell(session, "put %d", SCRATCH_SLOT);
	set_default_path(in(env->root, "nowhere"));
	CHECK_EQ(get(session, 0, file), 0, "nothing");

	WAIT_FOR((drop_caches(), stat_value("caches") == 0),
		 "digest caches are left:\n%s", read_file(CACHES));
	CHECK_EQ(stat_value("digests"), 0, "digests");
	CHECK_EQ(stat_value("bytes"), 0, "bytes");
}
