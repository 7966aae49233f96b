// SPDX-License-Identifier: GPL-2.0-only
//! Where IMA's measurement list, as text, differs from what was predicted.

use std::path::Path;

use digest_list_formats::parsers::algo::HashAlgo;

use super::{Measurement, Prediction, ALGOS};
use crate::bytes::for_display;
use crate::error::Error;
use crate::hash::Unsupported;

/// The algorithm of the template digests in `ascii_runtime_measurements`; there is
/// a file of another name for each bank of the TPM.
pub const DEFAULT_ALGO: HashAlgo = HashAlgo::Sha1;

const ADVICE: &str = "find out what was measured, or give the options that the kernel has";

/// An entry of the measurement list.
struct Record {
    /// Number of its line.
    line: usize,
    pcr: u32,
    /// The algorithm that has template digests of the size of this one.
    algo: Option<HashAlgo>,
    text: Vec<u8>,
}

impl Prediction {
    /// Compares with a saved `ascii_runtime_measurements`, or one of a bank: the
    /// entries of the PCR must be those predicted and no others.
    pub fn compare(&self, path: &Path) -> Result<(), Error> {
        let text = std::fs::read(path).map_err(|e| Error::io(path, "read", &e))?;
        self.first_difference(&text)
            .map_err(|e| Error::new(path, e.to_string(), "compare with the file of another bank"))?
            .map_or(Ok(()), |what| Err(Error::new(path, what, ADVICE)))
    }

    fn first_difference(&self, text: &[u8]) -> Result<Option<String>, Unsupported> {
        let records = match records(text) {
            Ok(records) => records,
            Err(line) => {
                return Ok(Some(format!(
                    "line {line} is no entry of a measurement list"
                )))
            }
        };
        let mut found = records.iter().filter(|record| record.pcr == self.pcr);
        for (position, expected) in self.measurements.iter().enumerate() {
            let place = format!("entry {} of PCR {}", position.saturating_add(1), self.pcr);
            let Some(record) = found.next() else {
                return Ok(Some(format!(
                    "ends before {place}, which is {}",
                    expected.path
                )));
            };
            if let Some(what) = difference(record, expected, self.pcr)? {
                return Ok(Some(format!("line {} ({place}) {what}", record.line)));
            }
        }
        Ok(found.next().map(|record| {
            format!(
                "line {} has an entry of PCR {} after the last one predicted: {}",
                record.line,
                self.pcr,
                for_display(field(&record.text, PATH))
            )
        }))
    }
}

/// Takes the text apart. What does not begin like an entry belongs to the one
/// before: names of files may have line feeds.
fn records(text: &[u8]) -> Result<Vec<Record>, usize> {
    let mut records: Vec<Record> = Vec::new();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    for (position, line) in text.split(|&b| b == b'\n').enumerate() {
        let number = position.saturating_add(1);
        match (start(line), records.last_mut()) {
            (Some((pcr, algo)), _) => records.push(Record {
                line: number,
                pcr,
                algo,
                text: line.to_vec(),
            }),
            (None, Some(record)) => {
                record.text.push(b'\n');
                record.text.extend_from_slice(line);
            }
            // Nothing was measured.
            (None, None) if text.is_empty() => {}
            (None, None) => return Err(number),
        }
    }
    Ok(records)
}

/// The PCR and the template digest's algorithm, if an entry begins here.
fn start(line: &[u8]) -> Option<(u32, Option<HashAlgo>)> {
    let mut fields = line.trim_ascii_start().splitn(3, |&b| b == b' ');
    let pcr = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let digest = fields.next()?;
    fields.next()?;
    if digest.is_empty() || !digest.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let algo = ALGOS
        .into_iter()
        .find(|algo| algo.digest_size().saturating_mul(2) == digest.len());
    Some((pcr, algo))
}

// Fields of a line.
const DIGEST: usize = 1;
const TEMPLATE: usize = 2;
const FIRST_OF_TEMPLATE: usize = 3;
const PATH: usize = 4;

/// No field but the last has a space in it.
fn field(line: &[u8], number: usize) -> &[u8] {
    line.trim_ascii_start()
        .split(|&b| b == b' ')
        .nth(number)
        .unwrap_or_default()
}

/// What is different from the expected entry, if anything is.
fn difference(
    record: &Record,
    expected: &Measurement,
    pcr: u32,
) -> Result<Option<String>, Unsupported> {
    let Some(algo) = record.algo else {
        return Ok(Some(
            "has a template digest of an algorithm that is not predicted".to_owned(),
        ));
    };
    let line = expected.entry.line(pcr, algo)?;
    if line == record.text {
        return Ok(None);
    }
    let show = |line: &[u8], number| for_display(field(line, number));
    let differs = |number: &usize| field(&record.text, *number) != field(&line, *number);
    let name = &expected.path;
    Ok(Some(if differs(&TEMPLATE) {
        format!(
            "has the template {}, not {}",
            show(&record.text, TEMPLATE),
            show(&line, TEMPLATE)
        )
    } else if differs(&PATH) {
        format!("is about {}, not {name}", show(&record.text, PATH))
    } else if differs(&FIRST_OF_TEMPLATE) {
        format!(
            "has {} for {name}, not {}",
            show(&record.text, FIRST_OF_TEMPLATE),
            show(&line, FIRST_OF_TEMPLATE)
        )
    } else {
        let fields = expected.entry.template().fields();
        let other = fields
            .iter()
            .zip(FIRST_OF_TEMPLATE..)
            .find_map(|(field, number)| differs(&number).then(|| field.name()));
        match other {
            Some(other) => format!("has another {other} for {name}"),
            None if differs(&DIGEST) => {
                format!("has a template digest for {name} that does not fit its fields")
            }
            None => format!("has more or fewer fields for {name}"),
        }
    }))
}
