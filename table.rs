// SPDX-License-Identifier: GPL-2.0-only

//! The digest tables of one list, in the kernel's memory.
//!
//! [`crate::htable`] says how a table is laid out and looked up; this room gives it memory, and
//! keeps one table for each algorithm and digest type of the list.

use core::mem::size_of;
use kernel::prelude::*;

use crate::{
    builder::Collected,
    htable::{Counter, Geometry, Inconsistent, Table},
    parsers::{
        algo::{DigestType, HashAlgo},
        List,
    },
};

/// The digests of one algorithm and type.
struct Stored {
    algo: HashAlgo,
    digest_type: DigestType,
    geometry: Geometry,
    /// Distinct digests.
    len: usize,
    digests: KVVec<u8>,
    offsets: KVVec<u32>,
}

/// Where the digests of a table come from: told twice, the same ones each time.
trait Source {
    /// Calls `f` with each digest of the algorithm and type, until it fails.
    fn for_each_of(
        &self,
        algo: HashAlgo,
        digest_type: DigestType,
        f: &mut dyn FnMut(&[u8]) -> Result<(), Inconsistent>,
    ) -> Result<(), Inconsistent>;
}

impl Source for List<'_> {
    fn for_each_of(
        &self,
        algo: HashAlgo,
        digest_type: DigestType,
        f: &mut dyn FnMut(&[u8]) -> Result<(), Inconsistent>,
    ) -> Result<(), Inconsistent> {
        self.for_each(|entry| {
            if entry.algo == algo && entry.digest_type == digest_type {
                f(entry.digest)?;
            }
            Ok(())
        })
    }
}

impl Source for Collected {
    fn for_each_of(
        &self,
        algo: HashAlgo,
        _digest_type: DigestType,
        f: &mut dyn FnMut(&[u8]) -> Result<(), Inconsistent>,
    ) -> Result<(), Inconsistent> {
        self.digests(algo)
            .chunks_exact(algo.digest_size())
            .try_for_each(f)
    }
}

impl Stored {
    /// Fills a table with the `num` digests of one algorithm and type that `source` has.
    fn build(
        source: &dyn Source,
        algo: HashAlgo,
        digest_type: DigestType,
        num: usize,
    ) -> Result<Self> {
        let geometry = Geometry::new(algo.digest_size(), num).ok_or(EOVERFLOW)?;
        let mut digests =
            KVVec::from_elem(0, geometry.digests_len().ok_or(EOVERFLOW)?, GFP_KERNEL)?;
        let mut offsets = KVVec::from_elem(0, geometry.offsets_len(), GFP_KERNEL)?;

        let mut counter = Counter::new(geometry, &mut digests, &mut offsets).ok_or(EINVAL)?;
        source
            .for_each_of(algo, digest_type, &mut |digest| counter.count(digest))
            .map_err(internal)?;
        let mut placer = counter.into_placer().map_err(internal)?;
        source
            .for_each_of(algo, digest_type, &mut |digest| placer.place(digest))
            .map_err(internal)?;
        let len = placer.finish().map_err(internal)?;

        Ok(Self {
            algo,
            digest_type,
            geometry,
            len,
            digests,
            offsets,
        })
    }

    fn contains(&self, digest: &[u8]) -> bool {
        Table::new(self.geometry, &self.digests, &self.offsets, self.len)
            .is_some_and(|table| table.contains(digest))
    }

    /// The distinct digests, one after another.
    fn bytes_of_digests(&self) -> &[u8] {
        let len = self.len.saturating_mul(self.algo.digest_size());
        self.digests.get(..len).unwrap_or_default()
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
        let mut tables = KVec::new();
        for (algo, digest_type, num) in list.counts().iter_nonzero() {
            let num = usize::try_from(num)?;
            tables.push(Stored::build(list, algo, digest_type, num)?, GFP_KERNEL)?;
        }
        Ok(Self(tables))
    }

    /// Builds the tables of what a parser of a module collected. May sleep.
    ///
    /// # Errors
    ///
    /// As [`Self::build`].
    pub(crate) fn build_collected(collected: &Collected) -> Result<Self> {
        let mut tables = KVec::new();
        for (algo, num) in collected.counts() {
            let stored = Stored::build(collected, algo, DigestType::FileData, num)?;
            tables.push(stored, GFP_KERNEL)?;
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
            .try_for_each(|t| {
                t.bytes_of_digests()
                    .chunks_exact(t.algo.digest_size())
                    .try_for_each(|digest| f(t.algo, digest))
            })
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|t| size_of::<Stored>() + t.digests.capacity() + t.offsets.capacity() * 4)
            .sum()
    }

    /// Number of distinct digests.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|t| t.len).sum()
    }
}
