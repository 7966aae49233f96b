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
//! | [`rcuref`], [`deferred`], [`vfs`], [`wait`], [`ratelimit`] | what the `kernel` crate lacks |
//! | [`blob`] | what hangs on inodes, files and superblocks |
//! | [`cache`], [`live`] | the digest cache and its life cycle; all of them |
//! | [`resolve`] | from a file to its digest cache |
//! | [`populate`], [`table`] | from a list on disk to tables in memory |
//! | [`formats`], [`builder`] | parsers in modules, and what they make |
//! | [`dir`] | the directory of lists as one digest cache, prefetching |
//! | [`reset`] | what a file-system change invalidates |
//! | [`users`], [`notifier`] | which inodes use a digest cache, and who is told about them |
//! | [`verif`] | what integrity providers found out about a list |
//! | [`htable`], [`index`], [`parsers`] | pure logic, the same source files as in user space |
//! | [`stats`], [`trace`], [`show`] | what happens, for people |
//! | [`securityfs`], [`capi`] | the interfaces to user space and to C |
//!
//! `unsafe` is confined to the rooms that wrap C, `lsm`, `rcuref`, `deferred`, `vfs`, `wait`,
//! `ratelimit`, `blob`, `users`, `live`, `notifier`, `formats`, `stats`, `trace`, `securityfs` and
//! `capi`, and to a random number in `dir` (and one KUnit suite, which looks at a table of C).

mod blob;
mod builder;
mod cache;
mod capi;
mod deferred;
mod dir;
mod formats;
// Shared with user space, which uses more of them, and as a crate of their own.
#[allow(unreachable_pub)]
mod htable;
#[allow(unreachable_pub)]
mod index;
#[cfg(CONFIG_DIGEST_CACHE_KUNIT_TEST)]
mod kunit;
mod live;
mod lsm;
mod lsm_hooks;
mod notifier;
#[allow(dead_code, unreachable_pub)]
mod parsers;
mod populate;
mod ratelimit;
mod rcuref;
mod reset;
mod resolve;
mod securityfs;
mod show;
mod stats;
mod table;
mod trace;
mod users;
mod verif;
mod vfs;
mod wait;
mod word;

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
        // SAFETY: The framework calls this once, before there is a default path: nobody has a
        // digest cache, and nothing but loadable modules registers parsers.
        unsafe {
            deferred::init();
            live::init();
            formats::init();
            notifier::init();
        }
        // The file that a bad path can be mended with comes first.
        securityfs::init()?;
        resolve::set_default_path(path.strip_suffix(b"\0").unwrap_or(path))
    }
}

declare_lsm!(DigestCacheLsm);
