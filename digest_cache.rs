// SPDX-License-Identifier: GPL-2.0-only

//! digest_cache: reference digests for integrity providers.
//!
//! This Linux Security Module extracts file digests from *digest lists*, keeps them in tables in
//! kernel memory, links them to inodes, and answers one question fast: is this digest a reference
//! value, and from which list? It never grants or denies anything. Integrity providers (IMA, IPE,
//! BPF LSM programs, others) ask it, and decide by what they themselves found out about the list.
//!
//! # Rooms
//!
//! | room | what lives there |
//! |---|---|
//! | [`lsm`] | the LSM framework, for any LSM in Rust |
//! | [`lsm_hooks`] | our hooks |
//! | [`rcuref`], [`vfs`], [`wait`], [`ratelimit`] | what the `kernel` crate has no abstractions for yet |
//! | [`blob`] | what hangs on inodes and files |
//! | [`cache`] | the digest cache and its life cycle |
//! | [`resolve`] | from a file to its digest cache |
//! | [`populate`], [`table`] | from a list on disk to tables in memory |
//! | [`dir`] | the directory of lists as one digest cache |
//! | [`reset`] | what a file-system change invalidates |
//! | [`verif`] | what integrity providers found out about a list |
//! | [`htable`], [`parsers`] | pure logic, the same source files as in user space |
//! | [`securityfs`], [`capi`] | the interfaces to user space and to C |
//!
//! `unsafe` is confined to `lsm`, `rcuref`, `vfs`, `wait`, `ratelimit`, `blob`, `securityfs` and `capi` (and
//! one KUnit suite, which looks at a table of C).

mod blob;
mod cache;
mod capi;
mod dir;
// Shared with user space, which uses more of them, and as a crate of their own.
#[allow(unreachable_pub)]
mod htable;
#[cfg(CONFIG_DIGEST_CACHE_KUNIT_TEST)]
mod kunit;
mod lsm;
mod lsm_hooks;
#[allow(dead_code, unreachable_pub)]
mod parsers;
mod populate;
mod ratelimit;
mod rcuref;
mod reset;
mod resolve;
mod securityfs;
mod table;
mod verif;
mod vfs;
mod wait;

use kernel::{prelude::*, str::CStr};

/// Prefix of our messages.
const __LOG_PREFIX: &[u8] = b"digest_cache\0";

/// The LSM.
pub(crate) struct DigestCacheLsm;

impl lsm::Lsm for DigestCacheLsm {
    const NAME: &'static CStr = c"digest_cache";
    const ID: u64 = kernel::bindings::LSM_ID_DIGEST_CACHE as u64;
    const BLOBS: lsm::BlobSizes = blob::SIZES;

    fn init_fs() -> Result {
        let path = kernel::bindings::CONFIG_DIGEST_LIST_DEFAULT_PATH;
        // The file that a bad path can be mended with comes first.
        securityfs::init()?;
        resolve::set_default_path(path.strip_suffix(b"\0").unwrap_or(path))
    }
}

declare_lsm!(DigestCacheLsm);
