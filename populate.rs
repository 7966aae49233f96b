// SPDX-License-Identifier: GPL-2.0-only

//! From a digest list on disk to digest tables.
//!
//! The file is opened by the digest cache for itself, read as `READING_DIGEST_LIST`, which lets
//! integrity providers verify what was read, stripped of an appended signature, parsed by the
//! parser that its name tells, and turned into tables. The content is parsed where it was read and
//! freed when the tables are built.

use kernel::{prelude::*, str::CStr};

use crate::{
    blob,
    cache::{
        Content, DigestCache,
        LoadError::{self, Bad, Passing},
    },
    formats,
    parsers::{self, error::Errno, modsig, name::ListName, Format, List},
    ratelimit::RateLimit,
    rcuref::RcuRef,
    table::Tables,
    vfs::{FileBuf, ListFile, Path},
};

static MESSAGES: RateLimit = RateLimit::new();

/// Reads the list at `path`, from which `cache` is being made. May sleep.
///
/// # Errors
///
/// Bad: `EBADMSG`, `E2BIG`, `EINVAL` and `ENOPKG` for content and names, `EACCES` and `EPERM` from
/// integrity providers, what a parser of a module says. Passing: `ENOMEM`, `ETXTBSY` while somebody
/// writes to the list, and what the file system says.
pub(crate) fn load(cache: &RcuRef<DigestCache>, path: &Path) -> Result<Content, LoadError> {
    let name = cache.name();
    let parser = parser_of(name).map_err(|e| Bad(report(name, &e)))?;

    let content = read(cache, path).inspect_err(|e| {
        let (Bad(e) | Passing(e)) = e;
        if MESSAGES.allows() {
            pr_warn!(
                "digest list {name}: cannot be read: error {}\n",
                e.to_errno()
            );
        }
    })?;
    let content = modsig::strip(&content)
        .map_err(|e| Bad(report(name, &e)))?
        .content;
    let tables = match parser {
        Parser::Kernel(format) => {
            let list = List::parse(format, content).map_err(|e| Bad(report(name, &e)))?;
            Tables::build(&list).map_err(Passing)?
        }
        // The module is kept only while its parser runs, not while the list was read.
        Parser::Module(format) => formats::Parser::of_format(format)
            .ok_or_else(|| Bad(report(name, &UNKNOWN_FORMAT)))?
            .parse(cache, content)
            .inspect_err(|e| {
                let (Bad(e) | Passing(e)) = e;
                if MESSAGES.allows() {
                    let errno = e.to_errno();
                    pr_warn!("digest list {name}: the module for its format says error {errno}\n");
                }
            })?,
    };
    pr_debug!("digest list {name}: {} digests\n", tables.len());
    Ok(Content::List(tables))
}

/// The format that a list's name tells, if it is a name of a list.
pub(crate) fn format_name(name: &CStr) -> Option<&[u8]> {
    ListName::parse(file_name(name))
        .ok()
        .map(|parsed| parsed.format)
}

/// The last part of a name: a list that the default path leads to has the path as name.
fn file_name(name: &CStr) -> &[u8] {
    let path = name.to_bytes();
    let start = path.iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
    path.get(start..).unwrap_or_default()
}

/// There is no parser for the list.
const UNKNOWN_FORMAT: parsers::error::Error = parsers::error::Error {
    kind: parsers::error::Kind::UnknownFormat,
    offset: 0,
};

/// What parses a list.
enum Parser<'a> {
    Kernel(Format),
    /// A module, for the format of this name.
    Module(&'a [u8]),
}

/// The parser that a list's name tells.
fn parser_of(name: &CStr) -> Result<Parser<'_>, parsers::error::Error> {
    let parsed = ListName::parse(file_name(name))?;
    match Format::from_name(parsed.format) {
        Some(format) => Ok(Parser::Kernel(format)),
        // What nobody can parse is not read.
        None if formats::has(parsed.format) => Ok(Parser::Module(parsed.format)),
        None => Err(UNKNOWN_FORMAT),
    }
}

/// Reads the file; the mark on it is what verification data finds its way by.
fn read(cache: &RcuRef<DigestCache>, path: &Path) -> Result<FileBuf, LoadError> {
    // A refusal to open the file is about the task or the moment.
    let file = ListFile::open(path).map_err(Passing)?;
    let _mark = blob::mark_loading(&file, cache);
    let max = usize::try_from(parsers::MAX_LIST_SIZE).unwrap_or(usize::MAX);
    file.read(max).map_err(|e| match e {
        e if e == EFBIG => Bad(E2BIG),
        // Empty or no regular file; refused by a provider, for what it found in it.
        e if [EINVAL, EACCES, EPERM].contains(&e) => Bad(e),
        e => Passing(e),
    })
}

/// Says what is wrong with a list, and turns it into the kernel's error.
fn report(name: &CStr, error: &parsers::error::Error) -> Error {
    let errno = match error.kind.errno() {
        Errno::BadMsg => EBADMSG,
        Errno::TooBig => E2BIG,
        Errno::Invalid => EINVAL,
        Errno::NoPkg => ENOPKG,
    };
    if MESSAGES.allows() {
        pr_warn!(
            "digest list {name}: {} at offset {}: error {}\n",
            error.kind.message(),
            error.offset,
            errno.to_errno()
        );
    }
    errno
}
