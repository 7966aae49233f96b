// SPDX-License-Identifier: GPL-2.0-only
//! Telling what is in lists: text for people, one JSON object a list for
//! programs. Entries are written as they are read, whatever their number.

use std::io::{self, Write};
use std::path::Path;

use digest_list_formats::parsers::algo::DigestType;
use digest_list_formats::parsers::{Entry, List};
use serde::ser::{Error as _, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::bytes::{for_display, hex, path_for_display};
use crate::error::Error;
use crate::list::{entry_path, ListFile, Parsed};
use crate::signature::{self, SignerInfo};

/// What is shown of a list.
pub struct Summary<'a> {
    parsed: Parsed<'a>,
    head: Head,
}

/// The part that does not grow with the list.
#[derive(Serialize)]
struct Head {
    file: String,
    name: String,
    seq: Option<u32>,
    format: &'static str,
    bytes: usize,
    content_bytes: usize,
    digests: u64,
    tables: Vec<Table>,
    signature: Option<SignatureInfo>,
}

/// Digests of one kind.
#[derive(Serialize)]
struct Table {
    algo: &'static str,
    #[serde(rename = "type")]
    digest_type: &'static str,
    digests: u32,
}

#[derive(Serialize)]
struct SignatureInfo {
    #[serde(rename = "type")]
    kind: &'static str,
    bytes: usize,
    signers: Vec<SignerInfo>,
}

/// The word for a digest type.
fn type_name(digest_type: DigestType) -> &'static str {
    match digest_type {
        DigestType::FileData => "data",
        DigestType::FsVerity => "fsverity",
    }
}

impl<'a> Summary<'a> {
    /// Checks the list and its signature's form (not who made it).
    pub fn new(file: &'a ListFile) -> Result<Self, Error> {
        let parsed = file.parse()?;
        let signature = parsed
            .signature
            .as_ref()
            .map(|signature| {
                let signers = signature::signers(signature)
                    .map_err(|e| Error::new(file.path(), e.to_string(), "sign the list anew"))?;
                Ok(SignatureInfo {
                    kind: "pkcs7",
                    bytes: signature.data.len(),
                    signers,
                })
            })
            .transpose()?;
        let tables = tables(&parsed.list);
        Ok(Self {
            head: Head {
                file: path_for_display(file.path()),
                name: for_display(parsed.name.name),
                seq: parsed.name.seq,
                format: parsed.format.name(),
                bytes: file.data().len(),
                content_bytes: parsed.content.len(),
                digests: parsed.list.counts().total(),
                tables,
                signature,
            },
            parsed,
        })
    }

    /// Text: a block a list, with `entries` a line a digest.
    pub fn write_text(&self, out: &mut dyn Write, entries: bool) -> io::Result<()> {
        let head = &self.head;
        writeln!(out, "{}", head.file)?;
        writeln!(out, "  name:      {}", head.name)?;
        if let Some(seq) = head.seq {
            writeln!(out, "  number:    {seq}")?;
        }
        writeln!(out, "  format:    {}", head.format)?;
        writeln!(
            out,
            "  size:      {} bytes, {} of them content",
            head.bytes, head.content_bytes
        )?;
        writeln!(out, "  digests:   {}", head.digests)?;
        for table in &head.tables {
            writeln!(
                out,
                "             {} {} ({})",
                table.digests, table.algo, table.digest_type
            )?;
        }
        match &head.signature {
            None => writeln!(out, "  signature: none")?,
            Some(signature) => {
                for signer in &signature.signers {
                    writeln!(
                        out,
                        "  signature: by {signer} ({} with {}), not verified",
                        signer.algorithm, signer.digest
                    )?;
                }
            }
        }
        if entries {
            self.parsed
                .list
                .for_each(|entry| write_entry(out, &entry))?;
        }
        Ok(())
    }

    /// JSON: one object on one line, with `entries` all digests in it.
    pub fn write_json(&self, out: &mut dyn Write, entries: bool) -> io::Result<()> {
        #[derive(Serialize)]
        struct Whole<'s> {
            #[serde(flatten)]
            head: &'s Head,
            #[serde(skip_serializing_if = "Option::is_none")]
            entries: Option<Entries<'s>>,
        }
        let whole = Whole {
            head: &self.head,
            entries: entries.then_some(Entries(&self.parsed)),
        };
        serde_json::to_writer(&mut *out, &whole)?;
        writeln!(out)
    }
}

/// Reads and shows one list.
pub fn show(path: &Path, out: &mut dyn Write, json: bool, entries: bool) -> Result<(), ShowError> {
    let file = ListFile::read(path)?;
    let summary = Summary::new(&file)?;
    if json {
        summary.write_json(out, entries)
    } else {
        summary.write_text(out, entries)
    }
    .map_err(ShowError::Output)
}

/// Why a list was not shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The list is at fault.
    #[error(transparent)]
    List(#[from] Error),
    /// The output is at fault; a closed pipe is the reader's choice.
    #[error("standard output: cannot write: {0}; check where it goes")]
    Output(io::Error),
}

fn tables(list: &List<'_>) -> Vec<Table> {
    list.counts()
        .iter_nonzero()
        .map(|(algo, digest_type, digests)| Table {
            algo: algo.name(),
            digest_type: type_name(digest_type),
            digests,
        })
        .collect()
}

fn write_entry(out: &mut dyn Write, entry: &Entry<'_>) -> io::Result<()> {
    let verity = match entry.digest_type {
        DigestType::FileData => "",
        DigestType::FsVerity => "fsverity:",
    };
    write!(out, "{verity}{}:{}", entry.algo.name(), hex(entry.digest))?;
    match entry_path(entry) {
        Some(path) => writeln!(out, "  {}", for_display(&path)),
        None => writeln!(out),
    }
}

struct Entries<'s>(&'s Parsed<'s>);

/// `path` is readable, and exact if `path_hex` is absent: a path that is not
/// UTF-8 cannot be a JSON string.
#[derive(Serialize)]
struct JsonEntry {
    algo: &'static str,
    #[serde(rename = "type")]
    digest_type: &'static str,
    digest: String,
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let len = usize::try_from(self.0.list.counts().total()).map_err(S::Error::custom)?;
        let mut sequence = serializer.serialize_seq(Some(len))?;
        self.0.list.for_each(|entry| {
            let path = entry_path(&entry);
            let text = path.as_deref().map(String::from_utf8_lossy);
            let exact = path
                .as_deref()
                .is_none_or(|path| std::str::from_utf8(path).is_ok());
            sequence.serialize_element(&JsonEntry {
                algo: entry.algo.name(),
                digest_type: type_name(entry.digest_type),
                digest: hex(entry.digest),
                path: text.map(|text| text.into_owned()),
                path_hex: path.filter(|_| !exact).map(|path| hex(&path)),
            })
        })?;
        sequence.end()
    }
}
