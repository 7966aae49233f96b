// SPDX-License-Identifier: GPL-2.0-only
//! How results, warnings and errors are told.

use std::io::{self, Write};

use digest_list::{Error, Outcome};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use serde::Serialize;

/// The reader's wishes.
pub struct Printer {
    /// Errors only.
    pub quiet: bool,
    /// Every file by name.
    pub verbose: bool,
    /// For a program.
    pub json: bool,
}

/// What every command writes with `--json`.
#[derive(Serialize)]
struct Json<'r, T: Serialize> {
    /// Whether all is well.
    ok: bool,
    result: Option<&'r T>,
    errors: &'r [Error],
}

impl Printer {
    /// A bar on standard error, or nothing if that is no terminal.
    pub fn progress(&self, doing: &'static str) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        // Cleared however the command ends, so that an error has its own line.
        ProgressBar::new(0)
            .with_style(style)
            .with_message(doing)
            .with_finish(ProgressFinish::AndClear)
    }

    /// One line about a file.
    pub fn error(&self, error: &Error) {
        eprintln!("digest-list: {error}");
    }

    /// One line that is no failure.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            eprintln!("digest-list: {text}");
        }
    }

    /// A number of files, by name if the reader wants that.
    pub fn count<'a>(&self, what: &str, names: impl ExactSizeIterator<Item = &'a str>) {
        if names.len() == 0 {
            return;
        }
        self.note(&format!("{} {what}", names.len()));
        if self.verbose {
            for name in names {
                self.note(&format!("  {name}"));
            }
        }
    }

    /// The errors and the summary of a command; tells whether all is well.
    pub fn finish<T: Serialize>(
        &self,
        outcome: &Outcome<T>,
        text: impl FnOnce(&T) -> String,
    ) -> io::Result<bool> {
        self.result(outcome, |out, report| {
            if self.quiet {
                return Ok(());
            }
            writeln!(out, "{}", text(report))
        })
    }

    /// The errors and the result of a command, which is told even to those who want
    /// to hear of errors only; tells whether all is well.
    pub fn result<T: Serialize>(
        &self,
        outcome: &Outcome<T>,
        text: impl FnOnce(&mut dyn Write, &T) -> io::Result<()>,
    ) -> io::Result<bool> {
        for error in &outcome.errors {
            self.error(error);
        }
        if self.json {
            print_json(&Json {
                ok: outcome.is_success(),
                result: Some(&outcome.report),
                errors: &outcome.errors,
            })?;
        } else {
            let mut out = io::BufWriter::new(io::stdout().lock());
            text(&mut out, &outcome.report)?;
            out.flush()?;
        }
        Ok(outcome.is_success())
    }

    /// The error that ended a command.
    pub fn fatal(&self, error: &Error) -> io::Result<()> {
        self.error(error);
        if self.json {
            print_json(&Json::<()> {
                ok: false,
                result: None,
                errors: std::slice::from_ref(error),
            })?;
        }
        Ok(())
    }
}

fn print_json(value: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)
}
