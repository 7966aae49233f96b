// SPDX-License-Identifier: GPL-2.0-only

//! The `rpm` format: the immutable region of an RPM package's header.
//!
//! ```text
//! 8e ad e8 01 | 0 u32 | number of tags u32 | data size u32 | { tag, type, offset, count: u32 }...
//! | data
//! ```
//!
//! What is decided where the format leaves a choice:
//!
//! - The sizes told must add up to the size of the list, and every tag must begin within the data
//!   (or at its end) and be of a type that RPM has. Tags in use may occur only once and must be
//!   well-formed to the last value; others are not looked into, in particular region tags.
//! - A header without FILEDIGESTS is a valid list without digests; what it tells of files is not
//!   looked at. FILEDIGESTS without FILEDIGESTALGO are MD5, as RPM has it.
//! - BASENAMES, DIRNAMES and DIRINDEXES are either all there or all missing, with a value for each
//!   file where they must have one. FILEMODES may be missing.
//! - A file with an empty digest is skipped, and so is one that FILEMODES says is no regular file:
//!   nothing could ever be verified by its digest.

use super::{
    algo::{DigestType, HashAlgo, MAX_DIGEST_SIZE},
    cursor::Cursor,
    error::{Error, Kind},
    Entry, Halt, Path,
};

const MAGIC: [u8; 4] = [0x8e, 0xad, 0xe8, 0x01];

/// The size of an entry of the index.
const INDEX_ENTRY_SIZE: u64 = 16;

/// Types of values.
mod value_type {
    pub(super) const INT16: u32 = 3;
    pub(super) const INT32: u32 = 4;
    pub(super) const STRING_ARRAY: u32 = 8;
    /// The largest that there is: I18NSTRING.
    pub(super) const MAX: u32 = 9;
}

/// `S_IFMT` and `S_IFREG`.
const MODE_TYPE: u16 = 0o170_000;
const MODE_REGULAR: u16 = 0o100_000;

/// How many bytes of directory names a walk goes over to find directories by their number, for
/// each byte of the header. RPM sorts files by path, so that the next file's directory is near; a
/// header crafted to jump about gets no paths from there on, instead of quadratic time.
const DIR_SEARCH_FACTOR: usize = 16;

/// Values of a tag.
#[derive(Clone, Copy, Debug)]
struct Values<'a> {
    /// Where the entry of the index is.
    index_at: usize,
    count: u32,
    /// From the first value to the end of the header's data.
    data: Cursor<'a>,
}

impl<'a> Values<'a> {
    const fn error(&self, kind: Kind) -> Error {
        Error::new(kind, self.index_at)
    }

    /// Cuts the data to values of fixed size, and checks their alignment, which RPM insists on
    /// too. `data_at` is where the header's data begins.
    fn cut_to_size(&mut self, data_at: usize, size: u32) -> Result<(), Error> {
        let offset = self.data.offset().saturating_sub(data_at);
        let misaligned = usize::try_from(size)
            .ok()
            .and_then(|size| offset.checked_rem(size))
            != Some(0);
        if misaligned {
            return Err(self.error(Kind::TagAlignment));
        }
        let len = u64::from(self.count).saturating_mul(size.into());
        self.data = self
            .data
            .take(len)
            .map_err(|_| self.error(Kind::TagRange))?;
        Ok(())
    }

    /// Cuts the data to as many strings as are told.
    fn cut_to_strings(&mut self) -> Result<(), Error> {
        let all = self.data;
        let mut rest = all;
        for _ in 0..self.count {
            // Also ends a count that is beyond all reason: each string takes at least one byte.
            rest.string()?;
        }
        let len = all.len().saturating_sub(rest.len());
        let strings = all.rest().get(..len).unwrap_or_default();
        self.data = Cursor::new(strings, all.offset());
        Ok(())
    }
}

/// The tags in use.
#[derive(Clone, Copy, Debug, Default)]
struct Tags<'a> {
    digest_algo: Option<Values<'a>>,
    digests: Option<Values<'a>>,
    modes: Option<Values<'a>>,
    base_names: Option<Values<'a>>,
    dir_names: Option<Values<'a>>,
    dir_indexes: Option<Values<'a>>,
}

impl<'a> Tags<'a> {
    /// Where the values of a tag belong, and their type; none for a tag that is not in use.
    fn slot(&mut self, tag: u32) -> Option<(&mut Option<Values<'a>>, u32)> {
        match tag {
            1030 => Some((&mut self.modes, value_type::INT16)),
            1035 => Some((&mut self.digests, value_type::STRING_ARRAY)),
            1116 => Some((&mut self.dir_indexes, value_type::INT32)),
            1117 => Some((&mut self.base_names, value_type::STRING_ARRAY)),
            1118 => Some((&mut self.dir_names, value_type::STRING_ARRAY)),
            5011 => Some((&mut self.digest_algo, value_type::INT32)),
            _ => None,
        }
    }
}

/// The files of a header, as far as they can be checked without looking at each.
#[derive(Clone, Copy, Debug)]
struct Files<'a> {
    algo: HashAlgo,
    digests: Values<'a>,
    modes: Option<Values<'a>>,
    paths: Option<Paths<'a>>,
}

/// The paths of files.
#[derive(Clone, Copy, Debug)]
struct Paths<'a> {
    base_names: Values<'a>,
    dir_indexes: Values<'a>,
    dir_names: Values<'a>,
}

/// The content of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<'a> {
    /// The size of the whole header.
    size: usize,
    files: Option<Files<'a>>,
}

impl<'a> Body<'a> {
    /// Finds the tags in use and checks what concerns all of their values.
    pub(super) fn parse(content: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(content, 0);
        let magic = cursor.take(4)?;
        if magic.rest() != MAGIC {
            return Err(magic.error(Kind::BadMagic));
        }
        let reserved_at = cursor.offset();
        if cursor.u32()? != 0 {
            return Err(Error::new(Kind::Reserved, reserved_at));
        }
        let num_tags = cursor.u32()?;
        let size_at = cursor.offset();
        let data_size = cursor.u32()?;
        let index_size = u64::from(num_tags).saturating_mul(INDEX_ENTRY_SIZE);
        let sizes_do_not_match = Error::new(Kind::RegionSize, size_at);
        let index = cursor.take(index_size).map_err(|_| sizes_do_not_match)?;
        let data = cursor
            .take(data_size.into())
            .map_err(|_| sizes_do_not_match)?;
        if !cursor.is_empty() {
            return Err(sizes_do_not_match);
        }

        let tags = find_tags(index, data)?;
        let files = match tags.digests {
            None => None,
            Some(digests) => Some(check_files(&tags, digests, data.offset())?),
        };
        Ok(Self {
            size: content.len(),
            files,
        })
    }

    /// Calls `f` for each digest until something is malformed or `f` fails. If not `FULL`, which is
    /// for headers that a full walk got to the end of, entries have no paths, and digits are not
    /// checked again.
    pub(super) fn walk<E, const FULL: bool>(
        &self,
        mut f: impl FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), Halt<E>> {
        let Some(Files {
            algo,
            digests,
            mut modes,
            mut paths,
        }) = self.files
        else {
            return Ok(());
        };
        if !FULL {
            paths = None;
        }
        let mut dirs = paths.map(|paths| Dirs::new(paths.dir_names, self.size));
        let mut buffer = [0; MAX_DIGEST_SIZE];
        let digest = buffer.get_mut(..algo.digest_size()).unwrap_or_default();
        let mut hex = digests.data;
        for _ in 0..digests.count {
            let has_digest = match <&mut [u8; 32]>::try_from(&mut *digest) {
                // The size that most have is told to the compiler.
                Ok(digest) => next_digest::<FULL>(&mut hex, digest)?,
                Err(_) => next_digest::<FULL>(&mut hex, digest)?,
            };
            let is_regular = match &mut modes {
                Some(modes) => modes.data.u16()? & MODE_TYPE == MODE_REGULAR,
                None => true,
            };
            let path = match (&mut paths, &mut dirs) {
                (Some(paths), Some(dirs)) => next_path(paths, dirs)?,
                _ => None,
            };
            if has_digest && is_regular {
                f(Entry {
                    algo,
                    digest_type: DigestType::FileData,
                    digest: &*digest,
                    path,
                })
                .map_err(Halt::Stopped)?;
            }
        }
        Ok(())
    }
}

/// Goes through the index.
fn find_tags<'a>(mut index: Cursor<'a>, data: Cursor<'a>) -> Result<Tags<'a>, Error> {
    let mut tags = Tags::default();
    while !index.is_empty() {
        let index_at = index.offset();
        let error = |kind| Error::new(kind, index_at);
        let tag = index.u32()?;
        let value_type = index.u32()?;
        let offset = index.u32()?;
        let count = index.u32()?;
        if value_type > value_type::MAX {
            return Err(error(Kind::TagType));
        }
        let mut data = data;
        data.take(offset.into())
            .map_err(|_| error(Kind::TagRange))?;

        let Some((slot, expected_type)) = tags.slot(tag) else {
            continue;
        };
        if slot.is_some() {
            return Err(error(Kind::DuplicateTag));
        }
        if value_type != expected_type {
            return Err(error(Kind::TagType));
        }
        if count == 0 {
            return Err(error(Kind::TagCount));
        }
        *slot = Some(Values {
            index_at,
            count,
            data,
        });
    }
    Ok(tags)
}

/// Checks the tags of a header with digests. `data_at` is where the header's data begins.
fn check_files<'a>(
    tags: &Tags<'a>,
    digests: Values<'a>,
    data_at: usize,
) -> Result<Files<'a>, Error> {
    let one_each = |values: &Values<'_>| {
        if values.count == digests.count {
            Ok(())
        } else {
            Err(values.error(Kind::TagCount))
        }
    };

    let algo = match tags.digest_algo {
        None => HashAlgo::Md5,
        Some(mut values) => {
            if values.count != 1 {
                return Err(values.error(Kind::TagCount));
            }
            values.cut_to_size(data_at, 4)?;
            let algo_at = values.data.offset();
            HashAlgo::from_openpgp(values.data.u32()?)
                .ok_or(Error::new(Kind::UnknownAlgo, algo_at))?
        }
    };
    let mut modes = tags.modes;
    if let Some(modes) = &mut modes {
        one_each(modes)?;
        modes.cut_to_size(data_at, 2)?;
    }
    let paths = match (tags.base_names, tags.dir_indexes, tags.dir_names) {
        (None, None, None) => None,
        (Some(base_names), Some(mut dir_indexes), Some(mut dir_names)) => {
            one_each(&base_names)?;
            one_each(&dir_indexes)?;
            dir_indexes.cut_to_size(data_at, 4)?;
            dir_names.cut_to_strings()?;
            Some(Paths {
                base_names,
                dir_indexes,
                dir_names,
            })
        }
        _ => return Err(digests.error(Kind::MissingTag)),
    };
    Ok(Files {
        algo,
        digests,
        modes,
        paths,
    })
}

/// The path of the next file, if its directory is found.
fn next_path<'a>(paths: &mut Paths<'a>, dirs: &mut Dirs<'a>) -> Result<Option<Path<'a>>, Error> {
    let base = paths.base_names.data.string()?.rest();
    let index_at = paths.dir_indexes.data.offset();
    let index = paths.dir_indexes.data.u32()?;
    if index >= paths.dir_names.count {
        return Err(Error::new(Kind::DirIndex, index_at));
    }
    Ok(dirs.get(index).map(|dir| Path { dir, base }))
}

/// Names of directories, to be found by their number. There is no memory for an index, so they are
/// searched from the one found last.
struct Dirs<'a> {
    names: &'a [u8],
    /// The number of the directory found last, and where its name begins.
    current: u32,
    start: usize,
    /// How many bytes may still be searched.
    budget: usize,
}

impl<'a> Dirs<'a> {
    fn new(names: Values<'a>, header_size: usize) -> Self {
        Self {
            names: names.data.rest(),
            current: 0,
            start: 0,
            budget: header_size.saturating_mul(DIR_SEARCH_FACTOR),
        }
    }

    /// The name of a directory that exists; none if it would take too long to find it.
    fn get(&mut self, wanted: u32) -> Option<&'a [u8]> {
        while self.current < wanted {
            let len = self.current_name()?.len().checked_add(1)?;
            self.budget = self.budget.checked_sub(len)?;
            self.start = self.start.checked_add(len)?;
            self.current = self.current.checked_add(1)?;
        }
        while self.current > wanted {
            // Before the name is the NUL of the one before, and that one begins after a NUL or
            // at the beginning of all.
            let before = self.names.get(..self.start.checked_sub(1)?)?;
            let name = before.rsplit(|&b| b == 0).next()?;
            let len = name.len().checked_add(1)?;
            self.budget = self.budget.checked_sub(len)?;
            self.start = self.start.checked_sub(len)?;
            self.current = self.current.checked_sub(1)?;
        }
        self.current_name()
    }

    fn current_name(&self) -> Option<&'a [u8]> {
        self.names.get(self.start..)?.split(|&b| b == 0).next()
    }
}

/// Reads the next digest, if it is not empty. If not `CHECK`, it is known to be empty, or to be as
/// many digits as belong to a digest.
#[inline(always)]
fn next_digest<const CHECK: bool>(hex: &mut Cursor<'_>, digest: &mut [u8]) -> Result<bool, Error> {
    // What is expected, without looking for the end first: digits are no NUL.
    let len = digest.len().saturating_mul(2);
    if let Some((digits, [0, ..])) = hex.rest().split_at_checked(len) {
        let is_digest = if CHECK {
            are_digits(digits)
        } else {
            // After an empty one may come anything, NULs as well.
            digits.first().is_some_and(|&first| first != 0)
        };
        let end = len.saturating_add(1);
        if is_digest && hex.skip(end).is_some() {
            decode(digits, digest);
            return Ok(true);
        }
    }
    other_digest(hex, len)
}

/// The next digest has not `len` digits, but perhaps none.
#[cold]
fn other_digest(hex: &mut Cursor<'_>, len: usize) -> Result<bool, Error> {
    let string = hex.string()?;
    match string.len() {
        0 => Ok(false),
        found if found == len => Err(string.error(Kind::BadHex)),
        _ => Err(string.error(Kind::DigestSize)),
    }
}

/// The same byte eight times.
const fn bytes(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Eight digits at a time.
#[inline(always)]
fn words(digits: &[u8]) -> impl Iterator<Item = u64> + '_ {
    digits
        .chunks_exact(8)
        .map(|word| u64::from_be_bytes(word.first_chunk().copied().unwrap_or_default()))
}

/// Whether these, a multiple of eight, are lower-case hexadecimal digits, the only ones that RPM
/// writes.
#[inline(always)]
fn are_digits(digits: &[u8]) -> bool {
    let good = words(digits).fold(bytes(0x80), |good, word| {
        // Bytes below 0x80 are at least `min` if the sum has the highest bit.
        let at_least = |min: u8| word.wrapping_add(bytes(0x80_u8.wrapping_sub(min)));
        let is_figure = at_least(b'0') & !at_least(b'9'.wrapping_add(1));
        let is_letter = at_least(b'a') & !at_least(b'f'.wrapping_add(1));
        good & !word & (is_figure | is_letter)
    });
    good == bytes(0x80)
}

/// Decodes lower-case hexadecimal digits, a multiple of eight; anything else becomes anything.
#[inline(always)]
fn decode(digits: &[u8], to: &mut [u8]) {
    for (word, to) in words(digits).zip(to.chunks_exact_mut(4)) {
        // The low four bits are the value of a figure, and nine less than that of a letter, which
        // has bit 6.
        let letters = (word >> 6) & bytes(1);
        let nibbles = (word & bytes(0x0f)).wrapping_add(letters.wrapping_mul(9));
        // Two to a byte, then these next to each other.
        let pairs = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
        let pairs = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
        let [_, _, _, _, bytes @ ..] = (pairs | pairs >> 16).to_be_bytes();
        if let Some(to) = to.first_chunk_mut() {
            *to = bytes;
        }
    }
}
