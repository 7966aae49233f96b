// SPDX-License-Identifier: GPL-2.0-only

//! Reading big-endian numbers and slices one after another, with bounds and with offsets.

use core::ffi::CStr;

use super::error::{Error, Kind};

/// What is left of some data, and where in the list it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// Reads `data`, which is at `offset` in the list.
    pub(super) const fn new(data: &'a [u8], offset: usize) -> Self {
        Self { rest: data, offset }
    }

    /// Where in the list the next byte is.
    pub(super) const fn offset(&self) -> usize {
        self.offset
    }

    /// Whether all has been read.
    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The number of bytes left.
    pub(super) const fn len(&self) -> usize {
        self.rest.len()
    }

    /// What has not been read.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// An error of this kind at the next byte.
    pub(super) const fn error(&self, kind: Kind) -> Error {
        Error::new(kind, self.offset)
    }

    /// Reads `len` bytes, which may be as many as any number in a list can tell.
    pub(super) fn take(&mut self, len: u64) -> Result<Cursor<'a>, Error> {
        let (taken, rest) = usize::try_from(len)
            .ok()
            .and_then(|len| self.rest.split_at_checked(len))
            .ok_or(self.error(Kind::Truncated))?;
        let taken = Cursor::new(taken, self.offset);
        self.advance_to(rest);
        Ok(taken)
    }

    /// Reads a number.
    pub(super) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    /// Reads a number.
    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    /// Reads a number.
    pub(super) fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    /// Goes over `len` bytes, if there are as many.
    #[inline]
    pub(super) fn skip(&mut self, len: usize) -> Option<()> {
        let rest = self.rest.get(len..)?;
        self.advance_to(rest);
        Some(())
    }

    /// Reads a string with a NUL at its end, and gives it without.
    pub(super) fn string(&mut self) -> Result<Cursor<'a>, Error> {
        // The NUL is searched for word by word.
        let (string, rest) = CStr::from_bytes_until_nul(self.rest)
            .ok()
            .and_then(|string| self.rest.split_at_checked(string.count_bytes()))
            .ok_or(self.error(Kind::Unterminated))?;
        let string = Cursor::new(string, self.offset);
        self.advance_to(rest.get(1..).unwrap_or_default());
        Ok(string)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (array, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(self.error(Kind::Truncated))?;
        self.advance_to(rest);
        Ok(*array)
    }

    /// Goes on with `rest`, a tail of what has not been read.
    fn advance_to(&mut self, rest: &'a [u8]) {
        let read = self.rest.len().saturating_sub(rest.len());
        self.offset = self.offset.saturating_add(read);
        self.rest = rest;
    }
}
