// SPDX-License-Identifier: GPL-2.0-only

//! KUnit suites of the digest cache.
//!
//! One file a suite, named `digest_cache_*`. What is pure logic is tested much further in user
//! space (`tools/formats/tests`), where property tests and fuzzers are at home: the suites here see
//! to it that the same sources, compiled for the kernel, do the same with each malformed input that
//! has a rule, and test what exists only in the kernel.

mod algos;
mod bytes;
mod index;
mod lifecycle;
mod modsig;
mod names;
mod rcuref;
mod rpm;
mod table;
mod tlv;
mod users;
