// SPDX-License-Identifier: GPL-2.0-only
//! Files that appear whole or not at all: temporary file beside the target,
//! fsync, rename, fsync of the directory.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::error::Error;

/// The mode of new digest lists: the kernel reads them as root, everybody else
/// may check them.
pub const LIST_MODE: u32 = 0o644;

/// What may happen to a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the new file is refused.
    Keep,
    /// The new file replaces it in one step.
    Replace,
}

impl Existing {
    /// Fails early if the target would be refused in the end.
    pub fn check(self, target: &Path) -> Result<(), Error> {
        if self == Self::Keep && target.symlink_metadata().is_ok() {
            return Err(refused(target));
        }
        Ok(())
    }
}

fn refused(target: &Path) -> Error {
    Error::new(target, "exists already", "give --force to replace it")
}

/// A file with its content on disk that nobody sees yet. Dropped without
/// [`Staged::publish`], it vanishes.
pub struct Staged {
    temporary: TempPath,
    target: PathBuf,
}

impl Staged {
    /// Writes the content beside the target. Only the path of the temporary file
    /// is kept, not a descriptor: thousands of lists may be staged at a time.
    pub fn write(
        target: &Path,
        mode: u32,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Self, Error> {
        let fail = |e: io::Error| Error::io(target, "write", &e);
        let dir = match target.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        };
        let mut file = tempfile::Builder::new()
            .prefix(".digest-list-")
            .suffix(".tmp")
            .tempfile_in(dir)
            .map_err(fail)?;
        let mut writer = BufWriter::new(file.as_file_mut());
        content(&mut writer)
            .and_then(|()| writer.flush())
            .map_err(fail)?;
        drop(writer);
        file.as_file()
            .set_permissions(Permissions::from_mode(mode))
            .and_then(|()| file.as_file().sync_all())
            .map_err(fail)?;
        Ok(Self {
            temporary: file.into_temp_path(),
            target: target.to_owned(),
        })
    }

    /// Where the content is for now, to be read back.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Where the content will appear.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Gives the file its name.
    pub fn publish(self, existing: Existing) -> Result<PathBuf, Error> {
        let result = match existing {
            Existing::Replace => self.temporary.persist(&self.target),
            Existing::Keep => self.temporary.persist_noclobber(&self.target),
        };
        match result {
            Ok(()) => Ok(self.target),
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Err(refused(&self.target)),
            Err(e) => Err(Error::io(&self.target, "give the file its name", &e.error)),
        }
    }
}

/// Makes the names of published files durable.
pub fn sync_dir(dir: &Path) -> Result<(), Error> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|e| Error::io(dir, "write the directory to disk", &e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_writer_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("list");
        let staged = Staged::write(&target, LIST_MODE, |out| {
            out.write_all(b"half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert!(staged.is_err());
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn unpublished_content_vanishes_and_existing_files_stay() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("list");
        fs::write(&target, "old").unwrap();
        let stage = || Staged::write(&target, LIST_MODE, |out| out.write_all(b"new")).unwrap();

        drop(stage());
        assert_eq!(names(dir.path()), ["list"]);

        let error = stage().publish(Existing::Keep).unwrap_err();
        assert!(error.to_string().contains("--force"), "{error}");
        assert_eq!(names(dir.path()), ["list"]);
        assert_eq!(fs::read(&target).unwrap(), b"old");

        stage().publish(Existing::Replace).unwrap();
        assert_eq!(names(dir.path()), ["list"]);
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&target).unwrap().permissions().mode() & 0o7777,
            LIST_MODE
        );
    }
}
