// SPDX-License-Identifier: GPL-2.0-only

//! Tracepoints.
//!
//! C header: [`include/trace/events/digest_cache.h`](srctree/include/trace/events/digest_cache.h)

use kernel::{bindings, ffi::c_char, prelude::*, str::CStr, tracepoint::declare_trace};

use crate::{parsers::algo::HashAlgo, stats::Reason, vfs::Inode};

declare_trace! {
    /// # Safety
    ///
    /// `inode` is alive.
    unsafe fn digest_cache_get(inode: *const bindings::inode, id: u64, warm: bool);

    /// # Safety
    ///
    /// `name` is a string.
    unsafe fn digest_cache_load(id: u64, name: *const c_char, error: i32, digests: u64, bytes: u64);

    /// # Safety
    ///
    /// Always safe to call.
    unsafe fn digest_cache_lookup(id: u64, found: u64, algo: u8, error: i32);

    /// # Safety
    ///
    /// `name` and `reason` are strings.
    unsafe fn digest_cache_reset(id: u64, name: *const c_char, reason: *const c_char, users: u32);
}

/// A digest cache was asked for.
pub(crate) fn get(inode: &Inode, id: u64, warm: bool) {
    // SAFETY: A reference to an inode is to one that is alive.
    unsafe { digest_cache_get(inode.as_ptr(), id, warm) }
}

/// A list or directory was loaded, or not.
pub(crate) fn load(id: u64, name: &CStr, error: Option<Error>, digests: usize, bytes: usize) {
    let error = error.map_or(0, |e| e.to_errno());
    // SAFETY: The name is a string.
    // CAST: `usize` fits 64 bits.
    unsafe { digest_cache_load(id, name.as_char_ptr(), error, digests as u64, bytes as u64) }
}

/// A digest was looked up.
pub(crate) fn lookup(id: u64, found: u64, algo: HashAlgo, error: Option<Error>) {
    let error = error.map_or(0, |e| e.to_errno());
    // SAFETY: There is nothing to ensure.
    unsafe { digest_cache_lookup(id, found, algo.raw(), error) }
}

/// A digest cache was reset.
pub(crate) fn reset(id: u64, name: &CStr, reason: Reason, users: u32) {
    // SAFETY: Both are strings.
    unsafe { digest_cache_reset(id, name.as_char_ptr(), reason.name().as_char_ptr(), users) }
}
