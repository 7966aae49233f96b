/* SPDX-License-Identifier: GPL-2.0-only */
/* SHA-256, for the tests in which IMA computes digests as well. */
#ifndef _SHA256_H
#define _SHA256_H

#include <stddef.h>

#include "types.h"

#define SHA256_SIZE	32

void sha256(const void *data, size_t len, u8 digest[SHA256_SIZE]);

#endif /* _SHA256_H */
