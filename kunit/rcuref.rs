// SPDX-License-Identifier: GPL-2.0-only

//! References under RCU, and slots.

use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        rcu,
    },
};

use crate::rcuref::{Object, RcuRef, Slot};

/// Counts how many of its like were dropped.
struct Probe(&'static Atomic<i32>);

impl Object for Probe {}

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn probe(drops: &'static Atomic<i32>) -> Result<RcuRef<Probe>> {
    RcuRef::new(Probe(drops), GFP_KERNEL)
}

/// Number of drops, after the callbacks that were queued so far.
fn settled(drops: &Atomic<i32>) -> i32 {
    rcu::rcu_barrier();
    drops.load(Relaxed)
}

#[kunit_tests(digest_cache_rcuref)]
mod tests {
    use super::*;

    #[test]
    fn dropped_once_with_the_last_reference() {
        static DROPS: Atomic<i32> = Atomic::new(0);
        let first = probe(&DROPS).ok();
        let second = first.clone();
        drop(first);
        assert_eq!(settled(&DROPS), 0);
        drop(second);
        assert_eq!(settled(&DROPS), 1);
    }

    #[test]
    fn not_dropped_inside_a_read_side_section() {
        static DROPS: Atomic<i32> = Atomic::new(0);
        let slot = Slot::new();
        drop(slot.swap(probe(&DROPS).ok()));
        let guard = rcu::read_lock();
        let peek = slot.peek(&guard);
        assert!(peek.is_some());
        // The last reference goes while somebody looks.
        drop(slot.swap(None));
        assert!(peek.as_ref().is_some_and(|p| p.upgrade().is_none()));
        assert!(peek.is_some_and(|p| p.0.load(Relaxed) == 0));
        drop(guard);
        assert_eq!(settled(&DROPS), 1);
    }

    #[test]
    fn slot_owns_one_reference() {
        static DROPS: Atomic<i32> = Atomic::new(0);
        let slot = Slot::new();
        assert!(slot.is_empty() && slot.get().is_none());
        drop(slot.swap(probe(&DROPS).ok()));
        let got = slot.get();
        assert!(got.is_some() && !slot.is_empty());
        drop(slot);
        assert_eq!(settled(&DROPS), 0);
        drop(got);
        assert_eq!(settled(&DROPS), 1);
    }

    #[test]
    fn replace_only_what_was_expected() {
        static DROPS: Atomic<i32> = Atomic::new(0);
        let slot = Slot::new();
        let (a, b) = (probe(&DROPS).ok(), probe(&DROPS).ok());
        // The slot is empty, so it does not hold `a`: `b` comes back.
        let refused = slot.replace(a.as_ref(), b.clone());
        assert!(refused.is_err_and(|back| back.is_some()));
        assert!(slot.is_empty());
        assert!(slot.replace(None, a.clone()).is_ok_and(|old| old.is_none()));
        assert!(slot.replace(None, b.clone()).is_err());
        let old = slot.replace(a.as_ref(), b.clone());
        assert!(old.is_ok_and(|old| old.is_some()));
        drop((slot, a, b));
        assert_eq!(settled(&DROPS), 2);
    }
}
