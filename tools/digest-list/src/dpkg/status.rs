// SPDX-License-Identifier: GPL-2.0-only
//! `status`: the packages that dpkg knows, with their conffiles (deb822 stanzas,
//! deb-conffiles(5), dpkg(1) "Package states").

use super::md5sums::parse_md5;
use super::Md5;
use crate::bytes::for_display;

/// Whether a package's files are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All of them: unpacked, configured or not.
    Unpacked,
    /// An unknown part of them: unpacking has begun and has not ended.
    HalfInstalled,
    /// None, or configuration only.
    Absent,
}

/// A configuration file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conffile {
    /// Absolute path as packaged.
    pub path: Vec<u8>,
    /// Digest of the packaged version, once the package is configured.
    pub md5: Option<Md5>,
}

/// A package of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name without architecture.
    pub name: String,
    /// Version with epoch and revision.
    pub version: String,
    /// Architecture, `all` included.
    pub architecture: String,
    /// State of its files.
    pub state: State,
    /// Its configuration files.
    pub conffiles: Vec<Conffile>,
}

impl Package {
    /// The name by which users tell packages of several architectures apart.
    pub fn display_name(&self) -> String {
        format!("{}:{}", self.name, self.architecture)
    }

    /// Whether a user means this package.
    pub fn is_named(&self, name: &str) -> bool {
        name == self.name || name == self.display_name()
    }
}

/// A malformed line: its number, and what is wrong with it.
pub type Malformed = (usize, &'static str);

/// Parses the whole file.
pub fn parse(data: &[u8]) -> Result<Vec<Package>, Malformed> {
    let mut packages = Vec::new();
    let mut stanza = Stanza::default();
    let mut in_conffiles = false;
    let mut last = 0;
    for (number, line) in (1..).zip(data.split(|&b| b == b'\n')) {
        last = number;
        if line.iter().all(u8::is_ascii_whitespace) {
            packages.extend(std::mem::take(&mut stanza).finish(number)?);
            in_conffiles = false;
        } else if line.starts_with(b" ") || line.starts_with(b"\t") {
            if in_conffiles {
                stanza
                    .conffiles
                    .push(conffile(line).map_err(|what| (number, what))?);
            }
        } else {
            let colon = line
                .iter()
                .position(|&b| b == b':')
                .ok_or((number, "not a 'Field: value' line"))?;
            let (field, value) = line.split_at(colon);
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            stanza.any = true;
            in_conffiles = field.eq_ignore_ascii_case(b"Conffiles");
            if let Some(slot) = stanza.slot(field) {
                let text = std::str::from_utf8(value).map_err(|_| (number, "not UTF-8"))?;
                *slot = text.to_owned();
            }
        }
    }
    packages.extend(stanza.finish(last)?);
    Ok(packages)
}

#[derive(Default)]
struct Stanza {
    any: bool,
    name: String,
    version: String,
    architecture: String,
    status: String,
    conffiles: Vec<Conffile>,
}

impl Stanza {
    fn slot(&mut self, field: &[u8]) -> Option<&mut String> {
        match field.to_ascii_lowercase().as_slice() {
            b"package" => Some(&mut self.name),
            b"version" => Some(&mut self.version),
            b"architecture" => Some(&mut self.architecture),
            b"status" => Some(&mut self.status),
            _ => None,
        }
    }

    fn finish(self, number: usize) -> Result<Option<Package>, Malformed> {
        if !self.any {
            return Ok(None);
        }
        // "want flag state"; a stanza without a status describes no package here.
        let state = match self.status.split_ascii_whitespace().nth(2) {
            Some(
                "installed" | "unpacked" | "half-configured" | "triggers-awaited"
                | "triggers-pending",
            ) => State::Unpacked,
            Some("half-installed") => State::HalfInstalled,
            Some("not-installed" | "config-files") | None => State::Absent,
            Some(_) => return Err((number, "unknown package state in the stanza above")),
        };
        let complete =
            !self.name.is_empty() && !self.version.is_empty() && !self.architecture.is_empty();
        if state != State::Absent && !complete {
            return Err((
                number,
                "no package name, version or architecture in the stanza above",
            ));
        }
        // These end up in file names below the database and of lists.
        if [&self.name, &self.version, &self.architecture]
            .iter()
            .any(|text| text.contains('/') || for_display(text.as_bytes()) != **text)
        {
            return Err((number, "slash or control character in the stanza above"));
        }
        Ok(Some(Package {
            name: self.name,
            version: self.version,
            architecture: self.architecture,
            state,
            conffiles: self.conffiles,
        }))
    }
}

/// ` /path md5 [obsolete] [remove-on-upgrade]`; the path may hold blanks. An
/// obsolete conffile is one like any other: it stays in the package's file list.
fn conffile(line: &[u8]) -> Result<Conffile, &'static str> {
    let mut rest = line.trim_ascii();
    let (path, md5) = loop {
        let blank = rest
            .iter()
            .rposition(|&b| b == b' ')
            .ok_or("a conffile without a digest")?;
        let (path, word) = rest.split_at(blank);
        match word.get(1..).unwrap_or_default() {
            b"obsolete" | b"remove-on-upgrade" => rest = path,
            word => break (path, word),
        }
    };
    if !path.starts_with(b"/") {
        return Err("a conffile without an absolute path");
    }
    let md5 = match md5 {
        b"newconffile" => None,
        text => Some(parse_md5(text).ok_or("a conffile with a malformed digest")?),
    };
    Ok(Conffile {
        path: path.to_vec(),
        md5,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &[u8] = b"\
Package: bash
Status: install ok installed
Version: 5.2.15-2+b7
Architecture: amd64
Conffiles:
 /etc/bash.bashrc 89269e1298235f1b12b4c16e4065ad0d
 /etc/old name 1111111111111111111111111111111e obsolete
 /etc/new newconffile
Description: GNU Bourne Again SHell
 Bash is an sh-compatible command language interpreter.
 /not/a/conffile 89269e1298235f1b12b4c16e4065ad0d

Package: gone
Status: deinstall ok config-files
Version: 1
Architecture: all

Package: triggered
status: hold ok triggers-pending
Version: 2:1.0~rc1-1
Architecture: all";

    #[test]
    fn packages_states_and_conffiles() {
        let packages = parse(STATUS).unwrap();
        let summary: Vec<_> = packages
            .iter()
            .map(|p| (p.display_name(), p.version.as_str(), p.state))
            .collect();
        assert_eq!(
            summary,
            [
                ("bash:amd64".to_owned(), "5.2.15-2+b7", State::Unpacked),
                ("gone:all".to_owned(), "1", State::Absent),
                ("triggered:all".to_owned(), "2:1.0~rc1-1", State::Unpacked),
            ]
        );
        let conffiles: Vec<_> = packages[0]
            .conffiles
            .iter()
            .map(|c| (c.path.as_slice(), c.md5.map(|md5| md5[15])))
            .collect();
        assert_eq!(
            conffiles,
            [
                (&b"/etc/bash.bashrc"[..], Some(0x0d)),
                (b"/etc/old name", Some(0x1e)),
                (b"/etc/new", None),
            ]
        );
    }

    #[test]
    fn malformed_databases_are_refused_with_the_line() {
        let cases: [(&[u8], usize); 6] = [
            (b"Package bash", 1),
            (
                b"Package: a\nStatus: install ok installed\nVersion: 1\n\n",
                4,
            ),
            (b"Package: a\nStatus: install ok strange\n", 3),
            (
                b"Package: ../a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
                5,
            ),
            (b"Package: a\nConffiles:\n /etc/a\n", 3),
            (b"Package: a\nConffiles:\n /etc/a 123\n", 3),
        ];
        for (data, line) in cases {
            assert_eq!(parse(data).unwrap_err().0, line, "{}", for_display(data));
        }
        assert_eq!(parse(b"\n\n"), Ok(vec![]));
    }
}
