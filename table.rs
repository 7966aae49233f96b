// SPDX-License-Identifier: GPL-2.0-only

//! The digest tables of one list, in the kernel's memory.
//!
//! [`crate::htable`] says how a table is laid out and looked up; this room gives it memory, and
//! keeps one table for each algorithm and digest type of the list.

use kernel::prelude::*;

use crate::{
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

impl Stored {
    /// Fills a table with the `num` digests of one algorithm and type that `list` has.
    fn build(list: &List<'_>, algo: HashAlgo, digest_type: DigestType, num: usize) -> Result<Self> {
        let geometry = Geometry::new(algo.digest_size(), num).ok_or(EOVERFLOW)?;
        let mut digests =
            KVVec::from_elem(0, geometry.digests_len().ok_or(EOVERFLOW)?, GFP_KERNEL)?;
        let mut offsets = KVVec::from_elem(0, geometry.offsets_len(), GFP_KERNEL)?;

        let mut counter = Counter::new(geometry, &mut digests, &mut offsets).ok_or(EINVAL)?;
        list.for_each(|entry| {
            if entry.algo == algo && entry.digest_type == digest_type {
                counter.count(entry.digest)?;
            }
            Ok::<(), Inconsistent>(())
        })
        .map_err(internal)?;
        let mut placer = counter.into_placer().map_err(internal)?;
        list.for_each(|entry| {
            if entry.algo == algo && entry.digest_type == digest_type {
                placer.place(entry.digest)?;
            }
            Ok::<(), Inconsistent>(())
        })
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

    /// Number of distinct digests.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|t| t.len).sum()
    }
}
