// SPDX-License-Identifier: GPL-2.0-only
//! `digest-list`: reads the command line, lets the library work, tells the result.
//!
//! Results go to standard output, everything else to standard error. Exit status:
//! 0 all is well, 1 something is wrong with a file, 2 wrong usage.

mod commands;
mod report;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use digest_list::cli::{Cli, Command, Gen};
use digest_list::Error;

use report::Printer;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(jobs) = cli.jobs {
        if let Err(e) = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .build_global()
        {
            eprintln!("digest-list: --jobs {jobs}: {e}; give a smaller number");
            return ExitCode::from(1);
        }
    }
    let printer = Printer {
        quiet: cli.quiet,
        verbose: cli.verbose,
        json: cli.json,
    };
    match run(&cli, &printer) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        // The reader of a pipe has seen enough.
        Err(Failure::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Output(e)) => {
            eprintln!("digest-list: standard output: cannot write: {e}; check where it goes");
            ExitCode::from(1)
        }
        Err(Failure::Work(e)) => {
            if let Err(output) = printer.fatal(&e) {
                eprintln!(
                    "digest-list: standard output: cannot write: {output}; check where it goes"
                );
            }
            ExitCode::from(1)
        }
    }
}

/// Why a command ended early.
enum Failure {
    Work(Error),
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Work(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Tells whether all is well.
fn run(cli: &Cli, printer: &Printer) -> Result<bool, Failure> {
    match &cli.command {
        Command::Gen(Gen::Files(args)) => commands::gen_files(args, printer),
        Command::Gen(Gen::Dpkg(args)) => commands::gen_dpkg(args, printer),
        Command::Sign(args) => commands::sign(args, printer),
        Command::Label(args) => commands::label(args, printer),
        Command::Verify(args) => commands::verify(args, printer),
        Command::Show(args) => commands::show(args, printer),
        Command::Pcr(args) => commands::pcr(args, printer),
    }
}
