// SPDX-License-Identifier: GPL-2.0-only
//! Bytes for people: digests in hexadecimal, and paths that are arbitrary bytes
//! on one line of a terminal, whatever control sequences they hold.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Text as it is; control characters, backslashes and what is not UTF-8 escaped.
pub fn for_display(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || c == '\\' {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// [`for_display`] for a path.
pub fn path_for_display(path: &Path) -> String {
    for_display(path.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        let cases: [(&[u8], &str); 5] = [
            (b"/usr/bin/ls", "/usr/bin/ls"),
            ("/grün".as_bytes(), "/grün"),
            (b"a\x1b[2Jb\nc", "a\\u{1b}[2Jb\\nc"),
            (b"\xff\xfe", "\\xff\\xfe"),
            (b"back\\slash", "back\\\\slash"),
        ];
        for (bytes, text) in cases {
            assert_eq!(for_display(bytes), text);
        }
    }

    #[test]
    fn hexadecimal_keeps_leading_zeros() {
        assert_eq!(hex(&[0, 0x0f, 0xf0]), "000ff0");
    }
}
