// SPDX-License-Identifier: GPL-2.0-only

//! The digest tables of one list, in the kernel's memory.
//!
//! [`crate::htable`] says how a table is laid out and looked up; this room gives it memory, and
//! keeps one table for each algorithm and digest type of the list.

use core::{array, mem::size_of};
use kernel::prelude::*;

use crate::{
    htable::{Counter, Geometry, Inconsistent, Table},
    parsers::{
        algo::{DigestType, HashAlgo},
        List,
    },
};

/// Up to this size, sizes are close to each other.
const SMALL: usize = 256;

/// In how many pieces the memory for digests is that does not fill a whole one.
const PIECES: usize = 3;

/// Memory for `num` digests of `size` bytes, less than 4 MB: sizes up to that are powers of two,
/// and what would be rounded up is cut to pieces, since most lists are small and there are many of
/// them. May sleep.
fn few_pieces(num: usize, size: usize) -> Result<[KVVec<u8>; PIECES]> {
    let mut pieces = array::from_fn(|_| KVVec::new());
    let mut left = num;
    for (piece, more) in pieces.iter_mut().zip((0..PIECES).rev()) {
        let wanted = left.checked_mul(size).ok_or(EOVERFLOW)?;
        if wanted == 0 {
            break;
        }
        // The largest size up to that which the allocator has no loss with.
        let fitting = 1 << wanted.ilog2();
        // As the next size is twice this one.
        let saved = fitting - (wanted - fitting);
        let num = match fitting / size {
            // The last piece takes all; and so does any where little is lost by that.
            num if more > 0 && num > 0 && wanted >= SMALL && saved > wanted / 16 => num,
            _ => left,
        };
        *piece = KVVec::zeroed(num.checked_mul(size).ok_or(EOVERFLOW)?, GFP_KERNEL)?;
        left -= num;
    }
    Ok(pieces)
}

/// Digests one after another.
enum Digests {
    /// Less than a full piece, see [`Counter::new`].
    Few([KVVec<u8>; PIECES]),
    /// Full pieces, and the rest. There is physically contiguous memory of that size, as a rule,
    /// which is faster to map, to use and to free than what [`KVVec`] takes if there is none.
    Many(KVec<KVVec<u8>>),
}

impl Digests {
    /// Memory for the digests of a table of this geometry, of which there are `num`. May sleep.
    fn new(geometry: &Geometry, num: usize) -> Result<Self> {
        let size = geometry.digest_size();
        let each = geometry.digests_per_piece();
        if num < each {
            return Ok(Self::Few(few_pieces(num, size)?));
        }
        let num_full = num / each;
        let mut pieces = KVec::with_capacity(num_full + PIECES, GFP_KERNEL)?;
        for _ in 0..num_full {
            pieces.push(KVVec::zeroed(each * size, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        for piece in few_pieces(num % each, size)? {
            pieces.push(piece, GFP_KERNEL)?;
        }
        Ok(Self::Many(pieces))
    }

    fn pieces(&self) -> &[KVVec<u8>] {
        match self {
            Self::Few(pieces) => pieces,
            Self::Many(pieces) => pieces,
        }
    }

    fn pieces_mut(&mut self) -> &mut [KVVec<u8>] {
        match self {
            Self::Few(pieces) => pieces,
            Self::Many(pieces) => pieces,
        }
    }

    /// One after another.
    fn iter(&self, size: usize) -> impl Iterator<Item = &[u8]> {
        self.pieces()
            .iter()
            .flat_map(move |piece| piece.chunks_exact(size))
    }

    /// Bytes of memory.
    fn bytes(&self) -> usize {
        let list = match self {
            Self::Few(_) => 0,
            Self::Many(pieces) => pieces.capacity() * size_of::<KVVec<u8>>(),
        };
        list + self.pieces().iter().map(KVVec::capacity).sum::<usize>()
    }

    /// A copy of the first `num`.
    fn cut(&self, geometry: &Geometry, num: usize) -> Result<Self> {
        let size = geometry.digest_size();
        let mut cut = Self::new(geometry, num)?;
        let places = cut
            .pieces_mut()
            .iter_mut()
            .flat_map(|piece| piece.chunks_exact_mut(size));
        for (place, digest) in places.zip(self.iter(size)) {
            place.copy_from_slice(digest);
        }
        Ok(cut)
    }
}

/// Ends of buckets up to this size need no memory of their own: those of lists of up to 255
/// digests.
const FEW: usize = 32;

/// The ends of buckets.
enum Offsets {
    Few([u8; FEW]),
    Many(KVVec<u8>),
}

impl Offsets {
    /// For a table of this geometry. May sleep.
    fn new(geometry: &Geometry) -> Result<Self> {
        Ok(match geometry.offsets_len() {
            ..=FEW => Self::Few([0; FEW]),
            len => Self::Many(KVVec::zeroed(len, GFP_KERNEL)?),
        })
    }

    fn get(&self, geometry: &Geometry) -> &[u8] {
        match self {
            Self::Few(offsets) => offsets.get(..geometry.offsets_len()).unwrap_or_default(),
            Self::Many(offsets) => offsets,
        }
    }

    fn get_mut(&mut self, geometry: &Geometry) -> &mut [u8] {
        match self {
            Self::Few(offsets) => offsets
                .get_mut(..geometry.offsets_len())
                .unwrap_or_default(),
            Self::Many(offsets) => offsets,
        }
    }

    /// Bytes of memory of its own.
    fn bytes(&self) -> usize {
        match self {
            Self::Few(_) => 0,
            Self::Many(offsets) => offsets.capacity(),
        }
    }
}

kernel::static_assert!(size_of::<Stored>() <= 128);

/// The digests of one algorithm and type, in two cache lines.
struct Stored {
    algo: HashAlgo,
    digest_type: DigestType,
    /// Distinct digests.
    len: u32,
    geometry: Geometry,
    offsets: Offsets,
    digests: Digests,
}

/// Where the digests of a table come from: told twice, the same ones each time.
pub(crate) trait Source {
    /// Calls `f` with each digest of the algorithm and type, until it fails.
    fn for_each_of(
        &self,
        algo: HashAlgo,
        digest_type: DigestType,
        f: impl FnMut(&[u8]) -> Result<(), Inconsistent>,
    ) -> Result<(), Inconsistent>;
}

impl Source for List<'_> {
    fn for_each_of(
        &self,
        algo: HashAlgo,
        digest_type: DigestType,
        mut f: impl FnMut(&[u8]) -> Result<(), Inconsistent>,
    ) -> Result<(), Inconsistent> {
        self.for_each_digest(|entry| {
            if entry.algo == algo && entry.digest_type == digest_type {
                f(entry.digest)?;
            }
            Ok(())
        })
    }
}

impl Stored {
    /// Fills a table with the `num` digests of one algorithm and type that `source` has.
    fn build(
        source: &impl Source,
        algo: HashAlgo,
        digest_type: DigestType,
        num: usize,
    ) -> Result<Self> {
        let size = algo.digest_size();
        let geometry = Geometry::new(size, num).ok_or(EOVERFLOW)?;
        let mut digests = Digests::new(&geometry, num)?;
        let mut offsets = Offsets::new(&geometry)?;

        let memory = offsets.get_mut(&geometry);
        let mut counter = Counter::new(geometry, digests.pieces_mut(), memory).ok_or(EINVAL)?;
        source
            .for_each_of(algo, digest_type, |digest| counter.count(digest))
            .map_err(internal)?;
        let mut placer = counter.into_placer().map_err(internal)?;
        source
            .for_each_of(algo, digest_type, |digest| placer.place(digest))
            .map_err(internal)?;
        let len = placer.finish().map_err(internal)?;

        // Many duplicates cost nothing, but a few bits each in the offsets, when they have been
        // found. Without the memory for a copy, the table is as good as it is.
        if len < num - num / 16 {
            if let Ok(cut) = digests.cut(&geometry, len) {
                digests = cut;
            }
        }
        Ok(Self {
            algo,
            digest_type,
            len: u32::try_from(len)?,
            geometry,
            digests,
            offsets,
        })
    }

    fn contains(&self, digest: &[u8]) -> bool {
        Table::new(
            self.geometry,
            self.digests.pieces(),
            self.offsets.get(&self.geometry),
            self.len(),
        )
        .is_some_and(|table| table.contains(digest))
    }

    /// The number of distinct digests.
    fn len(&self) -> usize {
        // CAST: Widens, as there is no kernel whose sizes have less than 32 bits.
        self.len as usize
    }

    /// The distinct digests.
    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.digests.iter(self.algo.digest_size()).take(self.len())
    }
}

/// The list said one thing when it was parsed and another when it was walked: a bug, not bad input.
fn internal(_: Inconsistent) -> Error {
    kernel::warn_on!(true);
    EINVAL
}

/// The digests of a list.
pub(crate) struct Tables(KVec<Stored>);

impl Tables {
    /// Builds the tables of a parsed list. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, `EOVERFLOW` if the digests do not fit into the address space.
    pub(crate) fn build(list: &List<'_>) -> Result<Self> {
        Self::build_from(list, list.counts().iter_nonzero())
    }

    /// Builds the tables of what `source` has: digests of these algorithms and types, and so many
    /// of each. May sleep.
    ///
    /// # Errors
    ///
    /// As [`Self::build`].
    pub(crate) fn build_from(
        source: &impl Source,
        counts: impl Iterator<Item = (HashAlgo, DigestType, u32)>,
    ) -> Result<Self> {
        let mut tables = KVec::new();
        for (algo, digest_type, num) in counts {
            let num = usize::try_from(num)?;
            tables.push(Stored::build(source, algo, digest_type, num)?, GFP_KERNEL)?;
        }
        Ok(Self(tables))
    }

    /// Whether the digest of a file's data is in the list. Any context.
    pub(crate) fn contains(&self, algo: HashAlgo, digest: &[u8]) -> bool {
        self.0
            .iter()
            .filter(|t| t.algo == algo && t.digest_type == DigestType::FileData)
            .any(|t| t.contains(digest))
    }

    /// Bit mask of the algorithms, by their number in `enum hash_algo`, of file digests.
    pub(crate) fn algos(&self) -> u32 {
        self.0
            .iter()
            .filter(|t| t.digest_type == DigestType::FileData)
            .fold(0, |mask, t| mask | 1 << t.algo.raw())
    }

    /// Calls `f` with each distinct digest of file data, until it fails.
    pub(crate) fn try_for_each<E>(
        &self,
        mut f: impl FnMut(HashAlgo, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0
            .iter()
            .filter(|t| t.digest_type == DigestType::FileData)
            .try_for_each(|t| t.iter().try_for_each(|digest| f(t.algo, digest)))
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|t| size_of::<Stored>() + t.digests.bytes() + t.offsets.bytes())
            .sum()
    }

    /// Number of distinct digests.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(Stored::len).sum()
    }
}
