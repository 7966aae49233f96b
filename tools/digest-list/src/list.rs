// SPDX-License-Identifier: GPL-2.0-only
//! Reading digest lists: the same name rules, the same parsers and the same
//! limits as in the kernel, with messages for people.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use digest_list_formats::parsers::algo::{DigestType, HashAlgo};
use digest_list_formats::parsers::error::Errno;
use digest_list_formats::parsers::modsig::{self, Signature};
use digest_list_formats::parsers::name::{self, ListName};
use digest_list_formats::parsers::{self, Entry, Format, List};
use rustix::fs::{Mode, OFlags};

use crate::error::Error;
use crate::hash::SUPPORTED;

/// A list in memory, its name checked, its content not yet.
pub struct ListFile {
    path: PathBuf,
    name: Vec<u8>,
    format: Format,
    data: Vec<u8>,
}

/// A list whose content is known to be good.
pub struct Parsed<'a> {
    /// The parts of the file name.
    pub name: ListName<'a>,
    /// The format that the name selects.
    pub format: Format,
    /// What the format's parser has seen: the list without its signature.
    pub content: &'a [u8],
    /// The appended signature, not verified.
    pub signature: Option<Signature<'a>>,
    /// The digests.
    pub list: List<'a>,
}

impl ListFile {
    /// Reads a list.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let name = file_name(path)?;
        Self::read_as(path, name)
    }

    /// Reads a list that will get another name later on.
    pub fn read_as(path: &Path, name: Vec<u8>) -> Result<Self, Error> {
        let format = format_of(path, &name)?;
        let data = read_file(path)?;
        Ok(Self {
            path: path.to_owned(),
            name,
            format,
            data,
        })
    }

    /// Where the list was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The list's file name, as `security.digest_list` names it.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Everything in the file.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Checks the whole list.
    pub fn parse(&self) -> Result<Parsed<'_>, Error> {
        let stripped = modsig::strip(&self.data).map_err(|e| malformed(&self.path, &e))?;
        let list =
            List::parse(self.format, stripped.content).map_err(|e| malformed(&self.path, &e))?;
        Ok(Parsed {
            name: ListName::parse(&self.name).map_err(|e| bad_name(&self.path, &e))?,
            format: self.format,
            content: stripped.content,
            signature: stripped.signature,
            list,
        })
    }
}

fn file_name(path: &Path) -> Result<Vec<u8>, Error> {
    path.file_name()
        .map(|name| name.as_bytes().to_vec())
        .ok_or_else(|| Error::new(path, "is not a file name", "name a digest list"))
}

fn bad_name(path: &Path, error: &parsers::error::Error) -> Error {
    Error::new(
        path,
        format!("not the name of a digest list: {}", error.kind.message()),
        "digest lists are named [<number>-]<format>-<name>",
    )
}

fn format_of(path: &Path, name: &[u8]) -> Result<Format, Error> {
    let parsed = ListName::parse(name).map_err(|e| bad_name(path, &e))?;
    Format::from_name(parsed.format).ok_or_else(|| {
        Error::new(
            path,
            format!(
                "unknown list format '{}'",
                crate::bytes::for_display(parsed.format)
            ),
            "this tool knows tlv and rpm",
        )
    })
}

/// The words for a parser's error, with the place in the file.
fn malformed(path: &Path, error: &parsers::error::Error) -> Error {
    let advice = match error.kind.errno() {
        // No place in the list is to blame.
        Errno::TooBig => return Error::new(path, error.kind.message(), "split the list"),
        Errno::NoPkg => "convert it to a format that the kernel knows",
        Errno::BadMsg | Errno::Invalid => "generate it again, the kernel refuses the whole list",
    };
    Error::new(
        path,
        format!(
            "malformed digest list at byte {}: {}",
            error.offset,
            error.kind.message()
        ),
        advice,
    )
}

/// Opens a regular file and tells its size.
pub(crate) fn open_regular(path: &Path) -> Result<(File, u64), Error> {
    let fail = |e: std::io::Error| Error::io(path, "read", &e);
    // Without NONBLOCK, opening a FIFO would wait for a writer.
    let fd = rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|e| fail(e.into()))?;
    let file = File::from(fd);
    let metadata = file.metadata().map_err(fail)?;
    if !metadata.is_file() {
        return Err(Error::new(
            path,
            "is not a regular file",
            "name a digest list",
        ));
    }
    Ok((file, metadata.len()))
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let (file, len) = open_regular(path)?;
    read_open(&file, len, path)
}

/// Reads an open list of this size.
pub(crate) fn read_open(file: &File, len: u64, path: &Path) -> Result<Vec<u8>, Error> {
    parsers::check_size(len).map_err(|e| malformed(path, &e))?;
    let mut data = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    // A file that grows meanwhile must not fill the memory.
    file.take(parsers::MAX_LIST_SIZE.saturating_add(1))
        .read_to_end(&mut data)
        .map_err(|e| Error::io(path, "read", &e))?;
    Ok(data)
}

/// The file data digests of a list, to look any up.
#[derive(Default)]
pub struct DigestSet(HashMap<HashAlgo, HashSet<Box<[u8]>>>);

impl DigestSet {
    /// Takes in a whole list.
    pub fn new(parsed: &Parsed<'_>) -> Self {
        let mut set = Self::default();
        let Ok(()) = parsed.list.for_each(|entry| -> Result<(), Infallible> {
            if entry.digest_type == DigestType::FileData {
                set.0
                    .entry(entry.algo)
                    .or_default()
                    .insert(Box::from(entry.digest));
            }
            Ok(())
        });
        set
    }

    /// The algorithms of the list that this tool can compute, in a fixed order.
    pub fn algos(&self) -> Vec<HashAlgo> {
        SUPPORTED
            .into_iter()
            .filter(|algo| self.0.contains_key(algo))
            .collect()
    }

    /// Whether the list holds the digest.
    pub fn contains(&self, algo: HashAlgo, digest: &[u8]) -> bool {
        self.0
            .get(&algo)
            .is_some_and(|digests| digests.contains(digest))
    }
}

/// The whole path of an entry.
pub fn entry_path(entry: &Entry<'_>) -> Option<Vec<u8>> {
    entry.path.map(|path| [path.dir, path.base].concat())
}

/// The lists that the arguments name: a file is a list, a directory stands for
/// all lists in it (directories in it are not entered, names that start with a
/// dot are nobody's list), in the order in which the kernel asks them.
pub fn collect(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut lists = Vec::new();
    for argument in arguments {
        let metadata = std::fs::metadata(argument).map_err(|e| Error::io(argument, "read", &e))?;
        if !metadata.is_dir() {
            lists.push(argument.clone());
            continue;
        }
        let found = lists_in(argument)?;
        if found.is_empty() {
            return Err(Error::new(
                argument,
                "holds no digest list",
                "generate lists into it first",
            ));
        }
        lists.extend(found);
    }
    Ok(lists)
}

fn lists_in(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let fail = |e: std::io::Error| Error::io(dir, "read the directory", &e);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().into_vec();
        if name.starts_with(b".") || entry.file_type().map_err(fail)?.is_dir() {
            continue;
        }
        names.push(name);
    }
    // The order of a directory is the file system's; by name is reproducible.
    names.sort_unstable();
    let mut parsed = Vec::with_capacity(names.len());
    for name in &names {
        let path = dir.join(OsString::from_vec(name.clone()));
        let list_name = ListName::parse(name).map_err(|e| bad_name(&path, &e))?;
        parsed.push((list_name, path));
    }
    parsed.sort_by(|(a, _), (b, _)| name::cmp_order(a.seq, b.seq));
    Ok(parsed.into_iter().map(|(_, path)| path).collect())
}

/// Checks a list's name as it will stand in `security.digest_list`.
pub fn check_name(name: &str) -> Result<(), Error> {
    let bytes = name.as_bytes();
    name::list_name_from_xattr(bytes)
        .and_then(ListName::parse)
        .map(drop)
        .map_err(|e| {
            Error::about(
                format!("'{}'", crate::bytes::for_display(bytes)),
                format!("not the name of a digest list: {}", e.kind.message()),
                "digest lists are named [<number>-]<format>-<name>",
            )
        })
}

/// Makes and checks the file name of a list in the `tlv` format.
pub fn tlv_name(seq: Option<u32>, name: &str) -> Result<String, Error> {
    let file_name = match seq {
        Some(seq) => format!("{seq}-tlv-{name}"),
        None => format!("tlv-{name}"),
    };
    check_name(&file_name)?;
    // A name such as "5-x" must not be mistaken for something else.
    match ListName::parse(file_name.as_bytes()) {
        Ok(parsed)
            if parsed.seq == seq && parsed.format == b"tlv" && parsed.name == name.as_bytes() =>
        {
            Ok(file_name)
        }
        _ => Err(Error::about(
            format!("'{}'", crate::bytes::for_display(name.as_bytes())),
            "cannot be told from other parts of a list's name",
            "choose another name",
        )),
    }
}
