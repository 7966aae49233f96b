// SPDX-License-Identifier: GPL-2.0-only
//! The command line. It lives in the library so that a test can hold the manual
//! page against it.

use std::ffi::OsString;
use std::path::{Component, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use digest_list_formats::parsers::algo::HashAlgo;

use crate::hash::parse_algo;
use crate::pcr::directory::parse_format;
use crate::pcr::template::Template;
use crate::pcr::{parse_algo as parse_pcr_algo, DEFAULT_PATH, DEFAULT_PCR};

/// Generate, sign, attach, show and check digest lists, predict their measurement
#[derive(Debug, Parser)]
#[command(name = "digest-list", version, max_term_width = 100)]
pub struct Cli {
    /// Show no progress bar and no summary, errors only
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Name every file that a summary only counts
    #[arg(short, long, global = true)]
    pub verbose: bool,

    /// Write the result to standard output as JSON
    #[arg(long, global = true)]
    pub json: bool,

    /// Number of threads [default: one for each processor]
    #[arg(short, long, global = true, value_name = "NUMBER")]
    pub jobs: Option<usize>,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Generate digest lists
    #[command(subcommand)]
    Gen(Gen),
    /// Append a signature to lists, as for kernel modules
    Sign(Sign),
    /// Attach files to their lists (security.digest_list)
    Label(Label),
    /// Tell what is in lists
    Show(Show),
    /// Check files against lists, and lists against certificates
    Verify(Verify),
    /// Predict the PCR that IMA measures a directory of lists into
    Pcr(Pcr),
}

/// What lists are generated from.
#[derive(Debug, Subcommand)]
pub enum Gen {
    /// One list from files and directories
    Files(GenFiles),
    /// One list for each package of a dpkg database
    Dpkg(GenDpkg),
}

/// What all generators share.
#[derive(Debug, Args)]
pub struct GenCommon {
    /// Directory for the lists, made if it does not exist
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,

    /// Digest algorithms, comma-separated; a list carries all of them
    #[arg(
        short,
        long,
        value_name = "ALGO",
        value_delimiter = ',',
        default_value = "sha256",
        value_parser = parse_algo
    )]
    pub algo: Vec<HashAlgo>,

    /// Directory that stands for /
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,

    /// List only files with an execute bit and ELF files
    #[arg(long)]
    pub only_executable: bool,

    /// Replace lists of the same name
    #[arg(short, long)]
    pub force: bool,
}

/// `gen files`.
#[derive(Debug, Args)]
pub struct GenFiles {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: GenCommon,

    /// Name of the list; the file is called [<number>-]tlv-<name>
    #[arg(short, long)]
    pub name: String,

    /// Number of the list: lists with a lower one are asked first
    #[arg(long, value_name = "NUMBER")]
    pub seq: Option<u32>,

    /// Do not enter directories on other file systems
    #[arg(short = 'x', long)]
    pub one_file_system: bool,

    /// Leave out paths that match (absolute below the root; * matches / too)
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// Files and directories, below the root
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// What to do with configuration files that differ from the packaged ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Conffiles {
    /// Do not list them
    Skip,
    /// List them as they are
    Include,
}

/// `gen dpkg`.
#[derive(Debug, Args)]
pub struct GenDpkg {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: GenCommon,

    /// Configuration files that differ from what was packaged
    #[arg(long, value_enum, value_name = "WHAT", default_value = "skip")]
    pub changed_conffiles: Conffiles,

    /// Write the lists of good packages even if others have errors
    #[arg(short, long)]
    pub keep_going: bool,

    /// Packages, as name or name:architecture [default: all]
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
}

/// `sign`.
#[derive(Debug, Args)]
pub struct Sign {
    /// Private key (PEM): RSA, or ECDSA on P-256, P-384, P-521
    #[arg(short, long, value_name = "FILE")]
    pub key: PathBuf,

    /// Certificate of the key (PEM or DER) [default: the key's file]
    #[arg(short, long, value_name = "FILE")]
    pub cert: Option<PathBuf>,

    /// File with the passphrase of the key in its first line
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,

    /// Digest that is signed: sha256, sha384 or sha512
    #[arg(long, value_name = "ALGO", default_value = "sha256", value_parser = parse_signature_algo)]
    pub hash: HashAlgo,

    /// Replace signatures
    #[arg(long)]
    pub replace: bool,

    /// Put the signed lists into this directory instead of signing in place
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// With --output: replace lists of the same name there
    #[arg(short, long, requires = "output")]
    pub force: bool,

    /// Lists, and directories of lists
    #[arg(required = true, value_name = "LIST")]
    pub lists: Vec<PathBuf>,
}

/// `label`.
#[derive(Debug, Args)]
pub struct Label {
    /// Directory that stands for /
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,

    /// Attach the given files and directories to the list of this name,
    /// instead of the files that lists name
    #[arg(long = "as", value_name = "NAME", conflicts_with = "remove")]
    pub name: Option<String>,

    /// Detach the files that the lists name
    #[arg(long)]
    pub remove: bool,

    /// Turn prefetching on for this directory of lists, below the root
    #[arg(long, value_name = "DIR")]
    pub prefetch: Vec<PathBuf>,

    /// Lists, and directories of lists; with --as: files and directories,
    /// below the root
    #[arg(required_unless_present = "prefetch", value_name = "LIST|PATH")]
    pub arguments: Vec<PathBuf>,
}

/// `show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Show each digest
    #[arg(short, long)]
    pub entries: bool,

    /// Lists, and directories of lists
    #[arg(required = true, value_name = "LIST")]
    pub lists: Vec<PathBuf>,
}

/// `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// Directory that stands for /
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,

    /// Certificate (PEM or DER); each list must be signed by one of those given
    #[arg(short, long, value_name = "FILE")]
    pub cert: Vec<PathBuf>,

    /// Take no notice of listed files that do not exist
    #[arg(long)]
    pub ignore_missing: bool,

    /// Check that each file's security.digest_list names its list
    #[arg(long)]
    pub labels: bool,

    /// Check that a list holds this file's digest, wherever the file is,
    /// instead of the files that lists name
    #[arg(long, value_name = "FILE", conflicts_with_all = ["labels", "ignore_missing", "root"])]
    pub file: Vec<PathBuf>,

    /// Lists, and directories of lists
    #[arg(required = true, value_name = "LIST")]
    pub lists: Vec<PathBuf>,
}

/// `pcr`.
#[derive(Debug, Args)]
pub struct Pcr {
    /// Digest that IMA makes of a list (ima_hash=): sha1, sha256, sha384 or sha512
    #[arg(long, value_name = "ALGO", default_value = "sha256", value_parser = parse_pcr_algo)]
    pub hash: HashAlgo,

    /// The directory's path as the kernel sees it, without symbolic links
    #[arg(
        long,
        value_name = "PATH",
        default_value = DEFAULT_PATH,
        value_parser = PathBufValueParser::new().try_map(parse_path)
    )]
    pub path: PathBuf,

    /// Template of the measurements (ima_template=, template=)
    #[arg(long, value_enum, value_name = "NAME", default_value = "ima-ng")]
    pub template: Template,

    /// No rule has appraise_type=imasig|modsig for lists: IMA does not read
    /// appended signatures
    #[arg(long)]
    pub no_modsig: bool,

    /// Format of a parser from a module, besides tlv and rpm
    #[arg(long, value_name = "NAME", value_parser = parse_format)]
    pub format: Vec<String>,

    /// Bank of the TPM: sha1, sha256, sha384 or sha512
    #[arg(long, value_name = "ALGO", default_value = "sha256", value_parser = parse_pcr_algo)]
    pub bank: Vec<HashAlgo>,

    /// The last list that is read [default: all are]
    #[arg(long, value_name = "NAME")]
    pub last: Option<OsString>,

    /// The PCR (pcr=); the value does not depend on it
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = DEFAULT_PCR,
        value_parser = clap::value_parser!(u32).range(0..=23)
    )]
    pub pcr: u32,

    /// Write the lines of ascii_runtime_measurements, too
    #[arg(long)]
    pub ascii: bool,

    /// Compare with a saved ascii_runtime_measurements
    #[arg(long, value_name = "FILE")]
    pub measurements: Option<PathBuf>,

    /// Directory of lists
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// A path as IMA writes it.
fn parse_path(path: PathBuf) -> Result<PathBuf, String> {
    let names = |component| !matches!(component, Component::ParentDir);
    if path.is_absolute() && path.components().all(names) {
        Ok(path.components().collect())
    } else {
        Err("give an absolute path without ..".to_owned())
    }
}

fn parse_signature_algo(name: &str) -> Result<HashAlgo, String> {
    crate::sign::SIGNATURE_ALGOS
        .into_iter()
        .find(|algo| algo.name() == name)
        .ok_or_else(|| "choose from sha256, sha384, sha512".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
