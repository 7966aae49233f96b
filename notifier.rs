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
//!
//! # Locking
//!
//! A spinlock protects the list of inodes that left their caches; the spinlock of each of them
//! nests in it. Neither is held while subscribers are called.

use kernel::{
    bindings, new_spinlock,
    prelude::*,
    sync::{global_lock, SpinLock},
};

use crate::{
    blob::PinnedInode,
    cache::DigestCache,
    rcuref::{Job, Object, RcuRef, Slot},
    stats::{self, Counter, Reason},
    users,
    vfs::SuperBlock,
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
pub(crate) fn announce_reset(cache: &RcuRef<DigestCache>, reason: Reason) {
    if cache.users.len() == 0 {
        return;
    }
    let cache = cache.clone();
    // SAFETY: A cache is reset once.
    unsafe {
        match reason {
            // Whoever needed memory has nothing to do with it, and may not return for long.
            Reason::Evicted => RcuRef::defer_to_queue(cache),
            _ => RcuRef::defer(cache),
        }
    }
}

global_lock! {
    // SAFETY: `init` is called before anything else of this module.
    unsafe(uninit) static LEFT: SpinLock<Slot<Departure>> = Slot::new();
}

/// Prepares the list of inodes that left.
///
/// # Safety
///
/// Must be called once, before anything else of this module.
pub(crate) unsafe fn init() {
    // SAFETY: By the contract of this function.
    unsafe { LEFT.init() };
}

/// An inode that left its cache, about which subscribers are to be told.
///
/// It is pinned until then, for which an unmount waits. The task that is to tell may be the one
/// that unmounts, in a job of its own that comes first: therefore all that are waiting are in a
/// list, from which [`tell_about`] takes them.
///
/// # Invariants
///
/// `left` is empty when the last reference is dropped, as dropping an inode may sleep.
#[pin_data]
pub(crate) struct Departure {
    #[pin]
    left: SpinLock<Option<(RcuRef<DigestCache>, PinnedInode)>>,
    /// The next in the list; changed with the lock of the list held.
    next: Slot<Departure>,
}

impl Object for Departure {}

impl Departure {
    /// Gets the memory for telling about an inode. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn reserve() -> Result<RcuRef<Self>> {
        RcuRef::pin_init(
            pin_init!(Self {
                left <- new_spinlock!(None, "digest_cache_departure"),
                next: Slot::new(),
            }),
            GFP_KERNEL,
        )
    }

    /// Has subscribers told that `inode` left `cache`. To be called once. Does not sleep.
    pub(crate) fn announce(this: RcuRef<Self>, cache: RcuRef<DigestCache>, inode: PinnedInode) {
        // Nothing is dropped by this: there was nothing before.
        let _ = this.left.lock().replace((cache, inode));
        let list = LEFT.lock();
        drop(this.next.swap(list.swap(Some(this.clone()))));
        drop(list);
        // SAFETY: This is the only time, as the caller promises.
        unsafe { RcuRef::defer(this) };
    }

    /// Tells, unless somebody else does or did. May sleep.
    fn tell(&self) {
        let left = self.left.lock().take();
        if let Some((cache, inode)) = left {
            call(&cache, &inode);
        }
    }
}

impl Job for Departure {
    fn run(this: RcuRef<Self>) {
        this.tell();
        // Takes this, and others that were told about, out of the list.
        let list = LEFT.lock();
        let mut rest = list.swap(None);
        while let Some(departure) = rest {
            rest = departure.next.swap(None);
            if departure.left.lock().is_some() {
                drop(departure.next.swap(list.swap(Some(departure.clone()))));
            }
        }
    }
}

/// Tells about all inodes of `superblock` that are waiting for it. May sleep.
pub(crate) fn tell_about(superblock: &SuperBlock) {
    loop {
        let list = LEFT.lock();
        let mut current = list.get();
        while let Some(departure) = &current {
            let left = departure.left.lock();
            if matches!(&*left, Some((_, inode)) if inode.superblock().is(superblock)) {
                break;
            }
            drop(left);
            current = departure.next.get();
        }
        drop(list);
        match current {
            Some(departure) => departure.tell(),
            None => return,
        }
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
