/* SPDX-License-Identifier: GPL-2.0-only */
/* Integers and attributes by the names that the kernel has for them. */
#ifndef _TYPES_H
#define _TYPES_H

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#define __noreturn		__attribute__((__noreturn__))
#define __printf(format, first)	__attribute__((__format__(printf, format, first)))

#endif /* _TYPES_H */
