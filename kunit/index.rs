// SPDX-License-Identifier: GPL-2.0-only

//! The index over lists, in the kernel's memory.

use kernel::{prelude::*, sync::atomic::Atomic};

use crate::index::{places_for, Full, Index, Key};

/// A key that is no secret.
fn key() -> Key {
    let mut key = Key([0; Key::LEN]);
    let mut state = 0x0123_4567_89ab_cdef_u64;
    for word in &mut key.0 {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        *word = state;
    }
    key
}

/// Empty places.
fn places(len: usize) -> Option<KVVec<Atomic<u64>>> {
    let mut places = KVVec::with_capacity(len, GFP_KERNEL).ok()?;
    for _ in 0..len {
        places.push(Atomic::new(0), GFP_KERNEL).ok()?;
    }
    Some(places)
}

/// The list of a number, so that confirming can be made up.
fn list_of(n: u32) -> u32 {
    n / 7
}

/// Whether an index of `num` digests, grown once on the way, finds all of them and no other.
fn round_trip(num: u32) -> Option<bool> {
    let key = key();
    let hash = |n: u32| key.hash(4, &n.to_be_bytes());
    let small = places(places_for(num as usize / 2)?)?;
    let large = places(places_for(num as usize)?)?;
    let (small, large) = (Index::new(&small), Index::new(&large));
    for n in 0..num / 2 {
        if small.insert(hash(n), list_of(n), |_| false) != Ok(true) {
            return Some(false);
        }
    }
    small.copy_to(&large).ok()?;
    for n in num / 2..num {
        if large.insert(hash(n), list_of(n), |_| false) != Ok(true) {
            return Some(false);
        }
    }
    Some(
        (0..num).all(|n| large.find(hash(n), |list| list == list_of(n)) == Some(list_of(n)))
            && (num..2 * num + 1).all(|n| large.find(hash(n), |list| list == list_of(n)).is_none()),
    )
}

#[kunit_tests(digest_cache_index)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for num in [0, 1, 2, 3, 4, 5, 66, 1000, 20_000] {
            assert_eq!(round_trip(num), Some(true));
        }
    }

    #[test]
    fn the_first_list_counts() {
        let places = places(10);
        assert!(places.is_some());
        if let Some(places) = places {
            let index = Index::new(&places);
            assert!(index.insert(5, 1, |_| true) == Ok(true));
            // List 1 is confirmed to have it.
            assert!(index.insert(5, 2, |list| list == 1) == Ok(false));
            // Another digest with the same hash.
            assert!(index.insert(5, 3, |_| false) == Ok(true));
            assert_eq!(index.find(5, |_| true), Some(1));
            assert_eq!(index.find(5, |list| list == 3), Some(3));
            assert!(index.find(6, |_| true).is_none());
        }
    }

    #[test]
    fn full() {
        let places = places(3);
        assert!(places.is_some());
        if let Some(places) = places {
            let index = Index::new(&places);
            // The hashes at either end, which come to the same places.
            for n in 0..3 {
                assert!(index.insert(u32::MAX - n, n, |_| false) == Ok(true));
            }
            assert!(index.insert(0, 9, |_| false) == Err(Full));
            assert!(index.find(0, |_| true).is_none());
            assert_eq!(index.find(u32::MAX - 2, |_| true), Some(2));
        }
        let none: &[Atomic<u64>] = &[];
        assert!(Index::new(none).insert(0, 0, |_| false) == Err(Full));
        assert!(Index::new(none).find(0, |_| true).is_none());
    }

    #[test]
    fn hashes() {
        let key = key();
        // The algorithm, the length and each byte matter.
        let digest = [7_u8; 64];
        let mut other = digest;
        assert_ne_hash(key.hash(4, &digest), key.hash(6, &digest));
        assert_ne_hash(key.hash(4, &digest[..32]), key.hash(4, &digest[..28]));
        for n in 0..64 {
            other[n] ^= 1;
            assert_ne_hash(key.hash(6, &digest), key.hash(6, &other));
            other[n] ^= 1;
        }
    }

    fn assert_ne_hash(a: u32, b: u32) {
        assert!(a != b);
    }
}
