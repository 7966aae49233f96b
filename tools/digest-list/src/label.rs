// SPDX-License-Identifier: GPL-2.0-only
//! Attaching files to their lists: the extended attributes that the kernel reads.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use rayon::prelude::*;
use rustix::fs::{fgetxattr, fremovexattr, fsetxattr, XattrFlags};
use rustix::io::Errno;
use serde::Serialize;

use crate::bytes::for_display;
use crate::error::{Error, Outcome};
use crate::files::hash_file;
use crate::list::{check_name, entry_path, DigestSet, ListFile};
use crate::root::{FileId, Kind, Lookup, Root};

/// Names the list of a file.
pub const XATTR_DIGEST_LIST: &str = "security.digest_list";

/// Turns prefetching on for a directory of lists.
pub const XATTR_DIG_PREFETCH: &str = "security.dig_prefetch";

/// The value of [`XATTR_DIG_PREFETCH`].
const PREFETCH_ON: &[u8] = b"1";

/// The longest value that the kernel takes: NAME_MAX and a NUL.
const MAX_VALUE: usize = 256;

/// What has been done.
#[derive(Debug, Default, Serialize)]
pub struct LabelReport {
    /// Files whose attribute was set or, on removal, taken away.
    pub changed: u64,
    /// Files whose attribute was right already.
    pub unchanged: u64,
    /// Listed paths that are not regular files on disk.
    pub skipped: Vec<String>,
    /// Files that several lists name.
    pub shared: Vec<SharedFile>,
}

/// A file that several lists name. The first of them, in the order in which the
/// kernel asks lists, that holds the digest of the file as it is on disk gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedFile {
    /// Path inside the root.
    pub path: String,
    /// The list that was chosen.
    pub list: String,
    /// The other lists that name the file.
    pub others: Vec<String>,
}

/// Whether an attribute had to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Made,
    Unneeded,
}

impl LabelReport {
    fn count(&mut self, change: Change) {
        let counter = match change {
            Change::Made => &mut self.changed,
            Change::Unneeded => &mut self.unchanged,
        };
        *counter = counter.saturating_add(1);
    }
}

/// Reads an attribute; `None` if it is not set.
pub fn read_attribute(file: impl AsFd, name: &str) -> rustix::io::Result<Option<Vec<u8>>> {
    read_value(file, name, MAX_VALUE)
}

/// Reads an attribute whose value has at most `max` bytes.
pub(crate) fn read_value(
    file: impl AsFd,
    name: &str,
    max: usize,
) -> rustix::io::Result<Option<Vec<u8>>> {
    let mut value = vec![0; max];
    match fgetxattr(file, name, &mut value) {
        Ok(len) => {
            value.truncate(len);
            Ok(Some(value))
        }
        Err(Errno::NODATA) => Ok(None),
        Err(e) => Err(e),
    }
}

fn set(file: impl AsFd, name: &str, value: &[u8], path: &Path) -> Result<Change, Error> {
    // An attribute that is right already is left alone: a write would change the
    // file's ctime and void what the kernel knows about the file.
    let current = match read_attribute(&file, name) {
        Err(Errno::RANGE) => None,
        result => result.map_err(|e| attribute_error(path, "read", name, e))?,
    };
    if current.as_deref() == Some(value) {
        return Ok(Change::Unneeded);
    }
    fsetxattr(&file, name, value, XattrFlags::empty())
        .map_err(|e| attribute_error(path, "set", name, e))?;
    Ok(Change::Made)
}

fn remove(file: impl AsFd, name: &str, path: &Path) -> Result<Change, Error> {
    match fremovexattr(file, name) {
        Ok(()) => Ok(Change::Made),
        Err(Errno::NODATA) => Ok(Change::Unneeded),
        Err(e) => Err(attribute_error(path, "remove", name, e)),
    }
}

fn attribute_error(path: &Path, doing: &str, name: &str, errno: Errno) -> Error {
    let advice = match errno {
        Errno::PERM | Errno::ACCESS => "run as root in the initial user namespace",
        Errno::OPNOTSUPP => "use a file system with security attributes, such as ext4",
        _ => "check the file and its file system",
    };
    let io = std::io::Error::from(errno);
    let Error { subject, what, .. } = Error::io(path, &format!("{doing} {name}"), &io);
    Error {
        subject,
        what,
        advice: advice.to_owned(),
    }
}

/// Turns prefetching on for directories of lists inside the root.
pub fn set_prefetch(root: &Root, dirs: &[PathBuf]) -> Result<LabelReport, Error> {
    use std::os::unix::ffi::OsStrExt;
    let mut report = LabelReport::default();
    for dir in dirs {
        let path = dir.as_os_str().as_bytes();
        let fd = root.open_dir(path)?;
        report.count(set(
            fd,
            XATTR_DIG_PREFETCH,
            PREFETCH_ON,
            &root.host_path(path),
        )?);
    }
    Ok(report)
}

/// What is done to files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// They are attached to the list of this name.
    Attach(&'a str),
    /// They are detached from any list.
    Detach,
}

/// Attaches or detaches files, given by their paths inside the root.
pub fn label_files(
    root: &Root,
    paths: &[Vec<u8>],
    action: Action<'_>,
    progress: &ProgressBar,
) -> Result<Outcome<LabelReport>, Error> {
    if let Action::Attach(name) = action {
        check_name(name)?;
    }
    progress.set_length(u64::try_from(paths.len()).unwrap_or(u64::MAX));
    let results: Vec<_> = paths
        .par_iter()
        .map(|path| {
            let result = label_one(root, path, action);
            progress.inc(1);
            result
        })
        .collect();
    let mut outcome = Outcome {
        report: LabelReport::default(),
        errors: Vec::new(),
    };
    for (path, result) in paths.iter().zip(results) {
        match result {
            Ok(Some(change)) => outcome.report.count(change),
            Ok(None) => outcome.report.skipped.push(for_display(path)),
            Err(e) => outcome.errors.push(e),
        }
    }
    Ok(outcome)
}

/// `None` if it is not a regular file.
fn label_one(root: &Root, path: &[u8], action: Action<'_>) -> Result<Option<Change>, Error> {
    let Lookup::Regular(file) = root.lookup(path)? else {
        return Ok(None);
    };
    let host_path = root.host_path(path);
    match action {
        Action::Attach(name) => set(file, XATTR_DIGEST_LIST, name.as_bytes(), &host_path),
        Action::Detach => remove(file, XATTR_DIGEST_LIST, &host_path),
    }
    .map(Some)
}

/// A list and the files that it names.
struct Claims {
    name: String,
    path: PathBuf,
    files: Vec<(FileId, Vec<u8>)>,
    skipped: Vec<Vec<u8>>,
    errors: Vec<Error>,
}

/// Attaches (or with `detach` detaches) the files that the lists name. Bad lists
/// are refused before any file is touched.
pub fn label_lists(
    root: &Root,
    lists: &[PathBuf],
    detach: bool,
    progress: &ProgressBar,
) -> Result<Outcome<LabelReport>, Error> {
    let claims: Vec<Claims> = lists
        .par_iter()
        .map(|list| claims_of(root, list))
        .collect::<Result<_, _>>()?;
    let mut outcome = Outcome {
        report: LabelReport::default(),
        errors: Vec::new(),
    };
    let mut claimed: HashMap<FileId, Vec<(usize, &[u8])>> = HashMap::new();
    for (position, claim) in claims.iter().enumerate() {
        outcome.errors.extend(claim.errors.iter().cloned());
        outcome
            .report
            .skipped
            .extend(claim.skipped.iter().map(|path| for_display(path)));
        for (id, path) in &claim.files {
            let claimants = claimed.entry(*id).or_default();
            if claimants.last().is_none_or(|&(last, _)| last != position) {
                claimants.push((position, path));
            }
        }
    }
    let sets = digest_sets(&claims, &claimed, detach)?;
    // By path, so that messages come in the same order each time.
    let mut files: Vec<_> = claimed.into_values().collect();
    files.sort_unstable_by_key(|claimants| claimants.first().map(|&(_, path)| path));

    progress.set_length(u64::try_from(files.len()).unwrap_or(u64::MAX));
    let results: Vec<_> = files
        .par_iter()
        .map(|claimants| {
            let result = label_claimed(root, claimants, &claims, &sets, detach);
            progress.inc(1);
            result
        })
        .collect();
    for (claimants, result) in files.iter().zip(results) {
        match result {
            Ok((Some(change), shared)) => {
                outcome.report.count(change);
                outcome.report.shared.extend(shared);
            }
            Ok((None, _)) => outcome
                .report
                .skipped
                .extend(claimants.first().map(|(_, path)| for_display(path))),
            Err(e) => outcome.errors.push(e),
        }
    }
    Ok(outcome)
}

fn claims_of(root: &Root, list: &Path) -> Result<Claims, Error> {
    let file = ListFile::read(list)?;
    let parsed = file.parse()?;
    let mut paths = BTreeSet::new();
    parsed.list.for_each(|entry| {
        paths.extend(entry_path(&entry));
        Ok::<_, Error>(())
    })?;
    let mut claims = Claims {
        // A name that is not UTF-8 could be attached, but reports could not
        // tell it.
        name: String::from_utf8(file.name().to_vec())
            .map_err(|_| Error::new(list, "has a name that is not UTF-8", "rename the list"))?,
        path: list.to_owned(),
        files: Vec::new(),
        skipped: Vec::new(),
        errors: Vec::new(),
    };
    check_name(&claims.name)?;
    for path in paths {
        match root.stat(&path) {
            Ok(Kind::Regular(id)) => claims.files.push((id, path)),
            Ok(Kind::Missing | Kind::Other(_)) => claims.skipped.push(path),
            Err(e) => claims.errors.push(e),
        }
    }
    Ok(claims)
}

/// The digests of those lists that share files with others.
fn digest_sets(
    claims: &[Claims],
    claimed: &HashMap<FileId, Vec<(usize, &[u8])>>,
    detach: bool,
) -> Result<BTreeMap<usize, DigestSet>, Error> {
    if detach {
        return Ok(BTreeMap::new());
    }
    let sharing: BTreeSet<usize> = claimed
        .values()
        .filter(|claimants| claimants.len() > 1)
        .flatten()
        .map(|&(position, _)| position)
        .collect();
    sharing
        .into_iter()
        .filter_map(|position| Some((position, claims.get(position)?)))
        .map(|(position, claim)| {
            let file = ListFile::read(&claim.path)?;
            let set = DigestSet::new(&file.parse()?);
            Ok((position, set))
        })
        .collect()
}

fn label_claimed(
    root: &Root,
    claimants: &[(usize, &[u8])],
    claims: &[Claims],
    sets: &BTreeMap<usize, DigestSet>,
    detach: bool,
) -> Result<(Option<Change>, Option<SharedFile>), Error> {
    let name_of = |position: usize| claims.get(position).map_or("", |claim| claim.name.as_str());
    let Some(&(first, path)) = claimants.first() else {
        return Ok((None, None));
    };
    if detach {
        return Ok((label_one(root, path, Action::Detach)?, None));
    }
    if claimants.len() == 1 {
        return Ok((label_one(root, path, Action::Attach(name_of(first)))?, None));
    }
    let Lookup::Regular(file) = root.lookup(path)? else {
        return Ok((None, None));
    };
    let host_path = root.host_path(path);
    let algos: BTreeSet<_> = claimants
        .iter()
        .filter_map(|(position, _)| sets.get(position))
        .flat_map(DigestSet::algos)
        .map(|algo| algo.raw())
        .collect();
    let algos: Vec<_> = algos
        .into_iter()
        .filter_map(|raw| digest_list_formats::parsers::algo::HashAlgo::from_raw(raw.into()))
        .collect();
    let digests = hash_file(file, &host_path, &algos)?;
    let chosen = claimants
        .iter()
        .map(|&(position, _)| position)
        .find(|position| {
            sets.get(position).is_some_and(|set| {
                algos
                    .iter()
                    .zip(&digests)
                    .any(|(&algo, digest)| set.contains(algo, digest))
            })
        });
    let names = |skip: Option<usize>| {
        claimants
            .iter()
            .filter(|(position, _)| Some(*position) != skip)
            .map(|&(position, _)| name_of(position).to_owned())
            .collect::<Vec<_>>()
    };
    let Some(chosen) = chosen else {
        return Err(Error::new(
            &host_path,
            format!(
                "is named by {}, and none of them holds its digest",
                names(None).join(" and ")
            ),
            "generate the lists again",
        ));
    };
    let change = label_one(root, path, Action::Attach(name_of(chosen)))?;
    let shared = SharedFile {
        path: for_display(path),
        list: name_of(chosen).to_owned(),
        others: names(Some(chosen)),
    };
    Ok((change, Some(shared)))
}
