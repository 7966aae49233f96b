// SPDX-License-Identifier: GPL-2.0-only
//! From the command line to the library and back to words.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use digest_list::cli::{Conffiles, GenCommon, GenDpkg, GenFiles, Label, Pcr, Show, Sign, Verify};
use digest_list::files::{Selection, Walk};
use digest_list::generate::{
    from_dpkg, from_files, ChangedConffiles, DpkgOptions, DpkgReport, FilesOptions, PackageFile,
    Target,
};
use digest_list::label::{label_files, label_lists, set_prefetch, Action};
use digest_list::list::collect;
use digest_list::output::Existing;
use digest_list::pcr::log::DEFAULT_ALGO;
use digest_list::pcr::{predict, PcrOptions, Prediction};
use digest_list::root::Root;
use digest_list::show::{show as show_list, ShowError};
use digest_list::sign::{read_certificate, SignOptions, Signer};
use digest_list::verify::{verify_files, verify_lists, VerifyOptions};
use digest_list::{hash, sign as signing, Error, Outcome};
use digest_list_formats::parsers::algo::HashAlgo;
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::report::Printer;
use crate::Failure;

fn existing(force: bool) -> Existing {
    if force {
        Existing::Replace
    } else {
        Existing::Keep
    }
}

/// Each algorithm once, in the order in which they were given first.
fn distinct(given: &[HashAlgo]) -> Vec<HashAlgo> {
    let mut algos = Vec::new();
    for &algo in given {
        if !algos.contains(&algo) {
            algos.push(algo);
        }
    }
    algos
}

fn target(common: &GenCommon, printer: &Printer) -> Target {
    let algos = distinct(&common.algo);
    for algo in algos.iter().filter(|&&algo| hash::is_broken(algo)) {
        printer.note(&format!(
            "warning: {} no longer vouches for a file's content; prefer sha256",
            algo.name()
        ));
    }
    Target {
        dir: common.output.clone(),
        algos,
        existing: existing(common.force),
    }
}

fn selection(common: &GenCommon) -> Selection {
    if common.only_executable {
        Selection::Executable
    } else {
        Selection::All
    }
}

/// Paths of the running system may be relative to the current directory; paths
/// below another root start there.
fn paths_in_root(root: &Root, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    if root.path() != Path::new("/") {
        return Ok(paths.to_vec());
    }
    paths
        .iter()
        .map(|path| std::path::absolute(path).map_err(|e| Error::io(path, "find", &e)))
        .collect()
}

fn globs(patterns: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let fail = |e: globset::Error| {
            Error::about(
                format!("--exclude {pattern}"),
                e.kind().to_string(),
                "write a pattern such as /usr/share/*",
            )
        };
        set.add(Glob::new(pattern).map_err(fail)?);
    }
    set.build()
        .map_err(|e| Error::about("--exclude", e.to_string(), "give fewer patterns"))
}

pub fn gen_files(args: &GenFiles, printer: &Printer) -> Result<bool, Failure> {
    let root = Root::open(&args.common.root)?;
    let options = FilesOptions {
        name: args.name.clone(),
        seq: args.seq,
        paths: paths_in_root(&root, &args.paths)?,
        one_file_system: args.one_file_system,
        exclude: globs(&args.exclude)?,
        selection: selection(&args.common),
    };
    let target = target(&args.common, printer);
    let progress = printer.progress("hashing");
    let outcome = from_files(&root, &options, &target, &progress)?;
    drop(progress);
    Ok(printer.finish(&outcome, |report| match report {
        Some(list) => format!(
            "{}: {} files, {} digests",
            list.list, list.files, list.digests
        ),
        None => "nothing written".to_owned(),
    })?)
}

pub fn gen_dpkg(args: &GenDpkg, printer: &Printer) -> Result<bool, Failure> {
    let root = Root::open(&args.common.root)?;
    let options = DpkgOptions {
        packages: args.packages.clone(),
        selection: selection(&args.common),
        changed_conffiles: match args.changed_conffiles {
            Conffiles::Skip => ChangedConffiles::Skip,
            Conffiles::Include => ChangedConffiles::Include,
        },
        keep_going: args.keep_going,
    };
    let target = target(&args.common, printer);
    let progress = printer.progress("hashing");
    let outcome = from_dpkg(&root, &options, &target, &progress)?;
    drop(progress);
    dpkg_notes(&outcome.report, printer);
    Ok(printer.finish(&outcome, |report| {
        if report.lists.is_empty() {
            "nothing written".to_owned()
        } else {
            format!(
                "{}: {} lists, {} files, {} digests",
                digest_list::bytes::path_for_display(&target.dir),
                report.lists.len(),
                report.files,
                report.digests
            )
        }
    })?)
}

fn dpkg_notes(report: &DpkgReport, printer: &Printer) {
    let count = |what: &str, files: &[PackageFile]| {
        let names: Vec<_> = files
            .iter()
            .map(|file| format!("{} ({})", file.path, file.package))
            .collect();
        printer.count(what, names.iter().map(String::as_str));
    };
    printer.count(
        "packages without a file to list",
        report.empty_packages.iter().map(String::as_str),
    );
    count(
        "files moved by a diversion, listed where they are",
        &report.diverted,
    );
    count(
        "packaged files are not on disk, not listed",
        &report.missing,
    );
    count(
        "listed files could not be checked, the database has no digest of them",
        &report.unchecked,
    );
    // These are few, and each is somebody's decision.
    for file in &report.changed_conffiles {
        printer.note(&format!(
            "{}: configuration file of {} was changed locally, {}",
            file.path,
            file.package,
            if report.changed_conffiles_included {
                "listed as it is"
            } else {
                "not listed (--changed-conffiles include lists it)"
            }
        ));
    }
}

pub fn sign(args: &Sign, printer: &Printer) -> Result<bool, Failure> {
    let signer = Signer::read(
        &args.key,
        args.cert.as_ref().unwrap_or(&args.key),
        args.passphrase_file.as_deref(),
        args.hash,
    )?;
    let lists = collect(&args.lists)?;
    let options = SignOptions {
        output: args.output.clone(),
        existing: existing(args.force),
        replace_signature: args.replace,
    };
    let progress = printer.progress("signing");
    let outcome = signing::sign(&lists, &signer, &options, &progress)?;
    drop(progress);
    Ok(printer.finish(&outcome, |report| {
        format!("{} of {} lists signed", report.signed.len(), lists.len())
    })?)
}

pub fn label(args: &Label, printer: &Printer) -> Result<bool, Failure> {
    let root = Root::open(&args.root)?;
    let progress = printer.progress("labelling");
    let mut outcome = if args.arguments.is_empty() {
        Outcome {
            report: Default::default(),
            errors: Vec::new(),
        }
    } else if let Some(name) = &args.name {
        let walk = Walk {
            one_file_system: true,
            exclude: GlobSet::empty(),
            output: None,
        };
        let paths = walk.find(&root, &paths_in_root(&root, &args.arguments)?)?;
        label_files(&root, &paths, Action::Attach(name), &progress)?
    } else {
        label_lists(&root, &collect(&args.arguments)?, args.remove, &progress)?
    };
    drop(progress);
    if !args.prefetch.is_empty() {
        let prefetch = set_prefetch(&root, &paths_in_root(&root, &args.prefetch)?)?;
        outcome.report.changed = outcome.report.changed.saturating_add(prefetch.changed);
        outcome.report.unchanged = outcome.report.unchanged.saturating_add(prefetch.unchanged);
    }
    let report = &outcome.report;
    printer.count(
        "listed paths are no regular files on disk, skipped",
        report.skipped.iter().map(String::as_str),
    );
    let shared: Vec<_> = report
        .shared
        .iter()
        .map(|file| {
            format!(
                "{} attached to {}, also in {}",
                file.path,
                file.list,
                file.others.join(", ")
            )
        })
        .collect();
    printer.count(
        "files are in several lists, attached to the first that holds their digest",
        shared.iter().map(String::as_str),
    );
    Ok(printer.finish(&outcome, |report| {
        format!(
            "{} attributes {}, {} right already",
            report.changed,
            if args.remove { "removed" } else { "set" },
            report.unchanged
        )
    })?)
}

pub fn verify(args: &Verify, printer: &Printer) -> Result<bool, Failure> {
    let certificates = args
        .cert
        .iter()
        .map(|path| read_certificate(path))
        .collect::<Result<Vec<_>, _>>()?;
    let lists = collect(&args.lists)?;
    let progress = printer.progress("checking");
    if !args.file.is_empty() {
        let outcome = verify_files(&lists, &args.file, &certificates, &progress)?;
        drop(progress);
        return Ok(printer.finish(&outcome, |found| {
            let lines: Vec<_> = found
                .iter()
                .map(|found| format!("{}: in {} ({})", found.file, found.list, found.algo))
                .chain([format!(
                    "{} of {} files found",
                    found.len(),
                    args.file.len()
                )])
                .collect();
            lines.join("\n")
        })?);
    }
    let root = Root::open(&args.root)?;
    let options = VerifyOptions {
        certificates,
        ignore_missing: args.ignore_missing,
        labels: args.labels,
    };
    let outcome = verify_lists(&root, &lists, &options, &progress);
    drop(progress);
    if outcome.report.missing > 0 && args.ignore_missing {
        printer.note(&format!(
            "{} listed files do not exist",
            outcome.report.missing
        ));
    }
    if outcome.report.without_path > 0 {
        printer.note(&format!(
            "{} digests have no path, not checked (see --file)",
            outcome.report.without_path
        ));
    }
    if outcome.report.not_checked > 0 {
        printer.note(&format!(
            "{} fs-verity digests not checked",
            outcome.report.not_checked
        ));
    }
    let errors = outcome.errors.len();
    Ok(printer.finish(&outcome, |report| {
        format!(
            "{} of {} lists good, {} files as listed, {errors} errors",
            report.lists,
            lists.len(),
            report.good_files
        )
    })?)
}

/// Lists that cannot be shown are told on standard error only: every line of the
/// output is a list, in JSON too.
pub fn show(args: &Show, printer: &Printer) -> Result<bool, Failure> {
    let lists = match collect(&args.lists) {
        Ok(lists) => lists,
        Err(e) => {
            printer.error(&e);
            return Ok(false);
        }
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut good = true;
    for list in lists {
        match show_list(&list, &mut out, printer.json, args.entries) {
            Ok(()) => {}
            Err(ShowError::List(e)) => {
                printer.error(&e);
                good = false;
            }
            Err(ShowError::Output(e)) => return Err(e.into()),
        }
    }
    out.flush()?;
    Ok(good)
}

pub fn pcr(args: &Pcr, printer: &Printer) -> Result<bool, Failure> {
    let options = PcrOptions {
        hash: args.hash,
        path: args.path.clone(),
        template: args.template,
        modsig: !args.no_modsig,
        formats: args.format.clone(),
        banks: distinct(&args.bank),
        pcr: args.pcr,
        last: args.last.as_ref().map(|last| last.as_bytes().to_vec()),
    };
    let progress = printer.progress("measuring");
    let mut outcome = predict(&args.dir, &options, &progress)?;
    drop(progress);
    if let Some(prediction) = &outcome.report {
        pcr_notes(prediction, printer);
        if let Some(file) = &args.measurements {
            outcome.errors.extend(prediction.compare(file).err());
        }
    }
    Ok(printer.result(&outcome, |out, prediction| {
        let Some(prediction) = prediction else {
            return Ok(());
        };
        if args.ascii {
            for measurement in &prediction.measurements {
                let line = measurement.entry.line(prediction.pcr, DEFAULT_ALGO);
                out.write_all(&line.map_err(io::Error::other)?)?;
                writeln!(out)?;
            }
        }
        for bank in &prediction.banks {
            writeln!(out, "{} {}", bank.bank, bank.value)?;
        }
        Ok(())
    })?)
}

fn pcr_notes(prediction: &Prediction, printer: &Printer) {
    let left_out: Vec<_> = prediction
        .left_out
        .iter()
        .map(|left_out| format!("{} {}", left_out.name, left_out.why))
        .collect();
    printer.count(
        "names are no lists that the kernel reads, left out",
        left_out.iter().map(String::as_str),
    );
    printer.count(
        "lists are measured like an earlier one, which IMA does not do twice",
        prediction.repeated.iter().map(String::as_str),
    );
    if !prediction.unordered.is_empty() {
        printer.note(&format!(
            "warning: {} lists have no sequence number of their own, their order is that of this \
             directory; predict from the one that the kernel reads, or number them",
            prediction.unordered.len()
        ));
    }
}
