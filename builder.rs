// SPDX-License-Identifier: GPL-2.0-only

//! What a parser of a module makes of a list: digests, collected until tables are built of them.
//!
//! # Locking
//!
//! A mutex of each builder, which allocations may be made under: nothing that reclaims memory waits
//! for it, and no call leaves the module with it held.

use kernel::{new_mutex, prelude::*, sync::Mutex};

use crate::{
    htable::Inconsistent,
    parsers::algo::{DigestType, HashAlgo},
    rcuref::Object,
    table::{Source, Tables},
};

/// The digests of one algorithm, one after another.
struct Digests {
    algo: HashAlgo,
    bytes: KVVec<u8>,
}

/// What was collected.
pub(crate) struct Collected(KVec<Digests>);

impl Collected {
    /// The digests of an algorithm, one after another.
    fn digests(&self, algo: HashAlgo) -> &[u8] {
        self.0
            .iter()
            .find(|digests| digests.algo == algo)
            .map_or(&[], |digests| &digests.bytes)
    }

    /// Builds tables of what was collected. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, `EOVERFLOW` if there are more digests than a table can have.
    pub(crate) fn build(&self) -> Result<Tables> {
        let mut counts = KVec::with_capacity(self.0.len(), GFP_KERNEL)?;
        for digests in &self.0 {
            let size = digests.algo.digest_size();
            let num = digests.bytes.len().checked_div(size).unwrap_or(0);
            let num = u32::try_from(num).map_err(|_| EOVERFLOW)?;
            counts.push((digests.algo, DigestType::FileData, num), GFP_KERNEL)?;
        }
        let counts = counts.into_iter().filter(|&(_, _, num)| num != 0);
        Tables::build_from(self, counts)
    }
}

impl Source for Collected {
    fn for_each_of(
        &self,
        algo: HashAlgo,
        _digest_type: DigestType,
        f: impl FnMut(&[u8]) -> Result<(), Inconsistent>,
    ) -> Result<(), Inconsistent> {
        self.digests(algo)
            .chunks_exact(algo.digest_size())
            .try_for_each(f)
    }
}

/// Collects digests while a cache is loaded.
#[pin_data]
pub(crate) struct Builder {
    /// Bounds the memory that is taken in advance.
    list_len: usize,
    #[pin]
    collected: Mutex<Collected>,
}

impl Object for Builder {}

impl Builder {
    /// For a list of this many bytes.
    pub(crate) fn new(list_len: usize) -> impl PinInit<Self> {
        pin_init!(Self {
            list_len,
            collected <- new_mutex!(Collected(KVec::new()), "digest_cache_builder"),
        })
    }

    /// Prepares for `num` digests of an algorithm. `num` is a hint; no more memory is taken for it
    /// than the list has. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn init(&self, num: u64, algo: HashAlgo) -> Result {
        let wanted = usize::try_from(num)
            .unwrap_or(usize::MAX)
            .saturating_mul(algo.digest_size())
            .min(self.list_len);
        let mut collected = self.collected.lock();
        match collected.0.iter_mut().find(|digests| digests.algo == algo) {
            Some(digests) => digests.bytes.reserve(wanted, GFP_KERNEL)?,
            None => {
                let bytes = KVVec::with_capacity(wanted, GFP_KERNEL)?;
                collected.0.push(Digests { algo, bytes }, GFP_KERNEL)?;
            }
        }
        Ok(())
    }

    /// Adds a digest, which has the algorithm's size. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the algorithm was not prepared for, `EINVAL` if the size is wrong, `ENOMEM`.
    pub(crate) fn add(&self, algo: HashAlgo, digest: &[u8]) -> Result {
        if digest.len() != algo.digest_size() {
            return Err(EINVAL);
        }
        let mut collected = self.collected.lock();
        let digests = collected.0.iter_mut().find(|digests| digests.algo == algo);
        digests
            .ok_or(ENOENT)?
            .bytes
            .extend_from_slice(digest, GFP_KERNEL)?;
        Ok(())
    }

    /// Whether a digest was added. Takes time in proportion to their number.
    pub(crate) fn contains(&self, algo: HashAlgo, digest: &[u8]) -> bool {
        self.collected
            .lock()
            .digests(algo)
            .chunks_exact(algo.digest_size())
            .any(|added| added == digest)
    }

    /// Ends collecting.
    pub(crate) fn finish(&self) -> Collected {
        core::mem::replace(&mut *self.collected.lock(), Collected(KVec::new()))
    }
}
