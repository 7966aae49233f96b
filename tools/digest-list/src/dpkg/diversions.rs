// SPDX-License-Identifier: GPL-2.0-only
//! `diversions`: files that dpkg puts elsewhere than their packages say
//! (dpkg-divert(1)). Three lines each: from, to, and the package that diverts,
//! `:` for the administrator. The diverting package's own file stays in place.

use std::collections::HashMap;

use super::status::Malformed;

struct Diversion {
    to: Vec<u8>,
    by: Vec<u8>,
}

/// All diversions of a system.
#[derive(Default)]
pub struct Diversions(HashMap<Vec<u8>, Diversion>);

impl Diversions {
    /// Parses the whole file.
    pub fn parse(data: &[u8]) -> Result<Self, Malformed> {
        let text = data.strip_suffix(b"\n").unwrap_or(data);
        let mut diversions = HashMap::new();
        if text.is_empty() {
            return Ok(Self(diversions));
        }
        let lines: Vec<_> = text.split(|&b| b == b'\n').collect();
        for (group, number) in lines.chunks(3).zip((1..).step_by(3)) {
            let &[from, to, by] = group else {
                return Err((number, "an incomplete diversion"));
            };
            if !from.starts_with(b"/") || !to.starts_with(b"/") || by.is_empty() {
                return Err((number, "not a diversion"));
            }
            let diversion = Diversion {
                to: to.to_vec(),
                by: by.to_vec(),
            };
            diversions.insert(from.to_vec(), diversion);
        }
        Ok(Self(diversions))
    }

    /// Where the file of this package is, if not where the package says.
    pub fn target(&self, path: &[u8], package: &str) -> Option<&[u8]> {
        self.0
            .get(path)
            .filter(|diversion| diversion.by != package.as_bytes())
            .map(|diversion| diversion.to.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_diverted_and_the_diverting_package_is_not() {
        let data = b"/bin/sh\n/bin/sh.distrib\ndash\n/usr/bin/x\n/usr/bin/x.real\n:\n";
        let diversions = Diversions::parse(data).unwrap();
        assert_eq!(
            diversions.target(b"/bin/sh", "bash"),
            Some(&b"/bin/sh.distrib"[..])
        );
        assert_eq!(diversions.target(b"/bin/sh", "dash"), None);
        assert_eq!(
            diversions.target(b"/usr/bin/x", "x"),
            Some(&b"/usr/bin/x.real"[..])
        );
        assert_eq!(diversions.target(b"/usr/bin/y", "x"), None);
    }

    #[test]
    fn malformed_files_are_refused_with_the_line() {
        for (data, line) in [
            (&b"/a\n/b\n"[..], 1),
            (b"/a\n/b\n:\n/c\n", 4),
            (b"a\n/b\n:\n", 1),
            (b"/a\n/b\n\n", 1),
        ] {
            assert_eq!(Diversions::parse(data).err().map(|e| e.0), Some(line));
        }
        assert!(Diversions::parse(b"").unwrap().0.is_empty());
    }
}
