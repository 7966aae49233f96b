// SPDX-License-Identifier: GPL-2.0-only
//! Which lists of a directory the kernel reads, and in which order: the name rules
//! are its own, the rest is that of dir.rs and populate.rs.

use std::fs::{DirEntry, File};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use digest_list_formats::parsers::name::{cmp_order, ListName};
use digest_list_formats::parsers::{check_size, Format};
use serde::Serialize;

use crate::bytes::for_display;
use crate::error::Error;
use crate::list::{open_regular, read_open};
use crate::root::{file_id, FileId};

/// A list that the kernel reads, be its content good or bad.
pub struct List {
    /// The file name.
    pub name: Vec<u8>,
    /// Where the list is here.
    pub path: PathBuf,
    seq: Option<u32>,
    id: FileId,
}

/// A name in the directory that is never read as a list.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// The name.
    pub name: String,
    /// What is the matter with it.
    pub why: String,
    #[serde(skip)]
    bytes: Vec<u8>,
}

/// The names of a directory.
pub struct Directory {
    path: PathBuf,
    /// The lists, in the kernel's order.
    pub lists: Vec<List>,
    /// The other names, sorted.
    pub left_out: Vec<LeftOut>,
}

/// What a name in the directory is.
enum Name {
    List { seq: Option<u32>, id: FileId },
    None(String),
}

impl Directory {
    /// Reads the directory; `formats` are those that the kernel has besides the
    /// built-in ones.
    pub fn read(path: &Path, formats: &[String]) -> Result<Self, Error> {
        let fail = |e: std::io::Error| Error::io(path, "read the directory", &e);
        let mut lists = Vec::new();
        let mut left_out = Vec::new();
        for entry in std::fs::read_dir(path).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().into_vec();
            match judge(&entry, &name, formats)? {
                Name::List { seq, id } => lists.push(List {
                    name,
                    path: entry.path(),
                    seq,
                    id,
                }),
                Name::None(why) => left_out.push(LeftOut {
                    name: for_display(&name),
                    why,
                    bytes: name,
                }),
            }
        }
        if lists.is_empty() {
            return Err(Error::new(
                path,
                "holds no digest list that the kernel reads",
                "generate lists into it first",
            ));
        }
        // Stable: what the numbers leave open stays as the directory has it.
        lists.sort_by(|a, b| cmp_order(a.seq, b.seq));
        left_out.sort_by(|a, b| a.bytes.cmp(&b.bytes));
        Ok(Self {
            path: path.to_owned(),
            lists,
            left_out,
        })
    }

    /// Forgets the lists after `last`, which names the last one that is read, and
    /// returns those whose order matters and is the file system's.
    pub fn end_with(&mut self, last: Option<&[u8]>) -> Result<Vec<String>, Error> {
        let len = match last {
            None => self.lists.len(),
            Some(last) => self
                .lists
                .iter()
                .position(|list| list.name == last)
                .map(|position| position.saturating_add(1))
                .ok_or_else(|| self.no_list(last))?,
        };
        let unordered = self
            .lists
            .chunk_by(|a, b| a.seq == b.seq)
            .scan(0_usize, |start, chunk| {
                let at = *start;
                *start = at.saturating_add(chunk.len());
                Some((at, chunk))
            })
            .filter(|&(at, chunk)| at < len && chunk.len() > 1)
            .flat_map(|(_, chunk)| chunk)
            .map(|list| for_display(&list.name))
            .collect();
        self.lists.truncate(len);
        Ok(unordered)
    }

    fn no_list(&self, name: &[u8]) -> Error {
        let what = self
            .left_out
            .iter()
            .find(|left_out| left_out.bytes == name)
            .map_or("is not in the directory", |left_out| left_out.why.as_str());
        Error::about(
            format!("--last {}", for_display(name)),
            what,
            format!(
                "name a list of {}",
                crate::bytes::path_for_display(&self.path)
            ),
        )
    }
}

/// Decides as the kernel does before it reads the first byte.
fn judge(entry: &DirEntry, name: &[u8], formats: &[String]) -> Result<Name, Error> {
    let parsed = match ListName::parse(name) {
        Ok(parsed) => parsed,
        Err(e) => {
            return Ok(Name::None(format!(
                "is not the name of a digest list: {}",
                e.kind.message()
            )))
        }
    };
    let known = Format::from_name(parsed.format).is_some()
        || formats
            .iter()
            .any(|format| format.as_bytes() == parsed.format);
    if !known {
        let format = for_display(parsed.format);
        return Ok(Name::None(format!("is of the unknown format '{format}'")));
    }
    // Of the entry itself: the kernel follows no symbolic link here.
    let metadata = entry
        .metadata()
        .map_err(|e| Error::io(entry.path(), "read", &e))?;
    Ok(if !metadata.is_file() {
        Name::None("is not a regular file".to_owned())
    } else if metadata.len() == 0 {
        Name::None("is empty".to_owned())
    } else if let Err(e) = check_size(metadata.len()) {
        Name::None(e.kind.message().to_owned())
    } else {
        Name::List {
            seq: parsed.seq,
            id: file_id(&metadata),
        }
    })
}

impl List {
    /// Reads the list.
    pub fn read(&self) -> Result<(File, Vec<u8>), Error> {
        let (file, len) = open_regular(&self.path)?;
        let metadata = file
            .metadata()
            .map_err(|e| Error::io(&self.path, "read", &e))?;
        if file_id(&metadata) != self.id {
            return Err(Error::new(
                &self.path,
                "was replaced while it was opened",
                "let nothing change the lists meanwhile",
            ));
        }
        let data = read_open(&file, len, &self.path)?;
        Ok((file, data))
    }
}

/// Checks the name of a format for the command line.
pub fn parse_format(name: &str) -> Result<String, String> {
    if ListName::is_format(name.as_bytes()) {
        Ok(name.to_owned())
    } else {
        Err("no format has this name: 1 to 19 characters, not only digits, no dash".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_formats() {
        for name in ["pgp", "a", "1x", "abcdefghijklmnopqrs"] {
            assert_eq!(parse_format(name).as_deref(), Ok(name));
        }
        for name in ["", "12", "a-b", "-", "a/b", "a\0", "abcdefghijklmnopqrst"] {
            assert!(parse_format(name).is_err(), "{name:?}");
        }
    }

    /// Lists of these numbers, in the kernel's order.
    fn directory(numbers: &[Option<u32>]) -> Directory {
        let lists = numbers.iter().enumerate().map(|(at, &seq)| List {
            name: format!("{at}").into_bytes(),
            path: PathBuf::new(),
            seq,
            id: (0, 0),
        });
        Directory {
            path: PathBuf::new(),
            lists: lists.collect(),
            left_out: Vec::new(),
        }
    }

    #[test]
    fn only_what_is_read_needs_an_order() {
        let numbers = [Some(0), Some(1), Some(1), Some(2), None, None];
        let cases: [(Option<&str>, usize, &[&str]); 6] = [
            (None, 6, &["1", "2", "4", "5"]),
            (Some("0"), 1, &[]),
            // The other list with its number may come before or after it.
            (Some("1"), 2, &["1", "2"]),
            (Some("2"), 3, &["1", "2"]),
            (Some("3"), 4, &["1", "2"]),
            (Some("4"), 5, &["1", "2", "4", "5"]),
        ];
        for (last, len, unordered) in cases {
            let mut directory = directory(&numbers);
            let found = directory.end_with(last.map(str::as_bytes)).unwrap();
            assert_eq!(found, unordered, "{last:?}");
            assert_eq!(directory.lists.len(), len, "{last:?}");
        }
        assert!(directory(&[None]).end_with(None).unwrap().is_empty());
    }
}
