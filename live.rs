// SPDX-License-Identifier: GPL-2.0-only

//! All digest caches that are referenced by somebody, for looking at them.
//!
//! # Invariants
//!
//! A cache is in the list from [`add`] to [`remove`], which runs when its last reference has gone;
//! its memory stays for a grace period after that. Whoever finds it under RCU may look at it.
//!
//! # Locking
//!
//! A spinlock, taken with interrupts disabled, because references are dropped in any context. No
//! other lock nests in it. Reading takes none.

use core::ptr::{null_mut, NonNull};
use kernel::{
    prelude::*,
    sync::{
        atomic::{Acquire, Atomic, Relaxed, Release},
        global_lock, rcu,
    },
};

use crate::{
    cache::DigestCache,
    rcuref::{Peek, RcuRef},
};

global_lock! {
    // SAFETY: `init` is called before anything else of this module.
    unsafe(uninit) static LOCK: SpinLockIrq<()> = ();
}

static FIRST: Atomic<*mut DigestCache> = Atomic::new(null_mut());

/// The neighbours of a cache in the list. Written with the lock held.
pub(crate) struct Links {
    next: Atomic<*mut DigestCache>,
    prev: Atomic<*mut DigestCache>,
}

impl Links {
    /// Not in the list.
    pub(crate) const fn new() -> Self {
        Self {
            next: Atomic::new(null_mut()),
            prev: Atomic::new(null_mut()),
        }
    }
}

/// Prepares the list.
///
/// # Safety
///
/// Must be called once, before anything else of this module.
pub(crate) unsafe fn init() {
    // SAFETY: By the contract of this function.
    unsafe { LOCK.init() };
}

/// The links of a neighbour.
///
/// # Safety
///
/// `cache` is null, or in the list, and the lock held, during `'a`.
unsafe fn links<'a>(cache: *mut DigestCache) -> Option<&'a Links> {
    // SAFETY: A cache in the list is not dropped before it is taken out.
    unsafe { cache.as_ref() }.map(|cache| &cache.links)
}

/// Puts a cache that was just made into the list. Any context but NMI.
pub(crate) fn add(cache: &RcuRef<DigestCache>) {
    let this: *mut DigestCache = core::ptr::from_ref::<DigestCache>(cache).cast_mut();
    let _guard = LOCK.lock();
    let first = FIRST.load(Relaxed);
    cache.links.next.store(first, Relaxed);
    // SAFETY: What is in the list, with the lock held.
    if let Some(first) = unsafe { links(first) } {
        first.prev.store(this, Relaxed);
    }
    // Release pairs with the loads of readers, who then see the cache complete.
    FIRST.store(this, Release);
}

/// Takes a cache out that nobody can get a reference to any more. Any context but NMI.
pub(crate) fn remove(cache: &DigestCache) {
    let this: *mut DigestCache = core::ptr::from_ref(cache).cast_mut();
    let _guard = LOCK.lock();
    let (next, prev) = (
        cache.links.next.load(Relaxed),
        cache.links.prev.load(Relaxed),
    );
    if prev.is_null() && FIRST.load(Relaxed) != this {
        // It was never put in: making it failed halfway.
        return;
    }
    // `next` of the cache itself stays for readers that are looking at it.
    // SAFETY: What is in the list, with the lock held.
    match unsafe { links(prev) } {
        Some(prev) => prev.next.store(next, Release),
        None => FIRST.store(next, Release),
    }
    // SAFETY: As above.
    if let Some(next) = unsafe { links(next) } {
        next.prev.store(prev, Relaxed);
    }
}

/// Calls `f` with each cache, the latest first. Some may have no reference any more.
pub(crate) fn for_each(guard: &rcu::Guard, mut f: impl FnMut(Peek<'_, DigestCache>)) {
    let mut current = NonNull::new(FIRST.load(Acquire));
    while let Some(cache) = current {
        // SAFETY: The cache was found in the list within the read-side critical section.
        let peek = unsafe { Peek::from_value(cache, guard) };
        current = NonNull::new(peek.links.next.load(Acquire));
        f(peek);
    }
}
