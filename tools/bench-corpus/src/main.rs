// SPDX-License-Identifier: GPL-2.0-only
//! `bench-corpus`: reads the command line, lets the library work. Exit status: 0
//! all is well, 1 something went wrong, 2 wrong usage.

use std::process::ExitCode;

use bench_corpus::attach::{attach, Kind};
use bench_corpus::cli::{self, Cli, Command};
use bench_corpus::ima;
use bench_corpus::make::make;
use bench_corpus::plan::Numbers;
use clap::Parser;
use digest_list::sign::Signer;
use digest_list::Error;
use digest_list_formats::parsers::algo::HashAlgo;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("bench-corpus: {e}");
            ExitCode::from(1)
        }
    }
}

fn run(cli: &Cli) -> Result<(), Error> {
    match &cli.command {
        Command::Make(args) => {
            let numbers = Numbers {
                files: args.files,
                lists: args.lists,
                accesses: args.accesses,
                seed: args.seed,
            };
            let signer = Signer::read(&args.key.key, &args.key.cert, None, HashAlgo::Sha256)?;
            make(&args.corpus, numbers, &signer, &progress("writing"))
        }
        Command::Attach(args) => {
            let signer = ima::Signer::read(&args.key.key, &args.key.cert)?;
            let kind = match args.kind {
                cli::Kind::None => Kind::None,
                cli::Kind::Hash => Kind::Hash,
                cli::Kind::Signature => Kind::Signature(&signer),
                cli::Kind::Label => Kind::Label,
            };
            attach(&args.corpus, &kind, &progress("attaching"))
        }
    }
}

/// A bar on standard error, or nothing if that is no terminal.
fn progress(doing: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::new(0)
        .with_style(style)
        .with_message(doing)
        .with_finish(ProgressFinish::AndClear)
}
