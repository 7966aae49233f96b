// SPDX-License-Identifier: GPL-2.0-only

//! The index from digests to lists, against maps of the standard library.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use digest_list_formats::index::{places_for, Full, Index, Key, Place};
use proptest::prelude::*;

#[derive(Default)]
struct Cell(AtomicU64);

impl Place for Cell {
    fn load(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn store(&self, word: u64) {
        self.0.store(word, Ordering::Release);
    }
}

fn places(len: usize) -> Vec<Cell> {
    (0..len).map(|_| Cell::default()).collect()
}

/// An index that grows as a directory of lists does, and what it is to say.
struct Grown {
    key: Key,
    places: Vec<Cell>,
    lists: Vec<Vec<Vec<u8>>>,
    first: BTreeMap<Vec<u8>, u32>,
}

impl Grown {
    fn new(key: [u64; Key::LEN]) -> Self {
        Self {
            key: Key(key),
            places: Vec::new(),
            lists: Vec::new(),
            first: BTreeMap::new(),
        }
    }

    fn has(&self, list: u32, digest: &[u8]) -> bool {
        self.lists[list as usize].iter().any(|d| d == digest)
    }

    fn add_list(&mut self, digests: Vec<Vec<u8>>) {
        let number = u32::try_from(self.lists.len()).unwrap();
        let needed = places_for(self.first.len() + digests.len()).unwrap();
        if needed > self.places.len() {
            let larger = places(needed);
            Index::new(&self.places)
                .copy_to(&Index::new(&larger))
                .unwrap();
            self.places = larger;
        }
        self.lists.push(digests.clone());
        for digest in digests {
            let added = Index::new(&self.places)
                .insert(self.key.hash(4, &digest), number, |list| {
                    self.has(list, &digest)
                })
                .unwrap();
            // With equal hashes, what another digest of the list left may do for this one, too.
            assert!(!added || !self.first.contains_key(&digest));
            self.first.entry(digest).or_insert(number);
        }
    }

    fn find(&self, digest: &[u8]) -> Option<u32> {
        Index::new(&self.places).find(self.key.hash(4, digest), |list| self.has(list, digest))
    }
}

/// Few different digests, so that lists share them.
fn digest() -> impl Strategy<Value = Vec<u8>> {
    (0_u8..40, prop::collection::vec(any::<bool>(), 3)).prop_map(|(last, bits)| {
        let mut digest = vec![0xee; 32];
        digest[31] = last;
        for (byte, bit) in digest.iter_mut().zip(bits) {
            *byte ^= u8::from(bit);
        }
        digest
    })
}

proptest! {
    /// With any key, also one that makes all hashes equal, the first list that has a digest is
    /// found, and none for a digest that no list has.
    #[test]
    fn as_a_map(
        key in prop_oneof![
            Just([0; Key::LEN]),
            Just([u64::MAX; Key::LEN]),
            prop::array::uniform18(any::<u64>()),
        ],
        lists in prop::collection::vec(prop::collection::vec(digest(), 0..30), 0..12),
        others in prop::collection::vec(digest(), 20),
    ) {
        let mut grown = Grown::new(key);
        for list in lists {
            grown.add_list(list);
        }
        for (digest, list) in &grown.first {
            prop_assert_eq!(grown.find(digest), Some(*list));
        }
        for digest in others {
            prop_assert_eq!(grown.find(&digest), grown.first.get(&digest).copied());
        }
    }

    /// Whatever the memory holds, nothing panics, and what is found was confirmed.
    #[test]
    fn any_memory(
        words in prop::collection::vec(any::<u64>(), 0..50),
        hash in any::<u32>(),
    ) {
        let memory: Vec<Cell> = words.into_iter().map(|w| Cell(AtomicU64::new(w))).collect();
        let index = Index::new(&memory);
        let found = index.find(hash, |list| list % 3 == 1);
        prop_assert!(found.is_none_or(|list| list % 3 == 1));
        let _ = index.insert(hash, 7, |_| false);
        let _ = index.copy_to(&Index::new(&places(10)));
    }

    /// The hash depends on all bits of the digest and on the algorithm.
    #[test]
    fn hashes_differ(
        key in prop::array::uniform18(any::<u64>()),
        digest in prop::collection::vec(any::<u8>(), 64),
        bit in 0_usize..512,
    ) {
        // A key is random: zero words have no chance worth speaking of.
        prop_assume!(key.iter().all(|word| *word >> 40 != 0));
        let key = Key(key);
        let mut other = digest.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(key.hash(6, &digest), key.hash(6, &other));
    }
}

#[test]
fn spread_is_even() {
    let mut key = [0; Key::LEN];
    let mut state = 1_u64;
    for word in &mut key {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *word = state;
    }
    let key = Key(key);
    // Digests that differ in little: all zero but for a counter at the end.
    let mut buckets = [0_u32; 64];
    for n in 0_u32..64_000 {
        let mut digest = [0; 32];
        digest[28..].copy_from_slice(&n.to_be_bytes());
        buckets[(key.hash(4, &digest) >> 26) as usize] += 1;
    }
    assert!(
        buckets.iter().all(|b| (500..2000).contains(b)),
        "{buckets:?}"
    );
}

#[test]
fn a_full_index_says_so() {
    let memory = places(2);
    let index = Index::new(&memory);
    assert_eq!(index.insert(1, 0, |_| false), Ok(true));
    assert_eq!(index.insert(u32::MAX, 1, |_| false), Ok(true));
    assert_eq!(index.insert(2, 2, |_| false), Err(Full));
    assert_eq!(index.copy_to(&Index::new(&places(1))), Err(Full));
    assert_eq!(index.find(u32::MAX, |_| true), Some(1));
}

#[test]
fn memory_in_proportion() {
    assert_eq!(places_for(0), Some(1));
    assert_eq!(places_for(100), Some(126));
    assert_eq!(places_for(usize::MAX), None);
}
