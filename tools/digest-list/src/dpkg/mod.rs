// SPDX-License-Identifier: GPL-2.0-only
//! The dpkg database below a root directory, read only.
//!
//! One file per part of the database: packages and conffiles ([`status`]),
//! diversions ([`diversions`]), recorded digests ([`md5sums`]). This module puts
//! them together: which files a package has put where, and what is known of them.

pub mod diversions;
pub mod md5sums;
pub mod status;

use std::collections::HashMap;

use crate::error::Error;
use crate::root::Root;

use diversions::Diversions;
use status::Package;

/// Where the database is, inside the root.
const ADMIN_DIR: &str = "/var/lib/dpkg";

/// An MD5 digest, as the database records it.
pub type Md5 = [u8; 16];

/// What the database knows about a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The content that the package shipped.
    Packaged(Md5),
    /// The content that the package shipped of a file that the administrator may
    /// change.
    Conffile(Md5),
    /// Nothing.
    Nothing,
}

/// A path that a package has put on disk: a file, a directory or a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackagePath {
    /// Absolute path on disk: the packaged one, or where a diversion has moved it.
    pub path: Vec<u8>,
    /// Whether a diversion has moved it.
    pub diverted: bool,
    /// What is known about its content.
    pub recorded: Recorded,
}

/// The database of one root.
pub struct Database<'r> {
    root: &'r Root,
    packages: Vec<Package>,
    diversions: Diversions,
}

impl<'r> Database<'r> {
    /// Reads what all packages share.
    pub fn open(root: &'r Root) -> Result<Self, Error> {
        let status_path = format!("{ADMIN_DIR}/status");
        let status = root.read(status_path.as_bytes())?.ok_or_else(|| {
            Error::new(
                root.host_path(status_path.as_bytes()),
                "no dpkg database here",
                "give the root of a Debian system with --root",
            )
        })?;
        let malformed = |path: &str, (line, what): (usize, &'static str)| {
            Error::new(
                root.host_path(path.as_bytes()),
                format!("line {line}: {what}"),
                "repair the dpkg database",
            )
        };
        let packages = status::parse(&status).map_err(|e| malformed(&status_path, e))?;
        let diversions_path = format!("{ADMIN_DIR}/diversions");
        let diversions = root.read(diversions_path.as_bytes())?.unwrap_or_default();
        let diversions =
            Diversions::parse(&diversions).map_err(|e| malformed(&diversions_path, e))?;
        Ok(Self {
            root,
            packages,
            diversions,
        })
    }

    /// All packages whose files are on disk, or those with the given names
    /// (`name` or `name:architecture`), in the order of the database.
    pub fn select(&self, names: &[String]) -> Result<Vec<&Package>, Error> {
        if let Some(unpacking) = self.packages.iter().find(|package| {
            package.state == status::State::HalfInstalled
                && (names.is_empty() || names.iter().any(|name| package.is_named(name)))
        }) {
            return Err(Error::about(
                unpacking.display_name(),
                "this package is half installed",
                "finish its installation or remove it",
            ));
        }
        let installed = || {
            self.packages
                .iter()
                .filter(|package| package.state == status::State::Unpacked)
        };
        if let Some(unknown) = names
            .iter()
            .find(|name| !installed().any(|package| package.is_named(name)))
        {
            return Err(Error::about(
                crate::bytes::for_display(unknown.as_bytes()),
                "no such package is installed below the root",
                "check the name against the dpkg database",
            ));
        }
        Ok(installed()
            .filter(|package| names.is_empty() || names.iter().any(|name| package.is_named(name)))
            .collect())
    }

    /// The paths of a package, sorted.
    pub fn paths(&self, package: &Package) -> Result<Vec<PackagePath>, Error> {
        let list = self.info(package, "list")?.ok_or_else(|| {
            Error::about(
                package.display_name(),
                "the dpkg database has no file list for this package",
                "reinstall the package",
            )
        })?;
        let sums_file = self.info(package, "md5sums")?.unwrap_or_default();
        let sums = md5sums::parse(&sums_file).map_err(|(line, what)| {
            Error::about(
                package.display_name(),
                format!("md5sums line {line}: {what}"),
                "reinstall the package",
            )
        })?;
        let conffiles: HashMap<&[u8], Option<Md5>> = package
            .conffiles
            .iter()
            .map(|conffile| (conffile.path.as_slice(), conffile.md5))
            .collect();
        let mut paths: Vec<_> = list
            .split(|&b| b == b'\n')
            .filter(|line| line.starts_with(b"/") && *line != b"/.")
            .map(|packaged| {
                let recorded = match conffiles.get(packaged) {
                    Some(Some(md5)) => Recorded::Conffile(*md5),
                    // dpkg does not know the conffile's digest before the package
                    // is configured.
                    Some(None) => Recorded::Nothing,
                    None => match sums.get(packaged) {
                        Some(md5) => Recorded::Packaged(*md5),
                        None => Recorded::Nothing,
                    },
                };
                let moved = self.diversions.target(packaged, &package.name);
                PackagePath {
                    path: moved.unwrap_or(packaged).to_vec(),
                    diverted: moved.is_some(),
                    recorded,
                }
            })
            .collect();
        paths.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        paths.dedup_by(|a, b| a.path == b.path);
        Ok(paths)
    }

    /// A file of the package in the database's `info` directory. Packages that
    /// can be installed for several architectures have theirs in the name.
    fn info(&self, package: &Package, kind: &str) -> Result<Option<Vec<u8>>, Error> {
        let qualified = format!(
            "{ADMIN_DIR}/info/{}:{}.{kind}",
            package.name, package.architecture
        );
        if let Some(data) = self.root.read(qualified.as_bytes())? {
            return Ok(Some(data));
        }
        let plain = format!("{ADMIN_DIR}/info/{}.{kind}", package.name);
        self.root.read(plain.as_bytes())
    }
}
