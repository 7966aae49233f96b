// SPDX-License-Identifier: GPL-2.0-only

//! Digest lists: their names, their signatures, their formats.
//!
//! Pure logic, with nothing but `core`: no allocation, no `unsafe`, no panic. The kernel, the
//! user-space tools, the tests and the fuzz targets compile the same source files.
//!
//! [`List::parse`] walks a list once and checks everything; it takes time in proportion to the
//! list's size, whatever is in it. Iteration after that cannot fail.

pub mod algo;
mod cursor;
pub mod error;
pub mod modsig;
pub mod name;
mod rpm;
mod tlv;

use self::{
    algo::{DigestType, HashAlgo},
    error::{Error, Kind},
};

/// The longest list: 4 GiB.
pub const MAX_LIST_SIZE: u64 = 1 << 32;

/// Checks the length of a list against [`MAX_LIST_SIZE`].
///
/// # Errors
///
/// [`Kind::TooBig`].
pub const fn check_size(len: u64) -> Result<(), Error> {
    if len > MAX_LIST_SIZE {
        return Err(Error::new(Kind::TooBig, 0));
    }
    Ok(())
}

/// A format of digest lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Type-length-value fields, which our tools write.
    Tlv,
    /// Headers of RPM packages.
    Rpm,
}

impl Format {
    /// The format of this name.
    pub const fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"tlv" => Some(Self::Tlv),
            b"rpm" => Some(Self::Rpm),
            _ => None,
        }
    }

    /// The name of the format, as the names of lists tell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tlv => "tlv",
            Self::Rpm => "rpm",
        }
    }
}

/// The path of a file as packaged. Joined together, without anything between, the parts are the
/// path; nothing says that it is sane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path<'e> {
    /// The directory with a slash at its end, or the whole path.
    pub dir: &'e [u8],
    /// The rest of the path, which may be empty.
    pub base: &'e [u8],
}

/// One digest of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'e> {
    /// The algorithm of the digest.
    pub algo: HashAlgo,
    /// What the digest is the digest of.
    pub digest_type: DigestType,
    /// The digest: as many bytes as digests of the algorithm have.
    pub digest: &'e [u8],
    /// The path of the file that has the digest, if the list tells it. Only for people: a file is
    /// found by its digest, whatever its path.
    pub path: Option<Path<'e>>,
}

/// How many digests a list has, duplicates included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts([[u32; DigestType::COUNT]; HashAlgo::COUNT]);

impl Counts {
    const fn new() -> Self {
        Self([[0; DigestType::COUNT]; HashAlgo::COUNT])
    }

    /// Counts one digest; none if there are more than can be counted.
    fn add(&mut self, algo: HashAlgo, digest_type: DigestType) -> Option<()> {
        let count = self
            .0
            .get_mut(usize::from(algo.raw()))?
            .get_mut(usize::from(digest_type.raw()))?;
        *count = count.checked_add(1)?;
        Some(())
    }

    /// The number of digests of this algorithm and type.
    pub fn get(&self, algo: HashAlgo, digest_type: DigestType) -> u32 {
        self.0
            .get(usize::from(algo.raw()))
            .and_then(|counts| counts.get(usize::from(digest_type.raw())))
            .copied()
            .unwrap_or(0)
    }

    /// The number of all digests.
    pub fn total(&self) -> u64 {
        self.iter_nonzero()
            .fold(0, |sum, (_, _, count)| sum.saturating_add(count.into()))
    }

    /// The algorithms and types that there are digests of, by their numbers.
    pub fn iter_nonzero(&self) -> impl Iterator<Item = (HashAlgo, DigestType, u32)> + '_ {
        HashAlgo::ALL
            .into_iter()
            .flat_map(|algo| DigestType::ALL.map(|digest_type| (algo, digest_type)))
            .map(|(algo, digest_type)| (algo, digest_type, self.get(algo, digest_type)))
            .filter(|&(_, _, count)| count != 0)
    }
}

/// Why a walk through a list did not get to its end.
enum Halt<E> {
    /// The list is malformed.
    Malformed(Error),
    /// Who was given an entry wants no more.
    Stopped(E),
}

impl<E> From<Error> for Halt<E> {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

/// A list of a format, as far as it must be known for a walk.
#[derive(Clone, Copy, Debug)]
enum Body<'a> {
    Tlv(tlv::Body<'a>),
    Rpm(rpm::Body<'a>),
}

impl Body<'_> {
    /// A walk that is not `FULL` is for lists that such a walk found to be well-formed, and does
    /// without paths. Some formats have a shorter one for it.
    fn walk<E, const FULL: bool>(
        &self,
        f: impl FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), Halt<E>> {
        match self {
            Self::Tlv(body) => body.walk(f),
            Self::Rpm(body) => body.walk::<E, FULL>(f),
        }
    }
}

/// The result of a walk through a list that is known to be well-formed.
fn walked<E>(result: Result<(), Halt<E>>) -> Result<(), E> {
    match result {
        Err(Halt::Stopped(error)) => Err(error),
        Ok(()) | Err(Halt::Malformed(_)) => Ok(()),
    }
}

/// A digest list that is known to be well-formed.
///
/// # Invariants
///
/// - A walk through `body` gets to its end without finding anything malformed.
/// - `counts` are the numbers of entries that such a walk gives.
#[derive(Clone, Debug)]
pub struct List<'a> {
    body: Body<'a>,
    counts: Counts,
}

impl<'a> List<'a> {
    /// Checks the content of a list, from which a signature has been stripped.
    ///
    /// # Errors
    ///
    /// Those of class [`Errno::BadMsg`](error::Errno::BadMsg), and [`Kind::TooBig`].
    pub fn parse(format: Format, content: &'a [u8]) -> Result<Self, Error> {
        check_size(u64::try_from(content.len()).unwrap_or(u64::MAX))?;
        // A list without a byte is no list that anybody made, but one whose data got lost.
        if content.is_empty() {
            return Err(Error::new(Kind::Empty, 0));
        }
        let body = match format {
            Format::Tlv => Body::Tlv(tlv::Body::new(content)),
            Format::Rpm => Body::Rpm(rpm::Body::parse(content)?),
        };
        let mut counts = Counts::new();
        let walked = body.walk::<_, true>(|entry| {
            counts
                .add(entry.algo, entry.digest_type)
                .ok_or(Error::new(Kind::TooBig, 0))
        });
        match walked {
            // INVARIANT: The walk got to its end, and each of its entries was counted.
            Ok(()) => Ok(Self { body, counts }),
            Err(Halt::Malformed(error) | Halt::Stopped(error)) => Err(error),
        }
    }

    /// How many digests the list has.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Calls `f` for each digest, in the order of the list, until it fails.
    ///
    /// # Errors
    ///
    /// That of `f`.
    pub fn for_each<E>(&self, f: impl FnMut(Entry<'_>) -> Result<(), E>) -> Result<(), E> {
        walked(self.body.walk::<_, true>(f))
    }

    /// As [`Self::for_each`], but whether entries have their paths is not said: for who wants only
    /// digests.
    ///
    /// # Errors
    ///
    /// That of `f`.
    pub fn for_each_digest<E>(&self, f: impl FnMut(Entry<'_>) -> Result<(), E>) -> Result<(), E> {
        walked(self.body.walk::<_, false>(f))
    }
}
