// SPDX-License-Identifier: GPL-2.0-only

//! An index from digests to the lists that have them.
//!
//! A hash table with open addressing in which each place holds the hash of a digest (32 bits) and
//! the number of a list (31 bits), eight bytes together; the digest itself is in the list's own
//! table, where a match of hashes is confirmed. It grows only: one task at a time adds, while any
//! number of others look up, without a lock. To grow beyond its memory, its places are copied to
//! larger memory, for which the digests need not be seen again.
//!
//! Digests come from lists that may be crafted, so the hash depends on a secret key: the sum of
//! products of the digest's words with random numbers, of which the high half is used ("multilinear
//! hashing", D. Lemire and O. Kaser, Strongly universal string hashing is fast, 2014). Whatever two
//! digests somebody chooses, their hashes are equal with a probability of 2^-32.
//!
//! Pure logic: no allocation, no `unsafe`, no panic, whatever the memory holds.

/// The number of 32-bit words of the longest digest.
const MAX_WORDS: usize = 64 / 4;

/// The secret of a hash: for each word of a digest, for its algorithm, and one to begin with.
#[derive(Clone, Copy)]
pub struct Key(pub [u64; Self::LEN]);

impl Key {
    /// The number of its words.
    pub const LEN: usize = MAX_WORDS + 2;

    /// The hash of a digest. Digests of different algorithms have different ones.
    #[inline]
    pub fn hash(&self, algo: u8, digest: &[u8]) -> u32 {
        match <&[u8; 32]>::try_from(digest) {
            // The size that most have is told to the compiler.
            Ok(digest) => self.hash_of(algo, digest),
            Err(_) => self.hash_of(algo, digest),
        }
    }

    /// See [`Self::hash`].
    #[inline(always)]
    fn hash_of(&self, algo: u8, digest: &[u8]) -> u32 {
        let mut keys = self.0.iter();
        let mut key = || keys.next().copied().unwrap_or(0);
        let first = key().wrapping_add(key().wrapping_mul(u64::from(algo)));
        let words = digest.chunks_exact(4);
        let rest = words.remainder().iter();
        let words = words.map(|word| word.first_chunk().copied().map_or(0, u32::from_be_bytes));
        // No digest has one.
        let rest = rest.fold(0_u32, |word, byte| (word << 8) | u32::from(*byte));
        let sum = words.chain([rest]).fold(first, |sum, word| {
            sum.wrapping_add(key().wrapping_mul(u64::from(word)))
        });
        let [b7, b6, b5, b4, ..] = sum.to_be_bytes();
        u32::from_be_bytes([b7, b6, b5, b4])
    }
}

/// A place of an index: a word that one task writes and others read at the same time.
pub trait Place {
    /// Reads the word; what the writer did before it wrote the word is seen as well.
    fn load(&self) -> u64;
    /// Writes the word.
    fn store(&self, word: u64);
}

/// What a place holds: never zero, which is an empty place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word {
    hash: u32,
    list: u32,
}

impl Word {
    fn decode(word: u64) -> Option<Self> {
        let [h3, h2, h1, h0, l3, l2, l1, l0] = word.to_be_bytes();
        Some(Self {
            hash: u32::from_be_bytes([h3, h2, h1, h0]),
            // Zero in this half, which no list has, is an empty place.
            list: u32::from_be_bytes([l3, l2, l1, l0]).checked_sub(1)?,
        })
    }

    fn encode(self) -> u64 {
        (u64::from(self.hash) << 32) | u64::from(self.list.saturating_add(1))
    }
}

/// How many places an index with `num` digests is given: a quarter more than there are digests, so
/// that a look-up reads few of them, in a row.
pub fn places_for(num: usize) -> Option<usize> {
    num.checked_add(num / 4)?.checked_add(1)
}

/// An index in the caller's memory; see the module's documentation.
///
/// It works with any content of the memory. All places zero is the empty index.
#[derive(Clone, Copy, Debug)]
pub struct Index<'a, P> {
    places: &'a [P],
}

/// There is no place left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl<'a, P: Place> Index<'a, P> {
    /// The index in this memory.
    pub const fn new(places: &'a [P]) -> Self {
        Self { places }
    }

    /// The places in the order in which a digest with this hash may be in them.
    fn sequence(&self, hash: u32) -> impl Iterator<Item = &'a P> {
        let len = u64::try_from(self.places.len()).unwrap_or(0);
        // The hash as a fraction of one, times the number of places: spread evenly, for any number.
        let home = u64::from(hash).saturating_mul(len) >> 32;
        let home = usize::try_from(home).unwrap_or(0);
        let (before, from) = self.places.split_at_checked(home).unwrap_or_default();
        from.iter().chain(before)
    }

    /// The list of which `has` confirms that it has the digest with this hash.
    pub fn find(&self, hash: u32, mut has: impl FnMut(u32) -> bool) -> Option<u32> {
        self.sequence(hash)
            .map_while(|place| Word::decode(place.load()))
            .find(|word| word.hash == hash && has(word.list))
            .map(|word| word.list)
    }

    /// Adds that `list` has the digest with this hash, unless `has` confirms for another list that
    /// it does: the first one counts. Tells whether it was added. Only one task may add at a time.
    ///
    /// # Errors
    ///
    /// [`Full`].
    pub fn insert(
        &self,
        hash: u32,
        list: u32,
        mut has: impl FnMut(u32) -> bool,
    ) -> Result<bool, Full> {
        for place in self.sequence(hash) {
            match Word::decode(place.load()) {
                Some(word) if word.hash == hash && has(word.list) => return Ok(false),
                Some(_) => continue,
                None => {
                    place.store(Word { hash, list }.encode());
                    return Ok(true);
                }
            }
        }
        Err(Full)
    }

    /// Copies all of this index to an empty one.
    ///
    /// # Errors
    ///
    /// [`Full`].
    pub fn copy_to(&self, other: &Index<'_, P>) -> Result<(), Full> {
        // From an empty place on, so that words of the same hash, which are found in the order in
        // which they were added, are added in that order again.
        let is_empty = |place: &P| Word::decode(place.load()).is_none();
        let empty = self.places.iter().position(is_empty).unwrap_or(0);
        let (before, from) = self.places.split_at_checked(empty).unwrap_or_default();
        let words = from.iter().chain(before);
        for word in words.filter_map(|place| Word::decode(place.load())) {
            // Whatever is there with the same hash is another digest.
            other.insert(word.hash, word.list, |_| false)?;
        }
        Ok(())
    }
}
