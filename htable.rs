// SPDX-License-Identifier: GPL-2.0-only

//! Immutable tables of digests.
//!
//! A table is the sorted sequence of its digests, without anything between them, and, for each
//! bucket of digests that begin with the same bits, the number of digests up to the bucket's end. A
//! look-up reads the bounds of one bucket, which tell some four to eight digests, and searches
//! these by bisection. Digests crafted to fall into one bucket cost no more than bisection of the
//! whole table.
//!
//! The table is made by counting sort, which needs to see the digests twice: first to count how
//! many each bucket gets, then to place them. The type of the builder tells the phase: [`Counter`],
//! [`Placer`], and at last the [`Table`]. All memory is the caller's, its size is told by
//! [`Geometry`].
//!
//! Pure logic: no allocation, no `unsafe`, no panic, whatever the memory holds.

use core::ops::Range;

/// The number of digests for each bucket, on average, is at least this, and less than twice this.
/// The less, the more memory for the ends of buckets (four bytes each); the more, the more memory
/// that a look-up touches.
const MIN_LOAD: usize = 4;

/// Digests have at least as many bytes as what the number of a bucket is made from.
const MIN_DIGEST_SIZE: usize = size_of::<u32>();

/// Up to as many digests are sorted by insertion, which is faster for few.
const MAX_INSERTION: usize = 16;

/// How many parts of a bucket may wait for being sorted.
const MAX_LATER: usize = widen(u32::BITS);

/// A number of digests, or of buckets, as memory sizes.
#[allow(clippy::as_conversions)]
const fn widen(number: u32) -> usize {
    const {
        assert!(usize::BITS >= u32::BITS);
    }
    // CAST: Checked by the assertion.
    number as usize
}

/// The size of digests, their number, and what follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    digest_size: usize,
    /// The number of digests that are given, duplicates included.
    num: u32,
    /// How many leading bits of a digest tell its bucket. If none, there is only one bucket and no
    /// memory for its end.
    bucket_bits: u32,
}

impl Geometry {
    /// The geometry of a table for `num` digests; none if such a table cannot be.
    pub fn new(digest_size: usize, num: usize) -> Option<Self> {
        if digest_size < MIN_DIGEST_SIZE {
            return None;
        }
        let geometry = Self {
            digest_size,
            num: u32::try_from(num).ok()?,
            // At most 29, as `num` fits 32 bits.
            bucket_bits: num.checked_div(MIN_LOAD)?.checked_ilog2().unwrap_or(0),
        };
        geometry.digests_len().map(|_| geometry)
    }

    /// The number of bytes that the digests need; none if no memory can have as many.
    pub const fn digests_len(&self) -> Option<usize> {
        widen(self.num).checked_mul(self.digest_size)
    }

    /// The number of ends of buckets, which may be zero.
    pub fn offsets_len(&self) -> usize {
        match self.bucket_bits {
            0 => 0,
            bits => 1_usize.checked_shl(bits).unwrap_or(0),
        }
    }

    /// The number of the bucket that a digest belongs to.
    fn bucket(&self, digest: &[u8]) -> Option<usize> {
        let first = u32::from_be_bytes(*digest.first_chunk()?);
        // With no bits at all, everything is shifted out.
        let shift = u32::BITS.checked_sub(self.bucket_bits)?;
        Some(widen(first.checked_shr(shift).unwrap_or(0)))
    }

    /// As [`Self::bucket`], if the digest has the right size.
    fn checked_bucket(&self, digest: &[u8]) -> Result<usize, Inconsistent> {
        if digest.len() != self.digest_size {
            return Err(Inconsistent);
        }
        self.bucket(digest).ok_or(Inconsistent)
    }

    /// The bytes of the digest at `index`.
    fn range(&self, index: usize) -> Option<Range<usize>> {
        let start = index.checked_mul(self.digest_size)?;
        Some(start..start.checked_add(self.digest_size)?)
    }
}

/// The caller gave other digests than it had said, or other ones when placing than when counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inconsistent;

/// A table that is being made: counts the digests.
#[derive(Debug)]
pub struct Counter<'m> {
    geometry: Geometry,
    digests: &'m mut [u8],
    /// The number of digests of each bucket.
    offsets: &'m mut [u32],
    counted: u32,
}

impl<'m> Counter<'m> {
    /// Begins a table; none if the memory has not the sizes that the geometry tells. What the
    /// memory holds does not matter.
    pub fn new(geometry: Geometry, digests: &'m mut [u8], offsets: &'m mut [u32]) -> Option<Self> {
        if Some(digests.len()) != geometry.digests_len() || offsets.len() != geometry.offsets_len()
        {
            return None;
        }
        // A place that gets no digest must not look as if it had one: see `Placer::finish()`.
        digests.fill(0);
        offsets.fill(0);
        Some(Self {
            geometry,
            digests,
            offsets,
            counted: 0,
        })
    }

    /// Counts a digest.
    ///
    /// # Errors
    ///
    /// It is of another size, or there are more digests than the geometry says.
    pub fn count(&mut self, digest: &[u8]) -> Result<(), Inconsistent> {
        let bucket = self.geometry.checked_bucket(digest)?;
        if self.counted >= self.geometry.num {
            return Err(Inconsistent);
        }
        self.counted = self.counted.saturating_add(1);
        if !self.offsets.is_empty() {
            let count = self.offsets.get_mut(bucket).ok_or(Inconsistent)?;
            *count = count.saturating_add(1);
        }
        Ok(())
    }

    /// Goes on to placing.
    ///
    /// # Errors
    ///
    /// There are fewer digests than the geometry says.
    pub fn into_placer(self) -> Result<Placer<'m>, Inconsistent> {
        if self.counted != self.geometry.num {
            return Err(Inconsistent);
        }
        let mut start = 0_u32;
        for offset in self.offsets.iter_mut() {
            let count = core::mem::replace(offset, start);
            start = start.saturating_add(count);
        }
        Ok(Placer {
            geometry: self.geometry,
            digests: self.digests,
            offsets: self.offsets,
            placed: 0,
        })
    }
}

/// A table that is being made: places the digests.
#[derive(Debug)]
pub struct Placer<'m> {
    geometry: Geometry,
    digests: &'m mut [u8],
    /// Where the next digest of each bucket goes. When all are placed, this is the bucket's end.
    offsets: &'m mut [u32],
    placed: u32,
}

impl Placer<'_> {
    /// Places a digest; the same digests as before, in any order.
    ///
    /// # Errors
    ///
    /// It is of another size, or there are more digests than the geometry says.
    pub fn place(&mut self, digest: &[u8]) -> Result<(), Inconsistent> {
        let bucket = self.geometry.checked_bucket(digest)?;
        if self.placed >= self.geometry.num {
            return Err(Inconsistent);
        }
        let place = if self.offsets.is_empty() {
            self.placed
        } else {
            let offset = self.offsets.get_mut(bucket).ok_or(Inconsistent)?;
            let place = *offset;
            *offset = offset.saturating_add(1);
            place
        };
        self.geometry
            .range(widen(place))
            .and_then(|range| self.digests.get_mut(range))
            .ok_or(Inconsistent)?
            .copy_from_slice(digest);
        self.placed = self.placed.saturating_add(1);
        Ok(())
    }

    /// Sorts what was placed and removes duplicates; gives the number of distinct digests, which
    /// are at the beginning of the memory.
    ///
    /// Takes O(n log n) time for whatever digests.
    ///
    /// # Errors
    ///
    /// What was placed is not what had been counted.
    pub fn finish(self) -> Result<usize, Inconsistent> {
        let Self {
            geometry,
            digests,
            offsets,
            placed,
        } = self;
        if placed != geometry.num {
            return Err(Inconsistent);
        }
        let mut rows = Rows {
            size: geometry.digest_size,
            bytes: digests,
        };
        let mut kept = 0;
        let mut start = 0;
        let buckets = offsets.len().max(1);
        for bucket in 0..buckets {
            let end = offsets.get(bucket).copied().unwrap_or(placed);
            let next = widen(end);
            if next < start || next > widen(placed) {
                return Err(Inconsistent);
            }
            rows.sort(start..next);
            // If a bucket got a digest more than counted, another got one less, and so has, or has
            // left to its neighbour, a place with another bucket's digest or with zeros.
            let distinct = rows.keep_distinct(start..next, kept, |digest| {
                geometry.bucket(digest) == Some(bucket)
            });
            kept = distinct.ok_or(Inconsistent)?;
            if let Some(offset) = offsets.get_mut(bucket) {
                *offset = u32::try_from(kept).map_err(|_| Inconsistent)?;
            }
            start = next;
        }
        if start != widen(geometry.num) {
            return Err(Inconsistent);
        }
        Ok(kept)
    }
}

/// Digests one after another, to be sorted in place.
struct Rows<'m> {
    size: usize,
    bytes: &'m mut [u8],
}

impl Rows<'_> {
    /// The digest at `index`; the empty slice if there is none.
    fn get(&self, index: usize) -> &[u8] {
        let start = index.saturating_mul(self.size);
        self.bytes
            .get(start..start.saturating_add(self.size))
            .unwrap_or_default()
    }

    /// Exchanges two digests, if both are there.
    fn swap(&mut self, a: usize, b: usize) {
        let (low, high) = (a.min(b), a.max(b));
        let (Some(low), Some(high)) = (low.checked_mul(self.size), high.checked_mul(self.size))
        else {
            return;
        };
        let Some((head, tail)) = self.bytes.split_at_mut_checked(high) else {
            return;
        };
        if let (Some(low), Some(high)) = (
            head.get_mut(low..low.saturating_add(self.size)),
            tail.get_mut(..self.size),
        ) {
            low.swap_with_slice(high);
        }
    }

    /// Moves a digest down to `to`, if both places are there.
    fn move_down(&mut self, from: usize, to: usize) {
        let (Some(from), Some(to)) = (from.checked_mul(self.size), to.checked_mul(self.size))
        else {
            return;
        };
        let Some((head, tail)) = self.bytes.split_at_mut_checked(from) else {
            return;
        };
        if let (Some(source), Some(target)) = (
            tail.get(..self.size),
            head.get_mut(to..to.saturating_add(self.size)),
        ) {
            target.copy_from_slice(source);
        }
    }

    /// Sorts the digests of `range` in place, without recursion, in O(n log n) time whatever the
    /// digests are: by partition as long as that goes well, by heap where it does not.
    fn sort(&mut self, range: Range<usize>) {
        let mut current = range;
        // The longer parts, to be sorted later. The shorter part is less than half of its whole, so
        // there are never more of them than an index has bits.
        let mut later: [(Range<usize>, u32); MAX_LATER] = [const { (0..0, 0) }; MAX_LATER];
        let mut num_later = 0_usize;
        let log = |len: usize| len.checked_ilog2().unwrap_or(0);
        let mut bad_luck_left = log(current.len()).saturating_mul(2);
        loop {
            let slot = later.get_mut(num_later);
            if current.len() <= MAX_INSERTION {
                self.insertion_sort(current);
            } else if let Some(slot) = slot.filter(|_| bad_luck_left > 0) {
                bad_luck_left = bad_luck_left.saturating_sub(1);
                let (below, above) = self.partition(current);
                let (short, long) = if below.len() < above.len() {
                    (below, above)
                } else {
                    (above, below)
                };
                *slot = (long, bad_luck_left);
                num_later = num_later.saturating_add(1);
                current = short;
                continue;
            } else {
                self.heap_sort(current);
            }
            num_later = match num_later.checked_sub(1) {
                Some(last) => last,
                None => return,
            };
            let Some(last) = later.get_mut(num_later) else {
                return;
            };
            (current, bad_luck_left) = core::mem::replace(last, (0..0, 0));
        }
    }

    /// Moves the digests of `range` so that one of them, the pivot, is where it belongs, and gives
    /// the ranges of those that belong below and above it.
    fn partition(&mut self, range: Range<usize>) -> (Range<usize>, Range<usize>) {
        let Range { start, end } = range;
        let last = end.saturating_sub(1);
        let middle = start.saturating_add(range.len() / 2);
        // The median of three goes to the beginning.
        for (a, b) in [(middle, start), (start, last), (middle, start)] {
            if self.get(a) > self.get(b) {
                self.swap(a, b);
            }
        }
        let mut low = start.saturating_add(1);
        let mut high = last;
        loop {
            // Both stop at digests equal to the pivot, so that many of these are spread evenly.
            while low <= high && self.get(low) < self.get(start) {
                low = low.saturating_add(1);
            }
            while low <= high && self.get(high) > self.get(start) {
                high = high.saturating_sub(1);
            }
            if low >= high {
                break;
            }
            self.swap(low, high);
            low = low.saturating_add(1);
            high = high.saturating_sub(1);
        }
        // Whether the two met at a digest equal to the pivot or passed each other, nothing after
        // `high` is less than the pivot, and nothing up to it is greater.
        self.swap(start, high);
        (start..high, high.saturating_add(1)..end)
    }

    fn insertion_sort(&mut self, range: Range<usize>) {
        for unsorted in range.clone().skip(1) {
            for index in (range.start.saturating_add(1)..=unsorted).rev() {
                let before = index.saturating_sub(1);
                if self.get(before) <= self.get(index) {
                    break;
                }
                self.swap(before, index);
            }
        }
    }

    fn heap_sort(&mut self, range: Range<usize>) {
        let len = range.len();
        for root in (0..len / 2).rev() {
            self.sift_down(range.start, root, len);
        }
        for last in (1..len).rev() {
            self.swap(range.start, range.start.saturating_add(last));
            self.sift_down(range.start, 0, last);
        }
    }

    /// Lets the digest at `root` sink in the heap of `len` digests that begins at `base`.
    fn sift_down(&mut self, base: usize, mut root: usize, len: usize) {
        let at = |index: usize| base.saturating_add(index);
        loop {
            let left = root.saturating_mul(2).saturating_add(1);
            let right = left.saturating_add(1);
            if left >= len {
                return;
            }
            let child = if right < len && self.get(at(left)) < self.get(at(right)) {
                right
            } else {
                left
            };
            if self.get(at(child)) <= self.get(at(root)) {
                return;
            }
            self.swap(at(root), at(child));
            root = child;
        }
    }

    /// Moves the distinct digests of `range`, which are sorted, down to `target` and on; gives
    /// where they end. None if `is_right` is not true of one.
    fn keep_distinct(
        &mut self,
        range: Range<usize>,
        target: usize,
        is_right: impl Fn(&[u8]) -> bool,
    ) -> Option<usize> {
        let mut end = target;
        for index in range {
            let digest = self.get(index);
            if !is_right(digest) {
                return None;
            }
            if end > target && self.get(end.saturating_sub(1)) == digest {
                continue;
            }
            if end != index {
                self.move_down(index, end);
            }
            end = end.saturating_add(1);
        }
        Some(end)
    }
}

/// A table of digests.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    geometry: Geometry,
    digests: &'a [u8],
    offsets: &'a [u32],
    num_distinct: usize,
}

impl<'a> Table<'a> {
    /// The table that [`Placer::finish`] left in this memory, with as many distinct digests as it
    /// told. The memory for digests may have been cut after these.
    ///
    /// Checks sizes only; if the memory holds anything else, look-ups give arbitrary answers.
    pub fn new(
        geometry: Geometry,
        digests: &'a [u8],
        offsets: &'a [u32],
        num_distinct: usize,
    ) -> Option<Self> {
        let len = num_distinct.checked_mul(geometry.digest_size)?;
        if offsets.len() != geometry.offsets_len() || num_distinct > widen(geometry.num) {
            return None;
        }
        Some(Self {
            geometry,
            digests: digests.get(..len)?,
            offsets,
            num_distinct,
        })
    }

    /// Whether the digest is in the table.
    pub fn contains(&self, digest: &[u8]) -> bool {
        digest.len() == self.geometry.digest_size && self.find(digest).is_some()
    }

    /// Where the digest is.
    fn find(&self, digest: &[u8]) -> Option<usize> {
        let mut range = self.bucket_range(self.geometry.bucket(digest)?)?;
        while !range.is_empty() {
            let middle = range.start.checked_add(range.len() / 2)?;
            let found = self.digests.get(self.geometry.range(middle)?)?;
            match digest.cmp(found) {
                core::cmp::Ordering::Less => range.end = middle,
                core::cmp::Ordering::Greater => range.start = middle.checked_add(1)?,
                core::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// The digests of a bucket.
    fn bucket_range(&self, bucket: usize) -> Option<Range<usize>> {
        if self.offsets.is_empty() {
            return Some(0..self.num_distinct);
        }
        let start = match bucket.checked_sub(1) {
            None => 0,
            Some(before) => widen(*self.offsets.get(before)?),
        };
        Some(start..widen(*self.offsets.get(bucket)?))
    }
}
