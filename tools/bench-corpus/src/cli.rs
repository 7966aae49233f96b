// SPDX-License-Identifier: GPL-2.0-only
//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Makes the files, digest lists and accesses of the macro benchmark
#[derive(Debug, Parser)]
#[command(name = "bench-corpus", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a corpus; its files carry no extended attributes yet
    Make(Make),
    /// Give the files of a corpus other extended attributes
    Attach(Attach),
}

/// The key that the kernel trusts.
#[derive(Debug, Args)]
pub struct Key {
    /// Private key (PEM, ECDSA on P-384)
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Its certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub cert: PathBuf,
}

/// `make`
#[derive(Debug, Args)]
pub struct Make {
    /// Number of files
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub files: usize,
    /// Number of digest lists
    #[arg(long, value_name = "N", default_value_t = 303)]
    pub lists: usize,
    /// Number of accesses
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub accesses: usize,
    /// The same seed gives the same corpus
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// What the lists are signed with.
    #[command(flatten)]
    pub key: Key,
    /// Directory to be made
    pub corpus: PathBuf,
}

/// `attach`
#[derive(Debug, Args)]
pub struct Attach {
    /// What the files are to carry
    pub kind: Kind,
    /// Directory of the corpus
    pub corpus: PathBuf,
    /// What the files are signed with.
    #[command(flatten)]
    pub key: Key,
}

/// See [`crate::attach::Kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Nothing
    None,
    /// Their digest in security.ima
    Hash,
    /// A signature of it in security.ima
    Signature,
    /// The name of their list in security.digest_list
    Label,
}
