// SPDX-License-Identifier: GPL-2.0-only
//! One list a package from a dpkg database and the files on disk.
//!
//! The digests are those of the files on disk, after they have been checked
//! against what the database recorded when the package was unpacked: a list must
//! not vouch for a file that somebody has changed since.

use digest_list_formats::parsers::algo::HashAlgo;
use indicatif::ProgressBar;
use rayon::prelude::*;
use serde::Serialize;

use super::{Target, WrittenList};
use crate::bytes::{for_display, hex};
use crate::dpkg::status::Package;
use crate::dpkg::{Database, PackagePath, Recorded};
use crate::error::{Error, Outcome};
use crate::files::{hash_all, Hashed, Selection};
use crate::list::tlv_name;
use crate::output::{sync_dir, Staged};
use crate::root::Root;
use crate::writer::{self, FileEntry};

/// What to do with configuration files that differ from what was packaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangedConffiles {
    /// Leave them out: the package's signer does not vouch for them.
    Skip,
    /// List them as they are.
    Include,
}

/// What goes into the lists.
pub struct DpkgOptions {
    /// The packages, `name` or `name:architecture`; all if empty.
    pub packages: Vec<String>,
    /// Which files count.
    pub selection: Selection,
    /// What to do with changed configuration files.
    pub changed_conffiles: ChangedConffiles,
    /// Write the lists of good packages even if others have errors.
    pub keep_going: bool,
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackageFile {
    /// `name:architecture`.
    pub package: String,
    /// Path on disk, inside the root.
    pub path: String,
}

/// What has been done.
#[derive(Debug, Default, Serialize)]
pub struct DpkgReport {
    /// The lists written, in the order of the packages.
    pub lists: Vec<WrittenList>,
    /// Files in them.
    pub files: u64,
    /// Digests in them.
    pub digests: u64,
    /// Packages without a file to list: no list is written for them.
    pub empty_packages: Vec<String>,
    /// Listed files that a diversion has moved; listed where they are on disk.
    pub diverted: Vec<PackageFile>,
    /// Files that are not on disk, for instance documentation that dpkg was told
    /// not to unpack; not listed.
    pub missing: Vec<PackageFile>,
    /// Listed files whose content the database does not record.
    pub unchecked: Vec<PackageFile>,
    /// Configuration files that differ from what was packaged.
    pub changed_conffiles: Vec<PackageFile>,
    /// Whether those are listed.
    pub changed_conffiles_included: bool,
}

/// What has been found out about one package.
#[derive(Default)]
struct PackageResult {
    staged: Option<(Staged, WrittenList)>,
    empty: bool,
    diverted: Vec<PackageFile>,
    missing: Vec<PackageFile>,
    unchecked: Vec<PackageFile>,
    changed_conffiles: Vec<PackageFile>,
    errors: Vec<Error>,
}

/// Writes the lists of the packages. With an error in any package nothing is
/// written, or with `keep_going` all lists but that package's.
pub fn from_dpkg(
    root: &Root,
    options: &DpkgOptions,
    target: &Target,
    progress: &ProgressBar,
) -> Result<Outcome<DpkgReport>, Error> {
    let database = Database::open(root)?;
    let packages = database.select(&options.packages)?;
    if packages.is_empty() {
        return Err(Error::new(
            root.path(),
            "no package is installed below this root",
            "check the path given with --root",
        ));
    }
    target.prepare()?;

    let work: Vec<_> = packages
        .par_iter()
        .map(|&package| (package, database.paths(package)))
        .collect();
    let total: usize = work
        .iter()
        .filter_map(|(_, paths)| paths.as_ref().ok())
        .map(Vec::len)
        .sum();
    progress.set_length(u64::try_from(total).unwrap_or(u64::MAX));

    let results: Vec<_> = work
        .into_par_iter()
        .map(|(package, paths)| {
            match paths
                .and_then(|paths| one_package(root, package, &paths, options, target, progress))
            {
                Ok(result) => result,
                Err(e) => PackageResult {
                    errors: vec![e],
                    ..PackageResult::default()
                },
            }
        })
        .collect();
    publish(&packages, results, options, target)
}

fn publish(
    packages: &[&Package],
    results: Vec<PackageResult>,
    options: &DpkgOptions,
    target: &Target,
) -> Result<Outcome<DpkgReport>, Error> {
    let write = options.keep_going || results.iter().all(|result| result.errors.is_empty());
    let mut report = DpkgReport {
        changed_conffiles_included: options.changed_conffiles == ChangedConffiles::Include,
        ..DpkgReport::default()
    };
    let mut errors = Vec::new();
    for (package, result) in packages.iter().zip(results) {
        errors.extend(result.errors);
        report.diverted.extend(result.diverted);
        report.missing.extend(result.missing);
        report.unchecked.extend(result.unchecked);
        report.changed_conffiles.extend(result.changed_conffiles);
        if result.empty {
            report.empty_packages.push(package.display_name());
        }
        if let Some((staged, written)) = result.staged.filter(|_| write) {
            match staged.publish(target.existing) {
                Ok(_) => {
                    report.files = report.files.saturating_add(written.files);
                    report.digests = report.digests.saturating_add(written.digests);
                    report.lists.push(written);
                }
                Err(e) => errors.push(e),
            }
        }
    }
    sync_dir(&target.dir)?;
    Ok(Outcome { report, errors })
}

fn one_package(
    root: &Root,
    package: &Package,
    paths: &[PackagePath],
    options: &DpkgOptions,
    target: &Target,
    progress: &ProgressBar,
) -> Result<PackageResult, Error> {
    let name = format!(
        "{}_{}_{}",
        package.name, package.version, package.architecture
    );
    let file_name = tlv_name(None, &name)?;
    target.existing.check(&target.dir.join(&file_name))?;

    // MD5 is what the database records; it is computed in the same pass, last.
    let mut algos = target.algos.clone();
    algos.push(HashAlgo::Md5);
    let on_disk: Vec<_> = paths.iter().map(|path| path.path.clone()).collect();
    let hashed = hash_all(root, &on_disk, &algos, options.selection, progress);

    let mut result = PackageResult::default();
    let mut entries = Vec::new();
    for (path, hashed) in paths.iter().zip(hashed) {
        let file = || PackageFile {
            package: package.display_name(),
            path: for_display(&path.path),
        };
        let digests = match hashed {
            Err(e) => {
                result.errors.push(e);
                continue;
            }
            Ok(Hashed::NotSelected) => continue,
            Ok(Hashed::Missing) => {
                result.missing.push(file());
                continue;
            }
            Ok(Hashed::Other(what)) => {
                // Directories and links are no news, unless dpkg unpacked a
                // regular file there.
                if matches!(path.recorded, Recorded::Packaged(_)) {
                    result.errors.push(Error::new(
                        root.host_path(&path.path),
                        format!(
                            "is {what}, but a regular file in package {}",
                            package.display_name()
                        ),
                        "reinstall the package",
                    ));
                }
                continue;
            }
            Ok(Hashed::Digests(digests)) => digests,
        };
        let md5 = digests.last().map(|digest| &digest[..]).unwrap_or_default();
        match path.recorded {
            Recorded::Packaged(expected) if md5 != expected => {
                result.errors.push(Error::new(
                    root.host_path(&path.path),
                    format!(
                        "differs from package {} (MD5 {}, packaged {})",
                        package.display_name(),
                        hex(md5),
                        hex(&expected)
                    ),
                    "reinstall the package or find out who changed the file",
                ));
                continue;
            }
            Recorded::Conffile(expected) if md5 != expected => {
                result.changed_conffiles.push(file());
                if options.changed_conffiles == ChangedConffiles::Skip {
                    continue;
                }
            }
            Recorded::Packaged(_) | Recorded::Conffile(_) => {}
            Recorded::Nothing => result.unchecked.push(file()),
        }
        if path.diverted {
            result.diverted.push(file());
        }
        entries.push(FileEntry {
            path: path.path.clone(),
            digests,
        });
    }
    if !result.errors.is_empty() {
        return Ok(result);
    }
    if entries.is_empty() {
        result.empty = true;
        return Ok(result);
    }
    let staged = writer::stage(&target.dir, &file_name, &target.algos, &entries)?;
    let written = WrittenList::new(staged.target(), entries.len(), &target.algos);
    result.staged = Some((staged, written));
    Ok(result)
}
