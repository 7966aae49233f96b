// SPDX-License-Identifier: GPL-2.0-only
//! Checking files against lists, and lists against certificates.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use digest_list_formats::parsers::algo::{DigestType, HashAlgo};
use indicatif::ProgressBar;
use openssl::x509::{X509Ref, X509};
use rayon::prelude::*;
use serde::Serialize;

use crate::bytes::{for_display, hex};
use crate::error::{Error, Outcome};
use crate::files::hash_file;
use crate::hash::SUPPORTED;
use crate::label::{read_attribute, XATTR_DIGEST_LIST};
use crate::list::{entry_path, DigestSet, ListFile, Parsed};
use crate::root::{file_id, FileId, Lookup, Root};
use crate::signature;

/// What is checked.
pub struct VerifyOptions {
    /// Certificates one of which must have signed each list; none: signatures do
    /// not count.
    pub certificates: Vec<X509>,
    /// Listed files that do not exist are counted, not failures.
    pub ignore_missing: bool,
    /// `security.digest_list` of each file must name a list that vouches for it.
    pub labels: bool,
}

/// What has been found. Everything that failed is in the outcome's errors.
#[derive(Debug, Default, Serialize)]
pub struct VerifyReport {
    /// Lists that are well formed (and signed, if that was asked for).
    pub lists: u64,
    /// Listed files that are as listed.
    pub good_files: u64,
    /// Listed files that do not exist.
    pub missing: u64,
    /// Digests without a path: there is no file to compare them with.
    pub without_path: u64,
    /// fs-verity digests, which are not computed here.
    pub not_checked: u64,
}

/// A file that was found in a list.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct FoundFile {
    /// The file.
    pub file: String,
    /// The first list that holds its digest.
    pub list: String,
    /// The algorithm of that digest.
    pub algo: String,
}

fn check_signature(path: &Path, parsed: &Parsed<'_>, certificates: &[X509]) -> Result<(), Error> {
    if certificates.is_empty() {
        return Ok(());
    }
    let certificates: Vec<&X509Ref> = certificates.iter().map(AsRef::as_ref).collect();
    match &parsed.signature {
        None => Err(Error::new(
            path,
            "is not signed",
            "sign it with digest-list sign",
        )),
        Some(signature) => {
            signature::verify(signature, parsed.content, &certificates).map_err(|e| {
                Error::new(
                    path,
                    e.to_string(),
                    "sign it anew or find out who changed it",
                )
            })
        }
    }
}

/// What one list says about one path: the digests of each algorithm, any of which
/// the file may have.
type Expected = BTreeMap<u8, Vec<Box<[u8]>>>;

/// What has been found out about one list.
#[derive(Default)]
struct ListResult {
    report: VerifyReport,
    errors: Vec<Error>,
    labels: Vec<LabelSeen>,
}

/// The label of a file that its list vouches for.
struct LabelSeen {
    id: FileId,
    path: PathBuf,
    label: Option<Vec<u8>>,
    right: bool,
    list: String,
}

/// Checks every file that the lists name.
pub fn verify_lists(
    root: &Root,
    lists: &[PathBuf],
    options: &VerifyOptions,
    progress: &ProgressBar,
) -> Outcome<VerifyReport> {
    progress.set_length(0);
    let results: Vec<_> = lists
        .par_iter()
        .map(|list| verify_list(root, list, options, progress))
        .collect();
    let mut outcome = Outcome {
        report: VerifyReport::default(),
        errors: Vec::new(),
    };
    let mut labels = Vec::new();
    for result in results {
        let result = result.unwrap_or_else(|e| ListResult {
            errors: vec![e],
            ..ListResult::default()
        });
        let (sum, part) = (&mut outcome.report, result.report);
        sum.lists = sum.lists.saturating_add(part.lists);
        sum.good_files = sum.good_files.saturating_add(part.good_files);
        sum.missing = sum.missing.saturating_add(part.missing);
        sum.without_path = sum.without_path.saturating_add(part.without_path);
        sum.not_checked = sum.not_checked.saturating_add(part.not_checked);
        outcome.errors.extend(result.errors);
        labels.extend(result.labels);
    }
    outcome.errors.extend(wrong_labels(labels));
    outcome
}

/// A file that several lists vouch for may name any of them.
fn wrong_labels(labels: Vec<LabelSeen>) -> Vec<Error> {
    let mut by_file: HashMap<FileId, Vec<LabelSeen>> = HashMap::new();
    for label in labels {
        by_file.entry(label.id).or_default().push(label);
    }
    let mut wrong: Vec<_> = by_file
        .into_values()
        .filter(|seen| !seen.iter().any(|label| label.right))
        .filter_map(|seen| seen.into_iter().next())
        .collect();
    wrong.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    wrong
        .into_iter()
        .map(|seen| {
            let what = match seen.label {
                None => format!("has no {XATTR_DIGEST_LIST}, its list is {}", seen.list),
                Some(label) => format!(
                    "has {XATTR_DIGEST_LIST} {}, its list is {}",
                    for_display(&label),
                    seen.list
                ),
            };
            Error::new(seen.path, what, "attach it with digest-list label")
        })
        .collect()
}

fn verify_list(
    root: &Root,
    list: &Path,
    options: &VerifyOptions,
    progress: &ProgressBar,
) -> Result<ListResult, Error> {
    let file = ListFile::read(list)?;
    let parsed = file.parse()?;
    check_signature(list, &parsed, &options.certificates)?;

    let mut result = ListResult::default();
    result.report.lists = 1;
    let mut expected: BTreeMap<Vec<u8>, Expected> = BTreeMap::new();
    parsed.list.for_each(|entry| {
        let report = &mut result.report;
        if entry.digest_type != DigestType::FileData {
            report.not_checked = report.not_checked.saturating_add(1);
        } else if let Some(path) = entry_path(&entry) {
            expected
                .entry(path)
                .or_default()
                .entry(entry.algo.raw())
                .or_default()
                .push(Box::from(entry.digest));
        } else {
            report.without_path = report.without_path.saturating_add(1);
        }
        Ok::<_, Error>(())
    })?;
    progress.inc_length(u64::try_from(expected.len()).unwrap_or(u64::MAX));

    let list_name = for_display(file.name());
    let checked: Vec<_> = expected
        .par_iter()
        .map(|(path, expected)| {
            let checked = verify_file(root, path, expected, file.name(), options);
            progress.inc(1);
            (path, checked)
        })
        .collect();
    for (path, checked) in checked {
        match checked {
            Ok(Checked::Good(label)) => {
                result.report.good_files = result.report.good_files.saturating_add(1);
                result.labels.extend(label);
            }
            Ok(Checked::Missing) => {
                result.report.missing = result.report.missing.saturating_add(1);
                if !options.ignore_missing {
                    result.errors.push(Error::new(
                        root.host_path(path),
                        format!("does not exist, but is listed in {list_name}"),
                        "install it or give --ignore-missing",
                    ));
                }
            }
            Err(e) => result.errors.push(e),
        }
    }
    Ok(result)
}

enum Checked {
    Good(Option<LabelSeen>),
    Missing,
}

fn verify_file(
    root: &Root,
    path: &[u8],
    expected: &Expected,
    list_name: &[u8],
    options: &VerifyOptions,
) -> Result<Checked, Error> {
    let host_path = root.host_path(path);
    let list = for_display(list_name);
    let file = match root.lookup(path)? {
        Lookup::Regular(file) => file,
        Lookup::Missing => return Ok(Checked::Missing),
        Lookup::Other(what) => {
            return Err(Error::new(
                &host_path,
                format!("is {what}, but a regular file in {list}"),
                "reinstall it",
            ))
        }
    };
    let algos: Vec<HashAlgo> = SUPPORTED
        .into_iter()
        .filter(|algo| expected.contains_key(&algo.raw()))
        .collect();
    if algos.is_empty() {
        return Err(Error::new(
            &host_path,
            format!("{list} has only digests of it that this tool cannot compute"),
            "use lists with another algorithm",
        ));
    }
    let label = options
        .labels
        .then(|| label_of(&file, &host_path, list_name));
    let digests = hash_file(file, &host_path, &algos)?;
    for (algo, digest) in algos.iter().zip(&digests) {
        let matches = expected
            .get(&algo.raw())
            .is_some_and(|expected| expected.contains(digest));
        if !matches {
            return Err(Error::new(
                &host_path,
                format!("differs from {list} ({} {})", algo.name(), hex(digest)),
                "reinstall it or find out who changed it",
            ));
        }
    }
    label.transpose().map(Checked::Good)
}

fn label_of(file: &File, host_path: &Path, list_name: &[u8]) -> Result<LabelSeen, Error> {
    let doing = format!("read {XATTR_DIGEST_LIST}");
    let label = read_attribute(file, XATTR_DIGEST_LIST)
        .map_err(|e| Error::io(host_path, &doing, &e.into()))?;
    let metadata = file
        .metadata()
        .map_err(|e| Error::io(host_path, "read", &e))?;
    // The kernel tolerates one NUL at the end.
    let right = label
        .as_deref()
        .is_some_and(|label| label.strip_suffix(b"\0").unwrap_or(label) == list_name);
    Ok(LabelSeen {
        id: file_id(&metadata),
        path: host_path.to_owned(),
        label,
        right,
        list: for_display(list_name),
    })
}

/// Checks that each file's digest is in one of the lists, wherever the file is:
/// what the kernel would find when it looks through all of them.
pub fn verify_files(
    lists: &[PathBuf],
    files: &[PathBuf],
    certificates: &[X509],
    progress: &ProgressBar,
) -> Result<Outcome<Vec<FoundFile>>, Error> {
    let sets: Vec<(String, DigestSet)> = lists
        .par_iter()
        .map(|list| {
            let file = ListFile::read(list)?;
            let parsed = file.parse()?;
            check_signature(list, &parsed, certificates)?;
            Ok((for_display(file.name()), DigestSet::new(&parsed)))
        })
        .collect::<Result<_, Error>>()?;
    let algos: Vec<HashAlgo> = SUPPORTED
        .into_iter()
        .filter(|algo| sets.iter().any(|(_, set)| set.algos().contains(algo)))
        .collect();
    progress.set_length(u64::try_from(files.len()).unwrap_or(u64::MAX));
    let results: Vec<_> = files
        .par_iter()
        .map(|path| {
            let found = find_file(path, &algos, &sets);
            progress.inc(1);
            found
        })
        .collect();
    let mut outcome = Outcome {
        report: Vec::new(),
        errors: Vec::new(),
    };
    for result in results {
        match result {
            Ok(found) => outcome.report.push(found),
            Err(e) => outcome.errors.push(e),
        }
    }
    Ok(outcome)
}

fn find_file(
    path: &Path,
    algos: &[HashAlgo],
    sets: &[(String, DigestSet)],
) -> Result<FoundFile, Error> {
    let file = crate::list::open_regular(path)?.0;
    let digests = hash_file(file, path, algos)?;
    sets.iter()
        .find_map(|(list, set)| {
            algos
                .iter()
                .zip(&digests)
                .find(|(&algo, digest)| set.contains(algo, digest))
                .map(|(algo, _)| FoundFile {
                    file: crate::bytes::path_for_display(path),
                    list: list.clone(),
                    algo: algo.name().to_owned(),
                })
        })
        .ok_or_else(|| Error::new(path, "is in none of the lists", "generate a list with it"))
}
