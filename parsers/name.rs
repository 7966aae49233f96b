// SPDX-License-Identifier: GPL-2.0-only

//! The names of digest lists: `[<sequence number>-]<format>-<name>`.
//!
//! The format is told by the name and never guessed from the content, so that content which its
//! signer meant for one parser is never given to another.

use core::cmp::Ordering;

use super::error::{Error, Kind};

/// The longest file name: `NAME_MAX`.
const MAX_NAME: usize = 255;

/// The longest name of a format, which is what `struct parser` of the C API has room for.
const MAX_FORMAT: usize = 19;

/// The parts of a digest list's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListName<'a> {
    /// The place of the list among those of its directory.
    pub seq: Option<u32>,
    /// The name of the parser.
    pub format: &'a [u8],
    /// The rest.
    pub name: &'a [u8],
}

impl<'a> ListName<'a> {
    /// Takes a file name apart.
    ///
    /// If the first part has digits only, it is the sequence number, leading zeros or not.
    ///
    /// # Errors
    ///
    /// Those of class [`Errno::Invalid`](super::error::Errno::Invalid).
    pub fn parse(file_name: &'a [u8]) -> Result<Self, Error> {
        if file_name.is_empty() {
            return Err(Error::new(Kind::NameEmpty, 0));
        }
        if file_name.len() > MAX_NAME {
            return Err(Error::new(Kind::NameTooLong, MAX_NAME));
        }
        if let Some(offset) = file_name.iter().position(|&b| b == b'/' || b == 0) {
            return Err(Error::new(Kind::NameByte, offset));
        }

        let (first, rest) = split_at_dash(file_name, 0)?;
        let (seq, format_at, format, name) = match parse_seq(first)? {
            None => (None, 0, first, rest),
            Some(seq) => {
                let format_at = file_name.len().saturating_sub(rest.len());
                let (format, name) = split_at_dash(rest, format_at)?;
                (Some(seq), format_at, format, name)
            }
        };
        if format.is_empty() || name.is_empty() {
            return Err(Error::new(Kind::NameParts, format_at));
        }
        if format.len() > MAX_FORMAT {
            return Err(Error::new(Kind::NameFormatLength, format_at));
        }
        Ok(Self { seq, format, name })
    }
}

impl ListName<'_> {
    /// Whether `name` can be that of a format, so that there are names of lists in that format.
    pub fn is_format(name: &[u8]) -> bool {
        (1..=MAX_FORMAT).contains(&name.len())
            && !name.iter().any(|&b| b == b'-' || b == b'/' || b == 0)
            // It would be a sequence number.
            && !name.iter().all(u8::is_ascii_digit)
    }
}

/// Splits `part`, which is at `offset` in the name, around its first dash.
fn split_at_dash(part: &[u8], offset: usize) -> Result<(&[u8], &[u8]), Error> {
    let mut parts = part.splitn(2, |&b| b == b'-');
    match (parts.next(), parts.next()) {
        (Some(before), Some(after)) => Ok((before, after)),
        _ => Err(Error::new(Kind::NameParts, offset)),
    }
}

/// The sequence number, if `part` is one, that is, has digits only.
fn parse_seq(part: &[u8]) -> Result<Option<u32>, Error> {
    if part.is_empty() || !part.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    part.iter()
        .try_fold(0_u32, |seq, &digit| {
            seq.checked_mul(10)?
                .checked_add(u32::from(digit.wrapping_sub(b'0')))
        })
        .map(Some)
        .ok_or(Error::new(Kind::NameSeq, 0))
}

/// The name of the list that a value of `security.digest_list` tells.
///
/// One NUL at the end is tolerated, because C programs tend to write it.
///
/// # Errors
///
/// As [`ListName::parse`].
pub fn list_name_from_xattr(value: &[u8]) -> Result<&[u8], Error> {
    let name = value.strip_suffix(b"\0").unwrap_or(value);
    ListName::parse(name)?;
    Ok(name)
}

/// The order of the lists in a directory by their sequence numbers, for a stable sort: those with a
/// number first, ascending, all others equal.
pub fn cmp_order(a: Option<u32>, b: Option<u32>) -> Ordering {
    (a.is_none(), a).cmp(&(b.is_none(), b))
}
