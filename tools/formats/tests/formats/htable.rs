// SPDX-License-Identifier: GPL-2.0-only

//! Digest tables, against sets of the standard library.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use digest_list_formats::{
    htable::{Counter, Geometry, Inconsistent, Table},
    parsers::algo::HashAlgo,
};
use proptest::prelude::*;

/// A table with its memory.
struct Built {
    geometry: Geometry,
    /// The memory for digests.
    pieces: Vec<Vec<u8>>,
    offsets: Vec<u8>,
    distinct: usize,
}

/// Memory for so many digests: full pieces, and the rest in pieces that end at these shares, in
/// eighths, of it.
fn pieces(geometry: &Geometry, num: usize, cuts: &[usize]) -> Vec<Vec<u8>> {
    let each = geometry.digests_per_piece();
    let rest = num % each;
    let ends = cuts.iter().map(|eighths| rest * eighths / 8).chain([rest]);
    let mut before = 0;
    let rest = ends.map(|end| end - std::mem::replace(&mut before, end));
    std::iter::repeat_n(each, num / each)
        .chain(rest)
        .map(|num| vec![0; num * geometry.digest_size()])
        .collect()
}

impl Built {
    /// Makes a table, placing in another order than counting, in memory that is cut as `cuts` says.
    fn new<D: AsRef<[u8]>>(size: usize, input: &[D], cuts: &[usize]) -> Self {
        let geometry = Geometry::new(size, input.len()).unwrap();
        let mut pieces = pieces(&geometry, input.len(), cuts);
        let mut offsets = vec![0; geometry.offsets_len()];
        let mut counter = Counter::new(geometry, &mut pieces, &mut offsets).unwrap();
        for digest in input {
            counter.count(digest.as_ref()).unwrap();
        }
        let mut placer = counter.into_placer().unwrap();
        for digest in input.iter().rev() {
            placer.place(digest.as_ref()).unwrap();
        }
        let distinct = placer.finish().unwrap();
        Self {
            geometry,
            pieces,
            offsets,
            distinct,
        }
    }

    fn table(&self) -> Table<'_, Vec<u8>> {
        Table::new(self.geometry, &self.pieces, &self.offsets, self.distinct).unwrap()
    }
}

/// Checks a table of these digests against a set, with the memory in one piece and in three.
fn check<D: AsRef<[u8]>>(size: usize, input: &[D]) {
    for cuts in [&[][..], &[4, 7]] {
        check_cut(size, input, cuts);
    }
}

fn check_cut<D: AsRef<[u8]>>(size: usize, input: &[D], cuts: &[usize]) {
    let set: BTreeSet<&[u8]> = input.iter().map(AsRef::as_ref).collect();
    let built = Built::new(size, input, cuts);
    assert_eq!(built.distinct, set.len());
    let table = built.table();
    // The digests are the set, in order, and nothing but it.
    let stored = built.pieces.iter().flat_map(|p| p.chunks_exact(size));
    let stored = stored.take(built.distinct);
    assert!(stored.eq(set.iter().copied()));
    for digest in &set {
        assert!(table.contains(digest));
        // Its neighbours, among them those that differ in the bucket.
        for at in [0, 1, 2, 3, size - 1] {
            for bit in [1, 0x80] {
                let mut other = digest.to_vec();
                other[at] ^= bit;
                assert_eq!(table.contains(&other), set.contains(&other[..]));
            }
        }
        assert!(!table.contains(&digest[1..]));
        assert!(!table.contains(&[digest, &[0][..]].concat()));
    }
    for fill in [0, 0xff] {
        let digest = vec![fill; size];
        assert_eq!(table.contains(&digest), set.contains(&digest[..]));
    }
    assert!(!table.contains(&[]));
}

/// Numbers that look random; the same ones in every run.
struct Random(u64);

impl Random {
    /// The step of `xorshift64*`.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn digest(&mut self, size: usize) -> Vec<u8> {
        let mut digest = Vec::with_capacity(size + 7);
        while digest.len() < size {
            digest.extend(self.next().to_be_bytes());
        }
        digest.truncate(size);
        digest
    }
}

#[test]
fn sizes_and_numbers() {
    let sizes: BTreeSet<usize> = HashAlgo::ALL.iter().map(|a| a.digest_size()).collect();
    let mut random = Random(1);
    for size in sizes {
        // Around the numbers where the number of buckets changes.
        for num in [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 63, 64, 65, 1000] {
            let input: Vec<_> = (0..num).map(|_| random.digest(size)).collect();
            check(size, &input);
        }
    }
}

#[test]
fn edges_of_buckets() {
    // The first and the last digest of each of the 256 ranges that the first byte tells, which is
    // more than there are buckets.
    let mut input = Vec::new();
    for first in 0..=255_u8 {
        for fill in [0, 0xff] {
            let mut digest = [fill; 20];
            digest[0] = first;
            input.push(digest);
        }
    }
    check(20, &input);
    // The first and the last bucket only.
    check(32, &[[0; 32], [0xff; 32]].repeat(50));
}

#[test]
fn equal_prefixes() {
    let mut random = Random(2);
    for (prefix, num) in [(4, 5000), (8, 5000), (28, 5000), (31, 200)] {
        let input: Vec<_> = (0..num)
            .map(|_| {
                let mut digest = random.digest(32);
                digest[..prefix].fill(0x77);
                digest
            })
            .collect();
        check(32, &input);
    }
}

/// Orders that are good or bad luck for sorting algorithms, in one bucket.
#[test]
fn orders_of_input() {
    let num = 3000_u32;
    let orders: [&dyn Fn(u32) -> u32; 8] = [
        &|n| n,
        &|n| num - n,
        // Up and down: this one is bad luck for the median of three.
        &|n| n.min(num - n),
        &|n| n.max(num - n),
        &|n| n % 50,
        &|n| n % 2,
        &|n| n ^ 1,
        &|n| n.reverse_bits(),
    ];
    for order in orders {
        for num in [num, 17, 18, 33] {
            let input: Vec<_> = (0..num)
                .map(|n| [&[9; 28][..], &order(n).to_be_bytes()].concat())
                .collect();
            check(32, &input);
        }
    }
}

#[test]
fn duplicates() {
    let mut random = Random(3);
    let some: Vec<_> = (0..10).map(|_| random.digest(32)).collect();
    let input: Vec<_> = (0..5000)
        .map(|_| some[usize::try_from(random.next() % 10).unwrap()].clone())
        .collect();
    check(32, &input);
    check(16, &vec![[0; 16]; 1000]);
    check(64, &vec![[0xff; 64]; 17]);
    // Among digests that occur once.
    let mut input: Vec<_> = (0..1000).map(|_| random.digest(20)).collect();
    input.extend_from_within(..500);
    check(20, &input);
}

/// A million SHA-256 digests cost at most 33 bytes each, and so do most other large numbers.
#[test]
fn memory_for_each_digest() {
    for num in [1_000_000, 1 << 20, (1 << 21) - 1, 10_000_000, 1 << 32] {
        let geometry = Geometry::new(32, num - 1).unwrap();
        let bytes = geometry.digests_len().unwrap() + geometry.offsets_len();
        assert!(bytes <= 33 * num, "{num}");
    }
}

#[test]
fn large_tables() {
    let num = 200_000_u32;
    let mut random = Random(4);
    let input: Vec<_> = (0..num).map(|_| random.digest(32)).collect();
    let built = Built::new(32, &input, &[]);
    let table = built.table();
    assert!(input.iter().all(|digest| table.contains(digest)));
    assert!(!table.contains(&random.digest(32)));

    // Digests crafted to fall into one bucket.
    let crafted: Vec<_> = (0..num)
        .map(|n| {
            [
                &[0; 24][..],
                &n.wrapping_mul(0x9e37_79b1).to_be_bytes(),
                &[0; 4],
            ]
            .concat()
        })
        .collect();
    let start = Instant::now();
    let built = Built::new(32, &crafted, &[]);
    let table = built.table();
    assert!(crafted.iter().all(|digest| table.contains(digest)));
    // Quadratic time would be more than 10^10 steps.
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn geometry() {
    assert!(Geometry::new(0, 1).is_none());
    assert!(Geometry::new(7, 1).is_none());
    assert!(Geometry::new(65, 1).is_none());
    assert!(Geometry::new(32, usize::MAX).is_none());
    assert!(Geometry::new(32, 1 << 32).is_none());
    assert!(Geometry::new(usize::MAX, 2).is_none());

    let rows = [
        (0, 0),
        (1, 0),
        (7, 0),
        (8, 2),
        (15, 2),
        (16, 4),
        (255, 32),
        (256, 64),
        (65_535, 1 << 13),
        (65_536, 1 << 14),
        (1_000_000, 1 << 17),
        (10_000_000, 1 << 21),
        (0xffff_ffff, 1 << 29),
    ];
    for (num, buckets) in rows {
        // As wide as the number of digests needs.
        let offsets = buckets
            * match num {
                0..=0xff => 1,
                0x100..=0xffff => 2,
                _ => 4,
            };
        let geometry = Geometry::new(32, num).unwrap();
        assert_eq!(geometry.offsets_len(), offsets, "{num}");
        assert_eq!(geometry.digests_len(), Some(32 * num));
    }
}

#[test]
fn memory_of_wrong_sizes() {
    let geometry = Geometry::new(16, 8).unwrap();
    for (digests, offsets) in [(127, 2), (129, 2), (128, 1), (128, 3), (0, 0)] {
        let (mut digests, mut offsets) = ([vec![0; digests]], vec![0; offsets]);
        assert!(Counter::new(geometry, &mut digests, &mut offsets).is_none());
    }
    for (lens, good) in [
        (&[128][..], true),
        (&[16, 48, 64], true),
        (&[0, 128, 0], true),
        // A digest is in one piece.
        (&[8, 56, 64], false),
        (&[64], false),
        (&[128, 16], false),
        (&[], false),
    ] {
        let mut digests: Vec<_> = lens.iter().map(|len| vec![0; *len]).collect();
        let mut offsets = [0; 2];
        let counter = Counter::new(geometry, &mut digests, &mut offsets);
        assert_eq!(counter.is_some(), good, "{lens:?}");
    }
    for (offsets, distinct, good) in [
        (2, 8, true),
        (2, 3, true),
        (2, 9, false),
        (1, 8, false),
        (3, 8, false),
        (2, usize::MAX, false),
    ] {
        let (digests, offsets) = ([vec![0; 128]], vec![0; offsets]);
        let table = Table::new(geometry, &digests, &offsets, distinct);
        assert_eq!(table.is_some(), good);
    }
    // With less memory than there are digests, those after its end are not found.
    let input: Vec<_> = (1..=8).map(|n| [n; 16]).collect();
    let built = Built::new(16, &input, &[]);
    for len in [0, 1, 15, 16, 47, 48, 100, 127, 128] {
        let digests = [built.pieces.concat()[..len].to_vec()];
        let table = Table::new(geometry, &digests, &built.offsets, 8).unwrap();
        for (index, digest) in input.iter().enumerate() {
            let is_there = (index + 1) * 16 <= len;
            assert!(!table.contains(digest) || is_there, "{len} {index}");
            assert!(table.contains(digest) || len < 128);
        }
    }
}

/// Full pieces come first, and only as long as there is enough to fill them.
#[test]
fn pieces_that_are_full() {
    for size in [16, 20, 32, 48, 64] {
        let each = Geometry::new(size, 0).unwrap().digests_per_piece();
        assert_eq!(each, (4 << 20) / size);
        for (num, nums, good) in [
            (each, &[each][..], true),
            (each, &[1, each - 1], false),
            (each + 1, &[each, 1], true),
            (each + 1, &[each + 1], false),
            (each + 1, &[1, each], false),
            (2 * each, &[each, each], true),
            (2 * each, &[2 * each], false),
            (2 * each + 9, &[each, each, 4, 0, 5], true),
            (2 * each + 9, &[each, 4, each, 5], false),
        ] {
            let geometry = Geometry::new(size, num).unwrap();
            let mut digests: Vec<_> = nums.iter().map(|num| vec![0; num * size]).collect();
            let mut offsets = vec![0; geometry.offsets_len()];
            let counter = Counter::new(geometry, &mut digests, &mut offsets);
            assert_eq!(counter.is_some(), good, "{size} {num} {nums:?}");
        }
    }
}

/// Digests in several full pieces, of sizes of which a piece is a multiple and others.
#[test]
fn tables_in_many_pieces() {
    let mut random = Random(8);
    for size in [32, 48, 64] {
        let each = Geometry::new(size, 0).unwrap().digests_per_piece();
        let mut input: Vec<_> = (0..2 * each + 1000).map(|_| random.digest(size)).collect();
        let built = Built::new(size, &input, &[1, 5]);
        assert_eq!(built.pieces.len(), 5);
        assert_eq!(built.distinct, input.len());
        let table = built.table();
        assert!(input.iter().all(|digest| table.contains(digest)));
        for digest in input.iter().step_by(100) {
            let mut other = digest.clone();
            other[size - 1] ^= 1;
            assert!(!table.contains(&other));
        }
        // One after another, in order.
        input.sort();
        let stored = built.pieces.iter().flat_map(|p| p.chunks_exact(size));
        assert!(stored.eq(input.iter().map(|digest| &digest[..])));
    }

    // One bucket and many duplicates, which are sorted in place, across the ends of pieces.
    let each = u32::try_from(Geometry::new(64, 0).unwrap().digests_per_piece()).unwrap();
    let input: Vec<_> = (0..2 * each + 100)
        .map(|n| {
            let mut digest = [0; 64];
            let half = n.wrapping_mul(0x9e37_79b1) >> 1;
            digest[60..].copy_from_slice(&half.to_be_bytes());
            digest
        })
        .collect();
    let set: BTreeSet<_> = input.iter().collect();
    let built = Built::new(64, &input, &[4]);
    assert_eq!(built.distinct, set.len());
    let stored = built.pieces.iter().flat_map(|p| p.chunks_exact(64));
    assert!(stored
        .take(set.len())
        .eq(set.iter().map(|digest| &digest[..])));
    let table = built.table();
    assert!(set.iter().all(|digest| table.contains(*digest)));
}

/// Counts these, places those; whether all was well.
fn build(num: usize, count: &[[u8; 16]], place: &[[u8; 16]]) -> Result<usize, Inconsistent> {
    let geometry = Geometry::new(16, num).unwrap();
    let mut digests = [vec![0; geometry.digests_len().unwrap()]];
    let mut offsets = vec![0; geometry.offsets_len()];
    let mut counter = Counter::new(geometry, &mut digests, &mut offsets).unwrap();
    for digest in count {
        counter.count(digest)?;
    }
    let mut placer = counter.into_placer()?;
    for digest in place {
        placer.place(digest)?;
    }
    placer.finish()
}

/// Memory that was not zeros is against the rules, and may cost digests, but nothing else.
#[test]
fn garbage_before() {
    let mut random = Random(7);
    for num in [1, 7, 8, 100, 300, 1000] {
        let input: Vec<_> = (0..num).map(|_| random.digest(16)).collect();
        for fill in [1, 0xa5, 0xff] {
            let geometry = Geometry::new(16, num).unwrap();
            let mut digests = [vec![fill; geometry.digests_len().unwrap()]];
            let mut offsets = vec![fill; geometry.offsets_len()];
            let mut counter = Counter::new(geometry, &mut digests, &mut offsets).unwrap();
            let made = input
                .iter()
                .try_for_each(|digest| counter.count(digest))
                .and_then(|()| counter.into_placer())
                .and_then(|mut placer| {
                    input.iter().try_for_each(|digest| placer.place(digest))?;
                    placer.finish()
                });
            if let Ok(distinct) = made {
                let table = Table::new(geometry, &digests, &offsets, distinct).unwrap();
                for digest in &input {
                    table.contains(digest);
                }
            }
        }
    }
}

#[test]
fn inconsistent_input() {
    for num in [3, 100] {
        let digests: Vec<[u8; 16]> = (0..num).map(|n: u8| [n.wrapping_mul(37); 16]).collect();
        let num = usize::from(num);
        let (some, all) = (&digests[1..], &digests[..]);
        let more = [all, &[[1; 16]]].concat();
        assert_eq!(build(num, all, all), Ok(num));
        assert_eq!(build(num, some, all), Err(Inconsistent));
        assert_eq!(build(num, &more, all), Err(Inconsistent));
        assert_eq!(build(num, all, some), Err(Inconsistent));
        assert_eq!(build(num, all, &more), Err(Inconsistent));
    }

    let geometry = Geometry::new(16, 1).unwrap();
    let mut digests = [vec![0; 16]];
    let mut counter = Counter::new(geometry, &mut digests, &mut []).unwrap();
    assert_eq!(counter.count(&[0; 15]), Err(Inconsistent));
    assert_eq!(counter.count(&[0; 17]), Err(Inconsistent));
    counter.count(&[0; 16]).unwrap();
    let mut placer = counter.into_placer().unwrap();
    assert_eq!(placer.place(&[0; 20]), Err(Inconsistent));
    placer.place(&[0; 16]).unwrap();
    assert_eq!(placer.finish(), Ok(1));
}

/// Every way to exchange one counted digest for one of another bucket is noticed.
#[test]
fn other_digests_than_counted() {
    // Sixteen digests in four buckets, four in each.
    let digests: Vec<[u8; 16]> = (0..16).map(|n| [n << 4 | n; 16]).collect();
    assert_eq!(build(16, &digests, &digests), Ok(16));
    for changed in 0..16 {
        for to in 0..=255_u8 {
            let mut other = digests.clone();
            other[changed] = [to; 16];
            let same_bucket = to >> 6 == digests[changed][0] >> 6;
            for order in 0..16 {
                let mut place = other.clone();
                place.rotate_left(order);
                let result = build(16, &digests, &place);
                assert_eq!(result.is_ok(), same_bucket, "{changed} {to} {order}");
            }
        }
    }
}

/// Look-ups in memory that was never a table give some answer.
#[test]
fn arbitrary_memory_does_not_panic() {
    let mut random = Random(5);
    for _ in 0..2000 {
        let geometry = Geometry::new(16, 32).unwrap();
        let digests: Vec<u8> = (0..512).map(|_| random.next().to_be_bytes()[0]).collect();
        let wild = random.next() % 2 == 0;
        let offsets: Vec<u8> = (0..geometry.offsets_len())
            .map(|_| {
                let [offset, ..] = random.next().to_be_bytes();
                if wild {
                    offset
                } else {
                    offset % 40
                }
            })
            .collect();
        let pieces = [&digests[..256], &digests[256..384], &digests[384..]];
        let table = Table::new(geometry, &pieces, &offsets, 32).unwrap();
        for _ in 0..20 {
            table.contains(&random.digest(16));
        }
        table.contains(&digests[..16]);
    }
}

proptest! {
    #[test]
    fn agrees_with_a_set(input in prop::collection::vec(any::<[u8; 16]>(), 0..300)) {
        check(16, &input);
    }

    /// Few values for each byte, so that there are duplicates and full buckets.
    #[test]
    fn agrees_with_a_set_of_few(
        input in prop::collection::vec(
            prop::collection::vec(prop::sample::select(vec![0_u8, 1, 0x7f, 0x80, 0xff]), 9),
            0..300,
        )
    ) {
        check(9, &input);
    }
}
