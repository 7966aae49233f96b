// SPDX-License-Identifier: GPL-2.0-only
//! One list from files and directories.

use std::path::PathBuf;

use globset::GlobSet;
use indicatif::ProgressBar;

use super::{Target, WrittenList};
use crate::error::{Error, Outcome};
use crate::files::{hash_all, Hashed, Selection, Walk};
use crate::list::tlv_name;
use crate::output::sync_dir;
use crate::root::Root;
use crate::writer::{self, FileEntry};

/// What goes into the list.
pub struct FilesOptions {
    /// The list's name, without format and number.
    pub name: String,
    /// The list's number in the order of lists.
    pub seq: Option<u32>,
    /// Files and directories, inside the root.
    pub paths: Vec<PathBuf>,
    /// Directories on other file systems are not entered.
    pub one_file_system: bool,
    /// Paths inside the root that are left out.
    pub exclude: GlobSet,
    /// Which files count.
    pub selection: Selection,
}

/// Writes one list of the given files; with any error, nothing.
pub fn from_files(
    root: &Root,
    options: &FilesOptions,
    target: &Target,
    progress: &ProgressBar,
) -> Result<Outcome<Option<WrittenList>>, Error> {
    let file_name = tlv_name(options.seq, &options.name)?;
    target.prepare()?;
    let list = target.dir.join(&file_name);
    target.existing.check(&list)?;

    let output = target
        .dir
        .canonicalize()
        .map_err(|e| Error::io(&target.dir, "open", &e))?;
    let walk = Walk {
        one_file_system: options.one_file_system,
        exclude: options.exclude.clone(),
        output: Some(output),
    };
    let paths = walk.find(root, &options.paths)?;
    progress.set_length(u64::try_from(paths.len()).unwrap_or(u64::MAX));
    let mut entries = Vec::with_capacity(paths.len());
    let mut errors = Vec::new();
    // In portions, so that the progress bar moves.
    for portion in paths.chunks(1024) {
        let hashed = hash_all(root, portion, &target.algos, options.selection, progress);
        for (path, hashed) in portion.iter().zip(hashed) {
            match hashed {
                Ok(Hashed::Digests(digests)) => entries.push(FileEntry {
                    path: path.clone(),
                    digests,
                }),
                Ok(Hashed::NotSelected) => {}
                Ok(Hashed::Other(_) | Hashed::Missing) => errors.push(Error::new(
                    root.host_path(path),
                    "vanished while the list was made",
                    "let nothing change the files meanwhile",
                )),
                Err(e) => errors.push(e),
            }
        }
    }
    if !errors.is_empty() {
        return Ok(Outcome {
            report: None,
            errors,
        });
    }
    if entries.is_empty() {
        return Err(Error::new(
            &list,
            "would hold no digest",
            "none of the files is executable, leave the filter out",
        ));
    }
    let staged = writer::stage(&target.dir, &file_name, &target.algos, &entries)?;
    let published = staged.publish(target.existing)?;
    sync_dir(&target.dir)?;
    Ok(Outcome {
        report: Some(WrittenList::new(&published, entries.len(), &target.algos)),
        errors,
    })
}
