// SPDX-License-Identifier: GPL-2.0-only

//! Who is told that decisions are void.
//!
//! When a digest cache is reset, subscribers are called once for each inode that uses it and is
//! still in memory. They are called without any lock, with the inode pinned, where they may sleep:
//! before the system call that made the change returns to user space, or by a work queue where no
//! system call did (see [`crate::deferred`]). What a provider gets from `digest_cache_get()` is
//! right at once, whether it was told or not.
//!
//! The chain is in C (`glue.c`), as it takes macros to make one.

use kernel::{alloc::AllocError, bindings, prelude::*};

use crate::{
    blob::PinnedInode,
    cache::DigestCache,
    deferred,
    rcuref::{Job, RcuRef},
    stats::{self, Counter},
    users,
};

/// Calls the subscribers. May sleep.
fn call(cache: &RcuRef<DigestCache>, inode: &PinnedInode) {
    stats::count(Counter::Notifications);
    let mut data = bindings::digest_cache_event_data {
        digest_cache: RcuRef::as_raw(cache).as_ptr().cast(),
        inode: inode.as_ptr(),
    };
    // SAFETY: The data, the cache and the inode that it points to stay during the call.
    unsafe {
        bindings::digest_cache_chain_call(
            // CAST: The number of an event fits.
            bindings::digest_cache_event_DIGEST_CACHE_RESET as usize,
            (&raw mut data).cast(),
        );
    }
}

impl Job for DigestCache {
    /// The cache was reset.
    fn run(this: RcuRef<Self>) {
        while let Some(inode) = users::take_first(&this) {
            call(&this, &inode);
        }
    }
}

/// Has subscribers told about all users of `cache`, which has just been reset, and will not be
/// again. Does not sleep.
pub(crate) fn announce_reset(cache: &RcuRef<DigestCache>) {
    if cache.users.len() != 0 {
        // SAFETY: A cache is reset once.
        unsafe { RcuRef::defer(cache.clone()) };
    }
}

/// Memory for telling subscribers about one inode that leaves its cache.
pub(crate) struct Departure(deferred::Memory<Left>);

/// An inode that left its cache.
struct Left {
    cache: RcuRef<DigestCache>,
    inode: PinnedInode,
}

impl deferred::Task for Left {
    fn run(self) {
        call(&self.cache, &self.inode);
    }
}

impl Departure {
    /// Gets the memory. May sleep.
    pub(crate) fn reserve() -> Result<Self, AllocError> {
        deferred::Memory::new(GFP_KERNEL).map(Self)
    }

    /// Has subscribers told. Does not sleep.
    pub(crate) fn announce(self, cache: RcuRef<DigestCache>, inode: PinnedInode) {
        self.0.schedule(Left { cache, inode });
    }
}

/// Registers a subscriber. May sleep.
///
/// # Safety
///
/// As for `srcu_notifier_chain_register()`: `nb` stays valid until it is unregistered.
pub(crate) unsafe fn register(nb: *mut bindings::notifier_block) -> i32 {
    // SAFETY: By the contract of this function.
    unsafe { bindings::digest_cache_chain_register(nb) }
}

/// Unregisters a subscriber, and waits until it is not being called any more. May sleep.
///
/// # Safety
///
/// As for `srcu_notifier_chain_unregister()`.
pub(crate) unsafe fn unregister(nb: *mut bindings::notifier_block) -> i32 {
    // SAFETY: By the contract of this function.
    unsafe { bindings::digest_cache_chain_unregister(nb) }
}
