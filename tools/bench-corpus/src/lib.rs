// SPDX-License-Identifier: GPL-2.0-only
//! What the macro benchmark reads: many small files, the digest lists that they
//! are in, and the order in which they are read.
//!
//! Everything follows from a few numbers and a seed ([`plan`]), so that two runs
//! on different machines do the same work. Only signatures differ from run to run:
//! ECDSA draws a number for each.
//!
//! A corpus is one tree ([`layout`], [`make`]) whose files get one kind of extended
//! attribute after the other ([`attach`]), with a disk image made in between. What
//! the variants of the benchmark read thus differs in these attributes and in
//! nothing else, not even in where a file is on the disk.
//!
//! Lists are written, signed and attached by the library of `digest-list`, as those
//! of a real system are.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod attach;
pub mod cli;
pub mod ima;
pub mod layout;
pub mod make;
pub mod plan;
pub mod random;
