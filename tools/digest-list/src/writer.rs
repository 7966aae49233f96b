// SPDX-License-Identifier: GPL-2.0-only
//! The only writer of the `tlv` format (its current form).
//!
//! Algorithms come one after the other, each with the number of its entries and
//! then one entry a file: digest and path. A list is parsed back, entry by entry,
//! before anybody gets to see it.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use digest_list_formats::parsers::algo::{DigestType, HashAlgo};
use digest_list_formats::parsers::MAX_LIST_SIZE;

use crate::error::Error;
use crate::hash::Digests;
use crate::list::ListFile;
use crate::output::{Staged, LIST_MODE};

/// Fields of a list.
const FIELD_ALGO: u16 = 0;
const FIELD_NUM_ENTRIES: u16 = 1;
const FIELD_ENTRY: u16 = 2;

/// Fields of an entry.
const FIELD_ENTRY_DIGEST: u16 = 0;
const FIELD_ENTRY_PATH: u16 = 1;

/// Bytes of a field's number and length.
const HEADER_SIZE: usize = 6;

/// One file of a list.
#[derive(Clone, Debug)]
pub struct FileEntry {
    /// Absolute path.
    pub path: Vec<u8>,
    /// One digest for each of the list's algorithms, in their order.
    pub digests: Arc<Digests>,
}

/// Writes the list `file_name` into `dir` and reads it back; publishing it is
/// left to the caller.
pub fn stage(
    dir: &Path,
    file_name: &str,
    algos: &[HashAlgo],
    entries: &[FileEntry],
) -> Result<Staged, Error> {
    let target = dir.join(file_name);
    if entries.is_empty() || algos.is_empty() {
        return Err(Error::new(
            &target,
            "would hold no digest",
            "give regular files to list",
        ));
    }
    if size_of_list(algos, entries).is_none_or(|size| size > MAX_LIST_SIZE) {
        return Err(Error::new(
            &target,
            "would be longer than 4 GiB",
            "split the files over several lists",
        ));
    }
    let staged = Staged::write(&target, LIST_MODE, |out| write(out, algos, entries))?;
    read_back(&staged, file_name, algos, entries)?;
    Ok(staged)
}

fn size_of_entry(algo: HashAlgo, path: &[u8]) -> usize {
    algo.digest_size()
        .saturating_add(path.len())
        .saturating_add(2 * HEADER_SIZE)
}

fn size_of_list(algos: &[HashAlgo], entries: &[FileEntry]) -> Option<u64> {
    let mut size = 0_u64;
    for &algo in algos {
        size = size.checked_add((2 * HEADER_SIZE + 2 + 4) as u64)?;
        for entry in entries {
            let len = size_of_entry(algo, &entry.path).checked_add(HEADER_SIZE)?;
            size = size.checked_add(u64::try_from(len).ok()?)?;
        }
    }
    Some(size)
}

fn too_big() -> io::Error {
    io::Error::from(io::ErrorKind::FileTooLarge)
}

fn write_header(out: &mut dyn Write, field: u16, len: usize) -> io::Result<()> {
    let len = u32::try_from(len).map_err(|_| too_big())?;
    out.write_all(&field.to_be_bytes())?;
    out.write_all(&len.to_be_bytes())
}

fn write_field(out: &mut dyn Write, field: u16, value: &[u8]) -> io::Result<()> {
    write_header(out, field, value.len())?;
    out.write_all(value)
}

/// Writes the content of a list. [`stage`] is what makes a list file.
pub fn write(out: &mut dyn Write, algos: &[HashAlgo], entries: &[FileEntry]) -> io::Result<()> {
    let num = u32::try_from(entries.len()).map_err(|_| too_big())?;
    for (position, &algo) in algos.iter().enumerate() {
        write_field(out, FIELD_ALGO, &u16::from(algo.raw()).to_be_bytes())?;
        write_field(out, FIELD_NUM_ENTRIES, &num.to_be_bytes())?;
        for entry in entries {
            let digest = entry
                .digests
                .get(position)
                .filter(|digest| digest.len() == algo.digest_size())
                .ok_or_else(|| io::Error::other(format!("no {} digest", algo.name())))?;
            write_header(out, FIELD_ENTRY, size_of_entry(algo, &entry.path))?;
            write_field(out, FIELD_ENTRY_DIGEST, digest)?;
            write_field(out, FIELD_ENTRY_PATH, &entry.path)?;
        }
    }
    Ok(())
}

/// Compares what a reader of the staged list gets with what was to be written.
fn read_back(
    staged: &Staged,
    file_name: &str,
    algos: &[HashAlgo],
    entries: &[FileEntry],
) -> Result<(), Error> {
    let file = ListFile::read_as(staged.temporary(), file_name.as_bytes().to_vec())?;
    let parsed = file.parse()?;
    let wrong = || {
        Error::new(
            staged.target(),
            "reads back differently from what was written",
            "check the disk, nothing was kept",
        )
    };
    let mut expected = algos.iter().enumerate().flat_map(|(position, &algo)| {
        entries
            .iter()
            .map(move |entry| (algo, entry.digests.get(position), &entry.path))
    });
    parsed.list.for_each(|found| match expected.next() {
        Some((algo, Some(digest), path))
            if found.algo == algo
                && found.digest_type == DigestType::FileData
                && found.digest == &digest[..]
                && found
                    .path
                    .is_some_and(|found| found.dir.iter().chain(found.base).eq(path.iter())) =>
        {
            Ok(())
        }
        _ => Err(wrong()),
    })?;
    if expected.next().is_some() || parsed.signature.is_some() {
        return Err(wrong());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn entry(path: &str, digests: &[&[u8]]) -> FileEntry {
        FileEntry {
            path: path.as_bytes().to_vec(),
            digests: Arc::new(digests.iter().map(|&d| Box::from(d)).collect()),
        }
    }

    /// The bytes of a small list, worked out by hand from the format's table.
    #[test]
    fn bytes_are_those_of_the_format() {
        let mut out = Vec::new();
        write(&mut out, &[HashAlgo::Md5], &[entry("/a", &[&[0x11; 16]])]).unwrap();
        let mut expected = vec![0, 0, 0, 0, 0, 2, 0, 1, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1];
        expected.extend([0, 2, 0, 0, 0, 30, 0, 0, 0, 0, 0, 16]);
        expected.extend([0x11; 16]);
        expected.extend([0, 1, 0, 0, 0, 2, b'/', b'a']);
        assert_eq!(out, expected);
        let entries = [entry("/a", &[&[0x11; 16]])];
        assert_eq!(
            size_of_list(&[HashAlgo::Md5], &entries),
            Some(out.len() as u64)
        );
    }

    #[test]
    fn digests_of_a_wrong_size_leave_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let entries = [entry("/a", &[&[0; 20]])];
        assert!(stage(dir.path(), "tlv-a", &[HashAlgo::Sha256], &entries).is_err());
        assert!(stage(dir.path(), "tlv-a", &[HashAlgo::Sha256], &[]).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_list_that_reads_back_differently_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let entries = [entry("/a", &[&[1; 32]]), entry("/b", &[&[2; 32]])];
        let staged = stage(dir.path(), "tlv-a", &[HashAlgo::Sha256], &entries).unwrap();
        let check = |entries: &[FileEntry]| {
            read_back(&staged, "tlv-a", &[HashAlgo::Sha256], entries).is_ok()
        };
        assert!(check(&entries));
        assert!(!check(&entries[..1]));
        assert!(!check(&[entries[1].clone(), entries[0].clone()]));
        assert!(!check(&[
            entries[0].clone(),
            entries[1].clone(),
            entries[1].clone()
        ]));
        assert!(!check(&[entries[0].clone(), entry("/c", &[&[2; 32]])]));
    }
}
