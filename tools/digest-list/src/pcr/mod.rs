// SPDX-License-Identifier: GPL-2.0-only
//! The value that a register of a TPM (PCR) has after IMA measured the lists of a
//! directory, without the kernel's help.
//!
//! Every step is the kernel's: which lists it reads, in which order ([`directory`]),
//! what IMA takes from a list besides its content ([`attributes`], [`modsig`]),
//! which bytes it hashes ([`template`]), and how they get into the PCR (here).
//! [`log`] tells where a measurement list differs from what was predicted.

pub mod attributes;
pub mod directory;
pub mod log;
pub mod modsig;
pub mod template;

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use digest_list_formats::parsers::algo::HashAlgo;
use indicatif::ProgressBar;
use rayon::prelude::*;
use serde::Serialize;

use crate::bytes::{for_display, hex};
use crate::error::{Error, Outcome};
use crate::hash::{digest_of, Unsupported};

use attributes::Attributes;
use directory::{Directory, LeftOut, List};
use template::{Entry, Event, Template};

/// Where the kernel looks for lists unless it is told otherwise
/// (`CONFIG_DIGEST_LIST_DEFAULT_PATH`).
pub const DEFAULT_PATH: &str = "/etc/digest_lists";

/// The PCR that the kernel's built-in policy measures lists into.
pub const DEFAULT_PCR: u32 = 12;

/// The algorithms of TPM banks, and of IMA's own digests, that are predicted.
pub const ALGOS: [HashAlgo; 4] = [
    HashAlgo::Sha1,
    HashAlgo::Sha256,
    HashAlgo::Sha384,
    HashAlgo::Sha512,
];

/// How the kernel is set up.
pub struct PcrOptions {
    /// What `ima_hash=` says.
    pub hash: HashAlgo,
    /// The directory's path as the kernel sees it.
    pub path: PathBuf,
    /// What `ima_template=` or `template=` of the rule says.
    pub template: Template,
    /// Whether a rule lets lists be appraised by appended signatures; IMA reads
    /// these only then.
    pub modsig: bool,
    /// Formats of parsers from modules.
    pub formats: Vec<String>,
    /// The banks of the TPM.
    pub banks: Vec<HashAlgo>,
    /// The PCR, which the value does not depend on.
    pub pcr: u32,
    /// The last list that is read; none: all are.
    pub last: Option<Vec<u8>>,
}

/// What the PCR will be, and why.
#[derive(Debug, Serialize)]
pub struct Prediction {
    /// The PCR.
    pub pcr: u32,
    /// The template of all measurements.
    pub template: &'static str,
    /// The value in each bank.
    pub banks: Vec<Bank>,
    /// What is extended into the PCR, in this order.
    pub measurements: Vec<Measurement>,
    /// Lists that are measured like an earlier one, which IMA does not do twice.
    pub repeated: Vec<String>,
    /// Names in the directory that are never measured.
    pub left_out: Vec<LeftOut>,
    /// Lists whose order is the file system's.
    pub unordered: Vec<String>,
}

/// The PCR of one bank.
#[derive(Debug, Serialize)]
pub struct Bank {
    /// The algorithm of the bank.
    pub bank: &'static str,
    /// The value in hexadecimal.
    pub value: String,
}

/// One entry of IMA's measurement list.
#[derive(Debug, Serialize)]
pub struct Measurement {
    /// The list's file name.
    pub list: String,
    /// The entry's path, for display.
    pub path: String,
    /// The bytes that are hashed, in hexadecimal.
    pub template_data: String,
    /// The entry's line in `ascii_runtime_measurements`.
    pub line: String,
    /// All of it.
    #[serde(skip)]
    pub entry: Entry,
}

impl Measurement {
    fn new(list: &List, entry: Entry, pcr: u32) -> Result<Self, Unsupported> {
        Ok(Self {
            list: for_display(&list.name),
            path: for_display(entry.path()),
            template_data: hex(&entry.data()),
            line: for_display(&entry.line(pcr, log::DEFAULT_ALGO)?),
            entry,
        })
    }
}

/// Predicts the PCR from the lists in `dir`. If one of them cannot be read, or not
/// be predicted, nothing is.
pub fn predict(
    dir: &Path,
    options: &PcrOptions,
    progress: &ProgressBar,
) -> Result<Outcome<Option<Prediction>>, Error> {
    let mut directory = Directory::read(dir, &options.formats)?;
    let unordered = directory.end_with(options.last.as_deref())?;

    progress.set_length(u64::try_from(directory.lists.len()).unwrap_or(u64::MAX));
    let entries: Vec<_> = directory
        .lists
        .par_iter()
        .map(|list| {
            let entry = measure(list, options);
            progress.inc(1);
            entry
        })
        .collect();

    let mut measured = Vec::new();
    let mut errors = Vec::new();
    for (list, entry) in directory.lists.iter().zip(entries) {
        match entry {
            Ok(entry) => measured.push((list, entry)),
            Err(e) => errors.push(e),
        }
    }
    let report = if errors.is_empty() {
        let unsupported = |e: Unsupported| {
            Error::about(
                e.0.name(),
                e.to_string(),
                "choose sha1, sha256, sha384 or sha512",
            )
        };
        let mut prediction = extend_all(measured, options).map_err(unsupported)?;
        prediction.left_out = directory.left_out;
        prediction.unordered = unordered;
        Some(prediction)
    } else {
        None
    };
    Ok(Outcome { report, errors })
}

/// What IMA measures of a list (`process_measurement()`).
fn measure(list: &List, options: &PcrOptions) -> Result<Entry, Error> {
    let (file, data) = list.read()?;
    let attributes = Attributes::read(&file, &list.path)?;
    let algo = attributes.hash_algo().unwrap_or(options.hash);
    let digest = digest_of(algo, &[&data]).map_err(|e| {
        Error::new(
            &list.path,
            format!("its security.ima asks for another digest: {e}"),
            "sign it with another algorithm",
        )
    })?;
    let modsig = if options.modsig && options.template.has_modsig() {
        modsig::read(&data).map_err(|e| {
            Error::new(
                &list.path,
                e.to_string(),
                "sign it with digest-list sign or the kernel's sign-file",
            )
        })?
    } else {
        None
    };
    let path = options
        .path
        .join(std::ffi::OsStr::from_bytes(&list.name))
        .into_os_string();
    Ok(options.template.entry(&Event {
        algo,
        digest: &digest,
        path: path.as_bytes(),
        signature: attributes.signature(),
        modsig: modsig.as_ref(),
    }))
}

/// Extends each bank, which is zero at first, by the measurements
/// (`ima_add_template_entry()`).
fn extend_all(
    measured: Vec<(&List, Entry)>,
    options: &PcrOptions,
) -> Result<Prediction, Unsupported> {
    let mut known = HashSet::new();
    let mut measurements = Vec::new();
    let mut repeated = Vec::new();
    for (list, entry) in measured {
        // IMA compares the digests of these, in the same PCR.
        if known.insert(entry.data()) {
            measurements.push(Measurement::new(list, entry, options.pcr)?);
        } else {
            repeated.push(for_display(&list.name));
        }
    }
    let banks = options
        .banks
        .iter()
        .map(|&bank| {
            Ok(Bank {
                bank: bank.name(),
                value: hex(&extend(bank, &measurements)?),
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Prediction {
        pcr: options.pcr,
        template: options.template.name(),
        banks,
        measurements,
        repeated,
        left_out: Vec::new(),
        unordered: Vec::new(),
    })
}

fn extend(bank: HashAlgo, measurements: &[Measurement]) -> Result<Box<[u8]>, Unsupported> {
    let zero = vec![0; bank.digest_size()].into_boxed_slice();
    measurements.iter().try_fold(zero, |value, measurement| {
        digest_of(bank, &[&value, &measurement.entry.digest(bank)?])
    })
}

/// Parses the name of an algorithm of [`ALGOS`] for the command line.
pub fn parse_algo(name: &str) -> Result<HashAlgo, String> {
    ALGOS
        .into_iter()
        .find(|algo| algo.name() == name)
        .ok_or_else(|| "choose from sha1, sha256, sha384, sha512".to_owned())
}
