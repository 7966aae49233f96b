// SPDX-License-Identifier: GPL-2.0-only

//! The `tlv` format: type-length-value fields.
//!
//! There are two forms. The current one is written by our tools:
//!
//! ```text
//! list:  { field: u16 | length: u32 | value }...
//!        0 ALGO u16, 1 NUM_ENTRIES u32, 2 ENTRY (nested), 3 DIGEST_TYPE u16
//! ENTRY: { field: u16 | length: u32 | value }...
//!        0 DIGEST, 1 PATH
//! ```
//!
//! The form of April 2024 is only read:
//!
//! ```text
//! list:  { data type: u64 | number of fields: u64 | reserved: u64 | length: u64 | fields }...
//!        { field: u64 | length: u64 | value }...
//!        0 ALGO u64, 1 ENTRY (nested, of the same structure)
//! ```
//!
//! What is decided where the format leaves a choice:
//!
//! - ALGO and DIGEST_TYPE hold for what follows until they occur again, in any order and number; in
//!   the older form, until the end of the blob. ALGO does not reset DIGEST_TYPE.
//! - NUM_ENTRIES is checked to be a sane field and not used: the entries are counted.
//! - A list without entries is valid; an ENTRY of length 0 is skipped, wherever it is.
//! - Every other field of length 0 is of a wrong size; so an empty PATH is none.
//! - Paths are not interpreted.
//! - In the older form, a blob of zero fields is malformed; else a file of zero bytes, as crashes
//!   leave behind, would be a valid list.

use super::{
    algo::{DigestType, HashAlgo},
    cursor::Cursor,
    error::{Error, Kind},
    Entry, Halt, Path,
};

/// Fields of a list.
mod field {
    pub(super) const ALGO: u16 = 0;
    pub(super) const NUM_ENTRIES: u16 = 1;
    pub(super) const ENTRY: u16 = 2;
    pub(super) const DIGEST_TYPE: u16 = 3;
}

/// Fields of a list in the form of April 2024.
mod field_2024_04 {
    pub(super) const ALGO: u64 = 0;
    pub(super) const ENTRY: u64 = 1;
}

/// Fields of an entry, in both forms.
mod entry_field {
    pub(super) const DIGEST: u64 = 0;
    pub(super) const PATH: u64 = 1;
}

/// The data type of blobs of April 2024 that concern us: `DIGEST_LIST_FILE` at the level of the
/// list, `DIGEST_LIST_ENTRY_DATA` at that of an entry.
const DATA_TYPE: u64 = 0;

/// The content of a list, and in which form it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body<'a> {
    Current(&'a [u8]),
    From2024_04(&'a [u8]),
}

impl<'a> Body<'a> {
    /// Tells the form, without checking the content.
    ///
    /// The current form has a field number and a length in the first six bytes, and the only field
    /// of number 0 cannot have length 0. The other has the most significant bytes of a data type.
    pub(super) fn new(content: &'a [u8]) -> Self {
        if content.starts_with(&[0; 6]) {
            Self::From2024_04(content)
        } else {
            Self::Current(content)
        }
    }

    /// Calls `f` for each entry until something is malformed or `f` fails.
    pub(super) fn walk<E>(&self, f: impl FnMut(Entry<'_>) -> Result<(), E>) -> Result<(), Halt<E>> {
        match self {
            Self::Current(content) => walk_current(Cursor::new(content, 0), f),
            Self::From2024_04(content) => walk_2024_04(Cursor::new(content, 0), f),
        }
    }
}

/// A field: its number, where it is, and its value.
struct Field<'a, N> {
    number: N,
    offset: usize,
    value: Cursor<'a>,
}

impl<N> Field<'_, N> {
    const fn error(&self, kind: Kind) -> Error {
        Error::new(kind, self.offset)
    }

    /// Checks that the value has the size of a `T`.
    const fn check_size_of<T>(&self) -> Result<(), Error> {
        if self.value.len() != size_of::<T>() {
            return Err(self.error(Kind::FieldSize));
        }
        Ok(())
    }
}

fn next_current<'a>(cursor: &mut Cursor<'a>) -> Result<Field<'a, u16>, Error> {
    let offset = cursor.offset();
    let number = cursor.u16()?;
    let len = cursor.u32()?;
    let value = cursor.take(len.into())?;
    Ok(Field {
        number,
        offset,
        value,
    })
}

fn next_2024_04<'a>(cursor: &mut Cursor<'a>) -> Result<Field<'a, u64>, Error> {
    let offset = cursor.offset();
    let number = cursor.u64()?;
    let len = cursor.u64()?;
    let value = cursor.take(len)?;
    Ok(Field {
        number,
        offset,
        value,
    })
}

fn walk_current<E>(
    mut cursor: Cursor<'_>,
    mut f: impl FnMut(Entry<'_>) -> Result<(), E>,
) -> Result<(), Halt<E>> {
    let mut algo = None;
    let mut digest_type = DigestType::FileData;
    while !cursor.is_empty() {
        if let Some(usual) = algo.and_then(|algo| UsualEntry::read(&mut cursor, algo)) {
            f(usual.finish(digest_type)).map_err(Halt::Stopped)?;
            continue;
        }
        let mut field = next_current(&mut cursor)?;
        match field.number {
            field::ALGO => {
                field.check_size_of::<u16>()?;
                let raw = field.value.u16()?;
                algo = Some(known_algo(raw.into(), field.offset)?);
            }
            field::NUM_ENTRIES => {
                field.check_size_of::<u32>()?;
                if algo.is_none() {
                    return Err(field.error(Kind::NoAlgo).into());
                }
                if field.value.u32()? == 0 {
                    return Err(field.error(Kind::NoEntries).into());
                }
            }
            field::ENTRY if field.value.is_empty() => {}
            field::ENTRY => {
                let mut parts = Parts::new(algo, &field)?;
                let mut cursor = field.value;
                while !cursor.is_empty() {
                    let inner = next_current(&mut cursor)?;
                    parts.add(inner.number.into(), inner.offset, inner.value)?;
                }
                f(parts.finish(digest_type)?).map_err(Halt::Stopped)?;
            }
            field::DIGEST_TYPE => {
                field.check_size_of::<u16>()?;
                let raw = field.value.u16()?;
                digest_type = DigestType::from_raw(raw)
                    .ok_or(Error::new(Kind::UnknownDigestType, field.offset))?;
            }
            _ => return Err(field.error(Kind::UnknownField).into()),
        }
    }
    Ok(())
}

/// An entry as everybody writes it: a digest, and then a path or nothing.
struct UsualEntry<'a> {
    algo: HashAlgo,
    digest: &'a [u8],
    path: Option<&'a [u8]>,
}

impl<'a> UsualEntry<'a> {
    /// Reads the next field if it is such an entry. Whatever else it is, right or wrong, is left to
    /// others: this only saves time.
    #[inline]
    fn read(cursor: &mut Cursor<'a>, algo: HashAlgo) -> Option<Self> {
        const SIZE_OF_HEADS: usize = 2 * (size_of::<u16>() + size_of::<u32>());
        let size = algo.digest_size();
        let (heads, rest) = cursor.rest().split_first_chunk::<SIZE_OF_HEADS>()?;
        let [f1, f0, l3, l2, l1, l0, d1, d0, s3, s2, s1, s0] = *heads;
        let len = usize::try_from(u32::from_be_bytes([l3, l2, l1, l0])).ok()?;
        if u16::from_be_bytes([f1, f0]) != field::ENTRY
            || u64::from(u16::from_be_bytes([d1, d0])) != entry_field::DIGEST
            || usize::try_from(u32::from_be_bytes([s3, s2, s1, s0])) != Ok(size)
        {
            return None;
        }
        let (digest, rest) = rest.split_at_checked(size)?;
        // The second of the two heads is part of the entry.
        let path_len = len.checked_sub(size)?.checked_sub(SIZE_OF_HEADS / 2)?;
        let path = match path_len {
            0 => None,
            _ => {
                let (head, path) = rest.get(..path_len)?.split_first_chunk::<6>()?;
                let [p1, p0, l3, l2, l1, l0] = *head;
                let len = usize::try_from(u32::from_be_bytes([l3, l2, l1, l0])).ok()?;
                let is_path = u64::from(u16::from_be_bytes([p1, p0])) == entry_field::PATH;
                if !is_path || len != path.len() || path.is_empty() {
                    return None;
                }
                Some(path)
            }
        };
        cursor.skip(SIZE_OF_HEADS.checked_add(size)?.checked_add(path_len)?)?;
        Some(Self { algo, digest, path })
    }

    fn finish(self, digest_type: DigestType) -> Entry<'a> {
        Entry {
            algo: self.algo,
            digest_type,
            digest: self.digest,
            path: self.path.map(|dir| Path { dir, base: b"" }),
        }
    }
}

/// The fields of a blob of April 2024.
struct Blob<'a> {
    offset: usize,
    num_fields: u64,
    fields: Cursor<'a>,
}

impl Blob<'_> {
    /// Checks that as many fields have been read as the header tells.
    const fn check_count(&self, read: u64) -> Result<(), Error> {
        if read != self.num_fields {
            return Err(Error::new(Kind::EntryCount, self.offset));
        }
        Ok(())
    }
}

/// Reads the next blob; none if it is to be skipped.
fn next_blob<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Blob<'a>>, Error> {
    let offset = cursor.offset();
    let data_type = cursor.u64()?;
    let num_fields = cursor.u64()?;
    let reserved_at = cursor.offset();
    if cursor.u64()? != 0 {
        return Err(Error::new(Kind::Reserved, reserved_at));
    }
    let len = cursor.u64()?;
    let fields = cursor.take(len)?;
    if data_type != DATA_TYPE {
        return Ok(None);
    }
    if num_fields == 0 {
        return Err(Error::new(Kind::NoEntries, offset));
    }
    Ok(Some(Blob {
        offset,
        num_fields,
        fields,
    }))
}

fn walk_2024_04<E>(
    mut cursor: Cursor<'_>,
    mut f: impl FnMut(Entry<'_>) -> Result<(), E>,
) -> Result<(), Halt<E>> {
    while !cursor.is_empty() {
        let Some(mut blob) = next_blob(&mut cursor)? else {
            continue;
        };
        let mut algo = None;
        let mut read = 0_u64;
        while !blob.fields.is_empty() {
            let mut field = next_2024_04(&mut blob.fields)?;
            read = read.saturating_add(1);
            match field.number {
                field_2024_04::ALGO => {
                    field.check_size_of::<u64>()?;
                    let raw = field.value.u64()?;
                    algo = Some(known_algo(raw, field.offset)?);
                }
                field_2024_04::ENTRY if field.value.is_empty() => {}
                field_2024_04::ENTRY => {
                    let entry = entry_2024_04(Parts::new(algo, &field)?, field.value)?;
                    f(entry).map_err(Halt::Stopped)?;
                }
                _ => return Err(field.error(Kind::UnknownField).into()),
            }
        }
        blob.check_count(read)?;
    }
    Ok(())
}

fn entry_2024_04<'a>(mut parts: Parts<'a>, mut cursor: Cursor<'a>) -> Result<Entry<'a>, Error> {
    while !cursor.is_empty() {
        let Some(mut blob) = next_blob(&mut cursor)? else {
            continue;
        };
        let mut read = 0_u64;
        while !blob.fields.is_empty() {
            let inner = next_2024_04(&mut blob.fields)?;
            read = read.saturating_add(1);
            parts.add(inner.number, inner.offset, inner.value)?;
        }
        blob.check_count(read)?;
    }
    parts.finish(DigestType::FileData)
}

fn known_algo(raw: u64, offset: usize) -> Result<HashAlgo, Error> {
    u32::try_from(raw)
        .ok()
        .and_then(HashAlgo::from_raw)
        .ok_or(Error::new(Kind::UnknownAlgo, offset))
}

/// An entry whose fields are being read.
struct Parts<'a> {
    offset: usize,
    algo: HashAlgo,
    digest: Option<&'a [u8]>,
    path: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    /// Begins with the entry that is in `field`.
    fn new<N>(algo: Option<HashAlgo>, field: &Field<'_, N>) -> Result<Self, Error> {
        Ok(Self {
            offset: field.offset,
            algo: algo.ok_or(Error::new(Kind::NoAlgo, field.offset))?,
            digest: None,
            path: None,
        })
    }

    fn add(&mut self, number: u64, offset: usize, value: Cursor<'a>) -> Result<(), Error> {
        let (part, size_is_right) = match number {
            entry_field::DIGEST => (&mut self.digest, value.len() == self.algo.digest_size()),
            entry_field::PATH => (&mut self.path, !value.is_empty()),
            _ => return Err(Error::new(Kind::UnknownField, offset)),
        };
        if part.is_some() {
            return Err(Error::new(Kind::DuplicateField, offset));
        }
        if !size_is_right {
            return Err(Error::new(Kind::FieldSize, offset));
        }
        *part = Some(value.rest());
        Ok(())
    }

    fn finish(self, digest_type: DigestType) -> Result<Entry<'a>, Error> {
        Ok(Entry {
            algo: self.algo,
            digest_type,
            digest: self.digest.ok_or(Error::new(Kind::NoDigest, self.offset))?,
            path: self.path.map(|dir| Path { dir, base: b"" }),
        })
    }
}
