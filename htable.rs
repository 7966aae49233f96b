// SPDX-License-Identifier: GPL-2.0-only

//! Immutable tables of digests.
//!
//! A table is the sorted sequence of its digests, without anything between them, and, for each
//! bucket of digests that begin with the same bits, the number of digests up to the bucket's end. A
//! look-up reads the bounds of one bucket, which tell some four to eight digests. Digests look
//! random, so the bits after those that tell the bucket tell where in the bucket a digest should
//! be; from there it is a step or two, mostly within one cache line. Digests crafted to fall into
//! one bucket, or to be far from where they should be, cost no more than bisection.
//!
//! The table is made by counting sort, which needs to see the digests twice: first to count how
//! many each bucket gets, then to place them. The type of the builder tells the phase: [`Counter`],
//! [`Placer`], and at last the [`Table`]. All memory is the caller's, its size is told by
//! [`Geometry`].
//!
//! The memory for digests is in pieces. Allocators hand out memory in few sizes, and what is beyond
//! the next smaller one would be rounded up as a whole; and there is a size up to which they have
//! memory that needs no page tables of its own. See [`Counter::new`].
//!
//! Pure logic: no allocation, no `unsafe`, no panic, whatever the memory holds.

use core::{
    cmp::Ordering,
    ops::{Deref, DerefMut, Range},
};

/// The number of digests for each bucket, on average, is at least this, and less than twice this.
/// The less, the more memory for the ends of buckets; the more, the more memory that a look-up
/// touches.
const MIN_LOAD: usize = 4;

/// Digests have at least as many bytes as are compared at once. The number of a bucket is made from
/// these as well.
const MIN_DIGEST_SIZE: usize = size_of::<u64>();

/// The longest digest.
const MAX_DIGEST_SIZE: usize = 64;

/// The size of a piece of the memory for digests, but for what is left when as many digests as fit
/// are in it: the most that `kmalloc()` has where pages are smallest.
const PIECE: usize = 4 << 20;

/// Up to as many digests are sorted by way of the stack.
const MAX_FEW: usize = 16;

/// Up to as many digests are sorted by insertion.
const MAX_INSERTION: usize = 16;

/// How many parts of a bucket may wait for being sorted.
const MAX_LATER: usize = widen(u32::BITS);

/// How many digests a look-up compares on the way from where the wanted one should be, before it
/// takes to bisection.
const MAX_STEPS: usize = 5;

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
    /// The number of digests that are given, duplicates included.
    num: u32,
    digest_size: u8,
    /// How many leading bits of a digest tell its bucket. If none, there is only one bucket and no
    /// memory for its end.
    bucket_bits: u8,
    /// What is wide enough for the end of a bucket.
    width: Width,
}

impl Geometry {
    /// The geometry of a table for `num` digests; none if such a table cannot be.
    pub fn new(digest_size: usize, num: usize) -> Option<Self> {
        if !(MIN_DIGEST_SIZE..=MAX_DIGEST_SIZE).contains(&digest_size) {
            return None;
        }
        let bucket_bits = num.checked_div(MIN_LOAD)?.checked_ilog2().unwrap_or(0);
        let geometry = Self {
            num: u32::try_from(num).ok()?,
            digest_size: u8::try_from(digest_size).ok()?,
            // At most 29, as `num` fits 32 bits.
            bucket_bits: u8::try_from(bucket_bits).ok()?,
            width: match num {
                0..0x100 => Width::One,
                0x100..0x1_0000 => Width::Two,
                _ => Width::Four,
            },
        };
        geometry.digests_len().map(|_| geometry)
    }

    /// The number of bytes of a digest.
    pub const fn digest_size(&self) -> usize {
        // CAST: Widens. `usize::from` is not const.
        #[allow(clippy::as_conversions)]
        {
            self.digest_size as usize
        }
    }

    /// The number of bytes that the digests need; none if no memory can have as many.
    pub const fn digests_len(&self) -> Option<usize> {
        widen(self.num).checked_mul(self.digest_size())
    }

    /// The number of digests in each piece of the memory for them that is full, see
    /// [`Counter::new`].
    pub fn digests_per_piece(&self) -> usize {
        rows_per_piece(self.digest_size())
    }

    /// The number of bytes that the ends of buckets need, which may be zero.
    pub fn offsets_len(&self) -> usize {
        self.num_offsets().saturating_mul(self.width.size())
    }

    /// The number of ends of buckets, which may be zero.
    fn num_offsets(&self) -> usize {
        match self.bucket_bits {
            0 => 0,
            bits => 1_usize.wrapping_shl(bits.into()),
        }
    }

    /// The number of the bucket that a digest belongs to which begins with `key`, and how far into
    /// the bucket it should be, as a fraction of 2^32.
    #[inline]
    fn bucket(&self, key: u64) -> (usize, u32) {
        let bits = u32::from(self.bucket_bits);
        // In two steps, so that with no bits at all, everything is shifted out.
        let shift = const { u64::BITS - 1 }.wrapping_sub(bits);
        let bucket = (key >> 1).wrapping_shr(shift);
        let rest = key.wrapping_shl(bits) >> 32;
        // Both have less than 32 bits.
        (
            usize::try_from(bucket).unwrap_or(0),
            u32::try_from(rest).unwrap_or(0),
        )
    }

    /// The number of the bucket that a digest belongs to, if it has the right size.
    #[inline]
    fn checked_bucket(&self, digest: &[u8]) -> Result<usize, Inconsistent> {
        if digest.len() != self.digest_size() {
            return Err(Inconsistent);
        }
        Ok(self.bucket(key(digest)).0)
    }
}

/// The first bytes of a digest, as a number by which digests sort.
#[inline]
fn key(digest: &[u8]) -> u64 {
    u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default())
}

/// Copies a digest, to a place of its size.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    if to.len() == from.len() {
        to.copy_from_slice(from);
    }
}

/// Whether two digests of the same size are the same. Of the size that most have, words are
/// compared, which takes no call.
#[inline(always)]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    let (Ok(a), Ok(b)) = (<&[u8; 32]>::try_from(a), <&[u8; 32]>::try_from(b)) else {
        return a == b;
    };
    let difference = a
        .chunks_exact(8)
        .zip(b.chunks_exact(8))
        .fold(0, |different, (a, b)| different | (key(a) ^ key(b)));
    difference == 0
}

/// How many digests of a size there are in a piece of memory that is full.
#[inline(always)]
fn rows_per_piece(size: usize) -> usize {
    // Digests are shorter than pieces, and never empty.
    PIECE.checked_div(size).unwrap_or(1)
}

/// How many pieces, of so many digests `each`, come before that with the digest at `index`, as far
/// as these are full, and its index after them.
#[inline(always)]
fn full_pieces_before(each: usize, index: usize) -> (usize, usize) {
    // Nearly always.
    if index < each {
        return (0, index);
    }
    (
        index.checked_div(each).unwrap_or(0),
        index.checked_rem(each).unwrap_or(0),
    )
}

/// How many bytes the end of a bucket has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    One,
    Two,
    Four,
}

impl Width {
    #[inline]
    const fn size(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// Reads a number; none if it is not there.
    #[inline]
    fn get(self, offsets: &[u8], index: usize) -> Option<u32> {
        let at = index.checked_mul(self.size())?;
        let rest = offsets.get(at..)?;
        Some(match self {
            Self::One => u32::from(*rest.first()?),
            Self::Two => u32::from(u16::from_ne_bytes(*rest.first_chunk()?)),
            Self::Four => u32::from_ne_bytes(*rest.first_chunk()?),
        })
    }

    /// Reads a number and that before it, zero before the first one; none if they are not there.
    #[inline(always)]
    fn get_with_previous(self, offsets: &[u8], index: usize) -> Option<(u32, u32)> {
        /// The same for a width.
        #[inline(always)]
        fn read<const N: usize>(offsets: &[u8], index: usize) -> Option<([u8; N], [u8; N])> {
            let at = index.checked_mul(N)?;
            let number = *offsets.get(at..)?.first_chunk()?;
            let previous = match at.checked_sub(N) {
                Some(before) => *offsets.get(before..)?.first_chunk()?,
                None => [0; N],
            };
            Some((previous, number))
        }
        Some(match self {
            Self::One => {
                let ([previous], [number]) = read(offsets, index)?;
                (previous.into(), number.into())
            }
            Self::Two => {
                let (previous, number) = read(offsets, index)?;
                (
                    u16::from_ne_bytes(previous).into(),
                    u16::from_ne_bytes(number).into(),
                )
            }
            Self::Four => {
                let (previous, number) = read(offsets, index)?;
                (u32::from_ne_bytes(previous), u32::from_ne_bytes(number))
            }
        })
    }

    /// Adds one to a number, and tells what it was; none if it is not there, or has no room.
    #[inline(always)]
    fn increment(self, offsets: &mut [u8], index: usize) -> Option<u32> {
        /// Where a number of a width is.
        #[inline(always)]
        fn find<const N: usize>(offsets: &mut [u8], index: usize) -> Option<&mut [u8; N]> {
            offsets.get_mut(index.checked_mul(N)?..)?.first_chunk_mut()
        }
        Some(match self {
            Self::One => {
                let [number] = find(offsets, index)?;
                let before = *number;
                *number = before.checked_add(1)?;
                before.into()
            }
            Self::Two => {
                let number = find(offsets, index)?;
                let before = u16::from_ne_bytes(*number);
                *number = before.checked_add(1)?.to_ne_bytes();
                before.into()
            }
            Self::Four => {
                let number = find(offsets, index)?;
                let before = u32::from_ne_bytes(*number);
                *number = before.checked_add(1)?.to_ne_bytes();
                before
            }
        })
    }

    /// Replaces a number, which must fit.
    #[inline]
    fn set(self, offsets: &mut [u8], index: usize, value: u32) -> Option<()> {
        let at = index.checked_mul(self.size())?;
        let rest = offsets.get_mut(at..)?;
        match self {
            Self::One => *rest.first_mut()? = u8::try_from(value).ok()?,
            Self::Two => *rest.first_chunk_mut()? = u16::try_from(value).ok()?.to_ne_bytes(),
            Self::Four => *rest.first_chunk_mut()? = value.to_ne_bytes(),
        }
        Some(())
    }
}

/// The caller gave other digests than it had said, or other ones when placing than when counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inconsistent;

/// A table that is being made: counts the digests.
#[derive(Debug)]
pub struct Counter<'m, P> {
    geometry: Geometry,
    rows: Rows<'m, P>,
    /// The number of digests of each bucket.
    offsets: &'m mut [u8],
    counted: u32,
}

impl<'m, P: DerefMut<Target = [u8]>> Counter<'m, P> {
    /// Begins a table in this memory; none if `offsets` has not the size that the geometry tells,
    /// or the pieces of `digests` have not. All of it must be zeros: else digests that were given
    /// may be missing, or the table refused.
    ///
    /// As long as there is room for as many to come, pieces have room for
    /// [`Geometry::digests_per_piece`], so that a look-up finds a digest without looking at all of
    /// them. The rest is in whatever pieces, each of which has room for whole digests.
    pub fn new(geometry: Geometry, digests: &'m mut [P], offsets: &'m mut [u8]) -> Option<Self> {
        if offsets.len() != geometry.offsets_len() {
            return None;
        }
        let full = geometry.digests_per_piece();
        let mut left = widen(geometry.num);
        for piece in &*digests {
            let len = piece.len();
            let num = len.checked_div(geometry.digest_size())?;
            if num.checked_mul(geometry.digest_size()) != Some(len) || (left >= full && num != full)
            {
                return None;
            }
            left = left.checked_sub(num)?;
        }
        if left != 0 {
            return None;
        }
        Some(Self {
            geometry,
            rows: Rows {
                size: geometry.digest_size(),
                each: full,
                pieces: digests,
            },
            offsets,
            counted: 0,
        })
    }

    /// Counts a digest.
    ///
    /// # Errors
    ///
    /// It is of another size, or there are more digests than the geometry says.
    #[inline]
    pub fn count(&mut self, digest: &[u8]) -> Result<(), Inconsistent> {
        let bucket = self.geometry.checked_bucket(digest)?;
        if self.counted >= self.geometry.num {
            return Err(Inconsistent);
        }
        self.counted = self.counted.saturating_add(1);
        if !self.offsets.is_empty() {
            let counted = self.geometry.width.increment(self.offsets, bucket);
            counted.ok_or(Inconsistent)?;
        }
        Ok(())
    }

    /// Goes on to placing.
    ///
    /// # Errors
    ///
    /// There are fewer digests than the geometry says.
    pub fn into_placer(self) -> Result<Placer<'m, P>, Inconsistent> {
        if self.counted != self.geometry.num {
            return Err(Inconsistent);
        }
        let width = self.geometry.width;
        let mut start = 0_u32;
        for bucket in 0..self.geometry.num_offsets() {
            let count = width.get(self.offsets, bucket).ok_or(Inconsistent)?;
            width.set(self.offsets, bucket, start).ok_or(Inconsistent)?;
            start = start.saturating_add(count);
        }
        Ok(Placer {
            geometry: self.geometry,
            rows: self.rows,
            offsets: self.offsets,
            placed: 0,
        })
    }
}

/// A table that is being made: places the digests.
#[derive(Debug)]
pub struct Placer<'m, P> {
    geometry: Geometry,
    rows: Rows<'m, P>,
    /// Where the next digest of each bucket goes. When all are placed, this is the bucket's end.
    offsets: &'m mut [u8],
    placed: u32,
}

impl<P: DerefMut<Target = [u8]>> Placer<'_, P> {
    /// Places a digest; the same digests as before, in any order.
    ///
    /// # Errors
    ///
    /// It is of another size, there are more digests than the geometry says, or more of its bucket
    /// and of those after it than there is room for.
    #[inline]
    pub fn place(&mut self, digest: &[u8]) -> Result<(), Inconsistent> {
        match <&[u8; 32]>::try_from(digest) {
            // The size that most have is told to the compiler.
            Ok(digest) => self.place_one(32, rows_per_piece(32), digest),
            Err(_) => self.place_other(digest),
        }
    }

    /// See [`Self::place`]; for a digest of any size, and no part of what is done for the usual.
    #[inline(never)]
    fn place_other(&mut self, digest: &[u8]) -> Result<(), Inconsistent> {
        self.place_one(digest.len(), self.rows.each, digest)
    }

    /// See [`Self::place`]; for a digest of this size, of which so many are in a full piece.
    #[inline(always)]
    fn place_one(&mut self, size: usize, each: usize, digest: &[u8]) -> Result<(), Inconsistent> {
        let bucket = self.geometry.checked_bucket(digest)?;
        if self.placed >= self.geometry.num {
            return Err(Inconsistent);
        }
        let place = if self.offsets.is_empty() {
            self.placed
        } else {
            let place = self.geometry.width.increment(self.offsets, bucket);
            place.ok_or(Inconsistent)?
        };
        let row = self.rows.get_mut(size, each, widen(place));
        copy(row.ok_or(Inconsistent)?, digest);
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
        match self.geometry.digest_size() {
            // The size that most have is told to the compiler.
            32 => self.finish_for(32),
            size => self.finish_for(size),
        }
    }

    /// See [`Self::finish`]; for digests of this size.
    #[inline(always)]
    fn finish_for(self, size: usize) -> Result<usize, Inconsistent> {
        let Self {
            geometry,
            mut rows,
            offsets,
            placed,
        } = self;
        if placed != geometry.num {
            return Err(Inconsistent);
        }
        let width = geometry.width;
        let mut few = Few {
            keys: [0; MAX_FEW],
            sorted: [0; MAX_FEW],
            copies: [[0; MAX_DIGEST_SIZE]; MAX_FEW],
        };
        let mut kept = 0;
        let mut start = 0;
        for bucket in 0..geometry.num_offsets().max(1) {
            let end = width.get(offsets, bucket).unwrap_or(placed);
            let next = widen(end);
            if next < start || next > widen(placed) {
                return Err(Inconsistent);
            }
            // If a bucket got a digest more than counted, another got one less, and so has, or has
            // left to its neighbour, a place with another bucket's digest or with zeros.
            let is_right = |key: u64| geometry.bucket(key).0 == bucket;
            let range = start..next;
            kept = if range.len() <= MAX_FEW {
                rows.sort_few(size, &mut few, range, kept, is_right)
            } else {
                rows.sort(range.clone());
                rows.keep_distinct(range, kept, is_right)
            }
            .ok_or(Inconsistent)?;
            if !offsets.is_empty() {
                let kept = u32::try_from(kept).map_err(|_| Inconsistent)?;
                width.set(offsets, bucket, kept).ok_or(Inconsistent)?;
            }
            start = next;
        }
        if start != widen(geometry.num) {
            return Err(Inconsistent);
        }
        Ok(kept)
    }
}

/// Few digests, copied, to be put in order.
struct Few {
    /// The first bytes of each, with its number instead of the lowest bits: all different.
    keys: [u64; MAX_FEW],
    /// The same in order.
    sorted: [u64; MAX_FEW],
    copies: [[u8; MAX_DIGEST_SIZE]; MAX_FEW],
}

impl Few {
    /// The bits of a key that are the number of the digest.
    const NUMBER: u64 = 0xf;

    /// What sorts as digest `number`, which begins with `key`, as far as the key tells.
    #[inline(always)]
    fn numbered(key: u64, number: usize) -> u64 {
        const {
            assert!(MAX_FEW == 16 && Self::NUMBER == 15);
        }
        // Cannot fail, as numbers are below 16.
        (key & !Self::NUMBER) | u64::try_from(number).unwrap_or(0)
    }

    /// Puts the first `num` keys in order.
    ///
    /// Comparing each with each takes no decision, which a processor could not foresee: for so few,
    /// that is faster than to sort them.
    #[inline(always)]
    fn sort(&mut self, num: usize) -> Option<()> {
        let keys = self.keys.get(..num)?;
        for this in keys {
            let before = keys.iter().map(|other| usize::from(other < this));
            let place = before.fold(0_usize, |place, before| place.wrapping_add(before));
            *self.sorted.get_mut(place)? = *this;
        }
        Some(())
    }
}

/// Digests one after another, to be sorted in place.
#[derive(Debug)]
struct Rows<'m, P> {
    size: usize,
    /// See [`rows_per_piece`].
    each: usize,
    pieces: &'m mut [P],
}

impl<P: DerefMut<Target = [u8]>> Rows<'_, P> {
    /// The digest at `index`; the empty slice if there is none.
    fn get(&self, index: usize) -> &[u8] {
        find_row(self.size, self.each, self.pieces, index).unwrap_or_default()
    }

    /// The digest at `index`. As [`Self::get`], where the compiler may know what is in the fields.
    #[inline(always)]
    fn get_mut(&mut self, size: usize, each: usize, index: usize) -> Option<&mut [u8]> {
        let (first, index) = full_pieces_before(each, index);
        let mut start = index.checked_mul(size)?;
        for piece in self.pieces.get_mut(first..)? {
            if start < piece.len() {
                return piece.get_mut(start..start.checked_add(size)?);
            }
            start = start.saturating_sub(piece.len());
        }
        None
    }

    /// Copies a digest to the beginning of `copy`.
    fn copy_out<'c>(
        &self,
        index: usize,
        copy_of_it: &'c mut [u8; MAX_DIGEST_SIZE],
    ) -> Option<&'c [u8]> {
        let copied = copy_of_it.get_mut(..self.size)?;
        copy(copied, self.get(index));
        Some(copied)
    }

    /// Exchanges two digests, if both are there.
    fn swap(&mut self, a: usize, b: usize) {
        let (mut of_a, mut of_b) = ([0; MAX_DIGEST_SIZE], [0; MAX_DIGEST_SIZE]);
        let (Some(digest_a), Some(digest_b)) =
            (self.copy_out(a, &mut of_a), self.copy_out(b, &mut of_b))
        else {
            return;
        };
        let (size, each) = (self.size, self.each);
        if let Some(to) = self.get_mut(size, each, a) {
            copy(to, digest_b);
        }
        if let Some(to) = self.get_mut(size, each, b) {
            copy(to, digest_a);
        }
    }

    /// Sorts the digests of `range`, [`MAX_FEW`] at most, of `size` bytes, by way of `few`, moves
    /// the distinct ones to `target` and on, which is not after the beginning of `range`, and gives
    /// where they end. None if `is_right` is not true of one.
    #[inline(always)]
    fn sort_few(
        &mut self,
        size: usize,
        few: &mut Few,
        range: Range<usize>,
        target: usize,
        is_right: impl Fn(u64) -> bool,
    ) -> Option<usize> {
        let each = rows_per_piece(size);
        let num = range.len();
        let places = few.copies.iter_mut().zip(&mut few.keys);
        for ((number, index), (copied, numbered)) in range.enumerate().zip(places) {
            let digest = find_row(size, each, self.pieces, index)?;
            copy(copied.get_mut(..size)?, digest);
            let key = key(digest);
            if !is_right(key) {
                return None;
            }
            *numbered = Few::numbered(key, number);
        }
        few.sort(num)?;
        let mut all_differ = true;
        // No key is the first one's.
        let mut previous = !few.sorted.first()?;
        for (to, numbered) in (target..).zip(few.sorted.get(..num)?) {
            all_differ &= (numbered ^ previous) > Few::NUMBER;
            previous = *numbered;
            let number = usize::try_from(numbered & Few::NUMBER).ok()?;
            let digest = few.copies.get(number)?.get(..size)?;
            copy(self.get_mut(size, each, to)?, digest);
        }
        let end = target.checked_add(num)?;
        if all_differ {
            return Some(end);
        }
        self.insertion_sort(target..end);
        self.keep_distinct(target..end, target, is_right)
    }

    /// Sorts the digests of `range` in place, without recursion, in O(n log n) time whatever the
    /// digests are: by partition as long as that goes well, by heap where it does not.
    // Its stack is not to be added to that of who calls it, which has few digests on it.
    #[inline(never)]
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
        is_right: impl Fn(u64) -> bool,
    ) -> Option<usize> {
        let mut end = target;
        for index in range {
            let digest = self.get(index);
            if !is_right(key(digest)) {
                return None;
            }
            if end > target && self.get(end.saturating_sub(1)) == digest {
                continue;
            }
            if end != index {
                let mut copied = [0; MAX_DIGEST_SIZE];
                let digest = self.copy_out(index, &mut copied)?;
                copy(self.get_mut(self.size, self.each, end)?, digest);
            }
            end = end.saturating_add(1);
        }
        Some(end)
    }
}

/// The digest of `size` bytes at `index` of the memory for digests, of which so many, `each`, are
/// in a full piece. (There is the same for memory that is changed.)
#[inline(always)]
fn find_row<P: Deref<Target = [u8]>>(
    size: usize,
    each: usize,
    pieces: &[P],
    index: usize,
) -> Option<&[u8]> {
    let (first, index) = full_pieces_before(each, index);
    let mut start = index.checked_mul(size)?;
    for piece in pieces.get(first..)? {
        if start < piece.len() {
            return piece.get(start..start.checked_add(size)?);
        }
        start = start.saturating_sub(piece.len());
    }
    None
}

/// A table of digests.
#[derive(Debug)]
pub struct Table<'a, P> {
    geometry: Geometry,
    digests: &'a [P],
    offsets: &'a [u8],
    num_distinct: usize,
}

impl<'a, P: Deref<Target = [u8]>> Table<'a, P> {
    /// The table that [`Placer::finish`] left in this memory, with as many distinct digests as it
    /// told. The memory for digests may have been cut after these.
    ///
    /// If the memory holds anything else, look-ups give arbitrary answers.
    #[inline]
    pub fn new(
        geometry: Geometry,
        digests: &'a [P],
        offsets: &'a [u8],
        num_distinct: usize,
    ) -> Option<Self> {
        if offsets.len() != geometry.offsets_len() || num_distinct > widen(geometry.num) {
            return None;
        }
        Some(Self {
            geometry,
            digests,
            offsets,
            num_distinct,
        })
    }

    /// Whether the digest is in the table.
    #[inline]
    pub fn contains(&self, digest: &[u8]) -> bool {
        match <&[u8; 32]>::try_from(digest) {
            // The size that most have is told to the compiler.
            Ok(digest) => self.geometry.digest_size() == 32 && self.find(digest, 32).is_some(),
            Err(_) => {
                let size = self.geometry.digest_size();
                digest.len() == size && self.find(digest, size).is_some()
            }
        }
    }

    /// Where the digest, of `size` bytes, is.
    #[inline(always)]
    fn find(&self, digest: &[u8], size: usize) -> Option<usize> {
        let each = rows_per_piece(size);
        let wanted = key(digest);
        let (bucket, fraction) = self.geometry.bucket(wanted);
        let mut range = self.bucket_range(bucket)?;
        // Where it should be.
        let num = u64::try_from(range.len()).ok()?;
        let ahead = num.saturating_mul(fraction.into()) >> 32;
        let mut next = range.start.checked_add(usize::try_from(ahead).ok()?)?;
        let mut steps = 0_usize;
        while range.contains(&next) {
            let found = find_row(size, each, self.digests, next)?;
            let order = match wanted.cmp(&key(found)) {
                Ordering::Equal if is_same(digest, found) => return Some(next),
                // Few have the same key.
                Ordering::Equal => digest.cmp(found),
                different => different,
            };
            match order {
                Ordering::Less => range.end = next,
                Ordering::Greater => range.start = next.checked_add(1)?,
                Ordering::Equal => return Some(next),
            }
            steps = steps.saturating_add(1);
            next = if steps >= MAX_STEPS {
                range.start.checked_add(range.len() / 2)?
            } else if range.end == next {
                next.checked_sub(1)?
            } else {
                next.checked_add(1)?
            };
        }
        None
    }

    /// The digests of a bucket.
    #[inline]
    fn bucket_range(&self, bucket: usize) -> Option<Range<usize>> {
        if self.offsets.is_empty() {
            return Some(0..self.num_distinct);
        }
        let bounds = self.geometry.width.get_with_previous(self.offsets, bucket);
        let (start, end) = bounds?;
        Some(widen(start)..widen(end))
    }
}
