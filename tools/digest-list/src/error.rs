// SPDX-License-Identifier: GPL-2.0-only
//! One error type with one shape: which file, what is wrong, what to do.

use std::io;
use std::path::Path;

use crate::bytes::path_for_display;

/// What went wrong with one file (or option), always printed on one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{subject}: {what}; {advice}")]
pub struct Error {
    /// The file or option at fault, fit for a terminal.
    pub subject: String,
    /// What is wrong with it.
    pub what: String,
    /// What the reader can do about it.
    pub advice: String,
}

impl Error {
    /// An error about a file.
    pub fn new(path: impl AsRef<Path>, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::about(path_for_display(path.as_ref()), what, advice)
    }

    /// An error about something that is not a file.
    pub fn about(
        subject: impl Into<String>,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            subject: subject.into(),
            what: what.into(),
            advice: advice.into(),
        }
    }

    /// The system refused to do `doing` with a file.
    pub fn io(path: impl AsRef<Path>, doing: &str, error: &io::Error) -> Self {
        let advice = match error.kind() {
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::PermissionDenied => "run as a user who may do this",
            io::ErrorKind::StorageFull => "free some space on that file system",
            io::ErrorKind::ReadOnlyFilesystem => "remount it writable or choose another place",
            io::ErrorKind::Unsupported => "use a file system that supports it",
            _ => "check the file and its file system",
        };
        Self::new(path, format!("cannot {doing}: {}", reason(error)), advice)
    }
}

/// The system's words without Rust's "(os error N)", which helps no reader.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// The result of work on many items: it goes on after a bad one.
#[derive(Debug)]
pub struct Outcome<T> {
    /// What was done.
    pub report: T,
    /// What could not be done, in the order of the items.
    pub errors: Vec<Error>,
}

impl<T> Outcome<T> {
    /// Whether every item went well.
    pub fn is_success(&self) -> bool {
        self.errors.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_with_file_cause_and_advice() {
        let error = Error::io(
            "some\nfile",
            "read",
            &io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error()),
        );
        assert_eq!(
            error.to_string(),
            "some\\nfile: cannot read: No such file or directory; check the path"
        );
    }
}
