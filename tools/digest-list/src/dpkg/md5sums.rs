// SPDX-License-Identifier: GPL-2.0-only
//! `info/<package>.md5sums`: digests of a package's files as shipped
//! (deb-md5sums(5)): 32 hexadecimal digits, two blanks, path without the slash.

use std::collections::HashMap;

use super::status::Malformed;
use super::Md5;

/// Parses an MD5 digest in hexadecimal.
pub fn parse_md5(text: &[u8]) -> Option<Md5> {
    let mut md5 = Md5::default();
    if text.len() != md5.len() * 2 {
        return None;
    }
    for (byte, digits) in md5.iter_mut().zip(text.chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        // from_str_radix would take a sign.
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(md5)
}

/// Parses the whole file into digests by absolute path.
pub fn parse(data: &[u8]) -> Result<HashMap<Vec<u8>, Md5>, Malformed> {
    let mut sums = HashMap::new();
    for (number, line) in (1..).zip(data.split(|&b| b == b'\n')) {
        if line.is_empty() {
            continue;
        }
        let (md5, path) = line
            .split_at_checked(32)
            .and_then(|(md5, rest)| Some((parse_md5(md5)?, rest.strip_prefix(b"  ")?)))
            .ok_or((number, "not 'digest  path'"))?;
        let relative = path.strip_prefix(b"./").unwrap_or(path);
        let mut absolute = Vec::with_capacity(relative.len().saturating_add(1));
        if !relative.starts_with(b"/") {
            absolute.push(b'/');
        }
        absolute.extend_from_slice(relative);
        sums.insert(absolute, md5);
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_absolute_and_keep_their_blanks() {
        let sums = parse(
            b"0123456789abcdef0123456789abcdef  usr/bin/a b\n\
              0123456789abcdef0123456789abcdee  ./usr/c\n",
        )
        .unwrap();
        assert_eq!(sums[&b"/usr/bin/a b"[..]][0], 0x01);
        assert_eq!(sums[&b"/usr/c"[..]][15], 0xee);
    }

    #[test]
    fn malformed_lines_are_refused_with_their_number() {
        for data in [
            &b"0123456789abcdef0123456789abcdef  a\nshort\n"[..],
            b"\n0123456789abcdef0123456789abcdef a\n",
            b"\n0123456789abcdef0123456789abcdeg  a\n",
            b"\n+123456789abcdef0123456789abcdef  a\n",
        ] {
            assert_eq!(parse(data).unwrap_err().0, 2);
        }
    }
}
