// SPDX-License-Identifier: GPL-2.0-only
//! Files below a root directory that stands for `/` of another system.
//!
//! Every path is resolved by the kernel inside the root (`openat2` with
//! `RESOLVE_IN_ROOT`, Linux 5.6): an absolute symbolic link is relative to the
//! root, `..` stops there, and nothing ever escapes to the host. That is how
//! `/bin -> /usr/bin` of a root file system leads to its own `/usr/bin`.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{openat2, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::error::Error;

/// How often a resolution that raced with a rename is tried again.
const RESOLVE_ATTEMPTS: usize = 64;

/// The identity of a file, however many names it has.
pub type FileId = (u64, u64);

/// The identity of an open file.
pub fn file_id(metadata: &std::fs::Metadata) -> FileId {
    (metadata.dev(), metadata.ino())
}

/// What a path inside the root leads to; a last component that is a symbolic
/// link is not followed.
pub enum Kind {
    /// A regular file.
    Regular(FileId),
    /// Something else, described for a message.
    Other(&'static str),
    /// Nothing: a component does not exist or is not a directory.
    Missing,
}

/// As [`Kind`], with the file.
pub enum Lookup {
    /// A regular file, open for reading.
    Regular(File),
    /// Something else, described for a message.
    Other(&'static str),
    /// Nothing: a component does not exist or is not a directory.
    Missing,
}

/// A directory that stands for `/`.
pub struct Root {
    fd: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// Opens the root; `/` is the running system.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let fail = |e: io::Error| Error::io(path, "open as a root directory", &e);
        let path_real = path.canonicalize().map_err(fail)?;
        let fd = rustix::fs::open(
            &path_real,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|e| fail(e.into()))?;
        let root = Self {
            fd,
            path: path_real,
        };
        match root.resolve(b".", OFlags::PATH) {
            Ok(_) => Ok(root),
            Err(Errno::NOSYS | Errno::PERM) => Err(Error::new(
                path,
                "cannot be searched safely, openat2 is missing or forbidden",
                "use Linux 5.6 or later, and no sandbox that forbids it",
            )),
            Err(e) => Err(fail(e.into())),
        }
    }

    /// The path of the root itself on the host.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a path of the root is on the host, for messages and for walking
    /// below a directory that [`Root::canonicalize`] gave.
    pub fn host_path(&self, path: &[u8]) -> PathBuf {
        let relative = path
            .iter()
            .position(|&b| b != b'/')
            .map_or(&[][..], |start| path.get(start..).unwrap_or_default());
        self.path.join(OsStr::from_bytes(relative))
    }

    fn resolve(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let mut attempts = RESOLVE_ATTEMPTS;
        loop {
            match openat2(
                self.fd.as_fd(),
                path,
                flags | OFlags::CLOEXEC,
                Mode::empty(),
                ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
            ) {
                // A component was renamed under us, or a signal arrived.
                Err(Errno::AGAIN | Errno::INTR) if attempts > 0 => attempts -= 1,
                result => return result,
            }
        }
    }

    /// Tells what a path leads to without opening it.
    pub fn stat(&self, path: &[u8]) -> Result<Kind, Error> {
        let fail = |e: Errno| Error::io(self.host_path(path), "open", &e.into());
        let found = match self.resolve(path, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(fd) => fd,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(Kind::Missing),
            Err(e) => return Err(fail(e)),
        };
        let stat = rustix::fs::fstat(&found).map_err(fail)?;
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::Regular((stat.st_dev, stat.st_ino)),
            FileType::Symlink => Kind::Other("a symbolic link"),
            FileType::Directory => Kind::Other("a directory"),
            _ => Kind::Other("a special file"),
        })
    }

    /// Opens a regular file for reading. Nothing else is opened, since opening a
    /// device or a FIFO can have effects or block.
    pub fn lookup(&self, path: &[u8]) -> Result<Lookup, Error> {
        let expected = match self.stat(path)? {
            Kind::Regular(id) => id,
            Kind::Other(what) => return Ok(Lookup::Other(what)),
            Kind::Missing => return Ok(Lookup::Missing),
        };
        let fail = |e: io::Error| Error::io(self.host_path(path), "open", &e);
        let file = self
            .resolve(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK)
            .map(File::from)
            .map_err(|e| fail(e.into()))?;
        if file_id(&file.metadata().map_err(fail)?) != expected {
            return Err(Error::new(
                self.host_path(path),
                "was replaced while it was opened",
                "let nothing change the files meanwhile",
            ));
        }
        Ok(Lookup::Regular(file))
    }

    /// Opens a directory of the root, following symbolic links inside the root.
    pub fn open_dir(&self, path: &[u8]) -> Result<OwnedFd, Error> {
        self.resolve(path, OFlags::RDONLY | OFlags::DIRECTORY)
            .map_err(|e| Error::io(self.host_path(path), "open the directory", &e.into()))
    }

    /// Reads a whole file of the root, following symbolic links inside the root;
    /// `None` if it does not exist.
    pub fn read(&self, path: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let fail = |e: io::Error| Error::io(self.host_path(path), "read", &e);
        let fd = match self.resolve(path, OFlags::RDONLY) {
            Ok(fd) => fd,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(e) => return Err(fail(e.into())),
        };
        let mut data = Vec::new();
        File::from(fd).read_to_end(&mut data).map_err(fail)?;
        Ok(Some(data))
    }

    /// The path inside the root that this one leads to, with every symbolic link
    /// resolved inside the root. A relative path starts at the root.
    pub fn canonicalize(&self, path: &Path) -> Result<Vec<u8>, Error> {
        let bytes = path.as_os_str().as_bytes();
        let fail = |e: io::Error| Error::io(self.host_path(bytes), "open", &e);
        let fd = self
            .resolve(bytes, OFlags::PATH)
            .map_err(|e| fail(e.into()))?;
        // The kernel knows the path that it has just resolved.
        let real = std::fs::read_link(format!(
            "/proc/self/fd/{}",
            std::os::fd::AsRawFd::as_raw_fd(&fd)
        ))
        .map_err(fail)?;
        let inside = real.strip_prefix(&self.path).map_err(|_| {
            Error::new(
                &real,
                "is not below the root any more",
                "let nothing move directories meanwhile",
            )
        })?;
        let mut canonical = vec![b'/'];
        canonical.extend_from_slice(inside.as_os_str().as_bytes());
        Ok(canonical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn text(root: &Root, path: &str) -> Option<String> {
        match root.lookup(path.as_bytes()).unwrap() {
            Lookup::Regular(mut file) => {
                let mut text = String::new();
                file.read_to_string(&mut text).unwrap();
                Some(text)
            }
            _ => None,
        }
    }

    #[test]
    fn links_stay_inside_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join("root");
        fs::create_dir_all(inside.join("usr/bin")).unwrap();
        fs::create_dir_all(inside.join("etc")).unwrap();
        fs::write(inside.join("usr/bin/sh"), "inner").unwrap();
        fs::write(inside.join("etc/passwd"), "inner passwd").unwrap();
        fs::write(dir.path().join("outside"), "outer").unwrap();
        symlink("usr/bin", inside.join("bin")).unwrap();
        symlink("/usr/bin", inside.join("abs")).unwrap();
        symlink("../../../../../../etc", inside.join("up")).unwrap();
        symlink("../outside", inside.join("escape")).unwrap();
        symlink(dir.path(), inside.join("host")).unwrap();
        let root = Root::open(&inside).unwrap();

        for path in ["/bin/sh", "bin/sh", "/abs/sh", "//usr/bin/sh", "/../bin/sh"] {
            assert_eq!(text(&root, path).as_deref(), Some("inner"), "{path}");
        }
        assert_eq!(text(&root, "/up/passwd").as_deref(), Some("inner passwd"));
        assert!(matches!(root.lookup(b"/host/outside"), Ok(Lookup::Missing)));
        assert!(matches!(root.lookup(b"/../outside"), Ok(Lookup::Missing)));
        assert!(matches!(
            root.lookup(b"/escape"),
            Ok(Lookup::Other("a symbolic link"))
        ));
        assert_eq!(root.read(b"/escape").unwrap(), None);
        assert!(matches!(
            root.lookup(b"/etc"),
            Ok(Lookup::Other("a directory"))
        ));
        assert!(matches!(root.lookup(b"/etc/passwd/x"), Ok(Lookup::Missing)));
        assert_eq!(
            root.canonicalize(Path::new("/abs/sh")).unwrap(),
            b"/usr/bin/sh"
        );
        assert_eq!(root.canonicalize(Path::new("..")).unwrap(), b"/");
    }
}
