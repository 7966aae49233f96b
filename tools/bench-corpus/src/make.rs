// SPDX-License-Identifier: GPL-2.0-only
//! Writes a corpus.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use digest_list::label::set_prefetch;
use digest_list::list::tlv_name;
use digest_list::output::Existing;
use digest_list::root::Root;
use digest_list::sign::{sign, SignOptions, Signer};
use digest_list::writer::{stage, FileEntry};
use digest_list::Error;
use indicatif::ProgressBar;

use crate::attach::set_hash;
use crate::layout;
use crate::plan::{Numbers, Plan, ALGO};

/// Makes the directory `corpus` with what [`layout`] says; its files carry nothing
/// yet.
pub fn make(
    corpus: &Path,
    numbers: Numbers,
    signer: &Signer,
    progress: &ProgressBar,
) -> Result<(), Error> {
    let plan = Plan::new(numbers)?;
    // Leftovers of another corpus would end up in the images.
    fs::create_dir(corpus).map_err(|e| Error::io(corpus, "make the directory", &e))?;
    let tree = layout::tree(corpus);
    write_files(&tree, &plan, progress)?;
    write_lists(&tree, &plan, signer, progress)?;
    write(&corpus.join(layout::ACCESSES), accesses(&plan))?;
    write(&corpus.join(layout::FACTS), facts(numbers, &plan))
}

fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Error> {
    fs::write(path, content).map_err(|e| Error::io(path, "write", &e))
}

fn make_dir(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|e| Error::io(path, "make the directory", &e))
}

fn write_files(tree: &Path, plan: &Plan, progress: &ProgressBar) -> Result<(), Error> {
    progress.set_length(plan.files.len() as u64);
    for (number, file) in plan.files.iter().enumerate() {
        let path = tree.join(layout::file(number));
        path.parent().map_or(Ok(()), make_dir)?;
        write(&path, &file.content)?;
        progress.inc(1);
    }
    write(&tree.join(layout::TAMPERED), &plan.tampered)
}

/// The lists, in each of the directories that variants of the benchmark use.
fn write_lists(
    tree: &Path,
    plan: &Plan,
    signer: &Signer,
    progress: &ProgressBar,
) -> Result<(), Error> {
    let [hash, signed, prefetch] = [
        layout::HASH_LISTS,
        layout::SIGNED_LISTS,
        layout::PREFETCH_LISTS,
    ]
    .map(|directory| tree.join(directory));
    make_dir(&hash)?;
    let mut lists = Vec::new();
    for (number, files) in plan.lists.iter().enumerate() {
        lists.push(write_list(&hash, number, files, plan)?);
    }
    for directory in [&signed, &prefetch] {
        progress.reset();
        let options = SignOptions {
            output: Some(directory.clone()),
            existing: Existing::Keep,
            replace_signature: false,
        };
        let outcome = sign(&lists, signer, &options, progress)?;
        if let Some(error) = outcome.errors.into_iter().next() {
            return Err(error);
        }
    }
    lists.iter().try_for_each(|list| set_hash(list))?;
    set_prefetch(&Root::open(tree)?, &[PathBuf::from(layout::PREFETCH_LISTS)]).map(|_| ())
}

fn write_list(
    directory: &Path,
    number: usize,
    files: &[usize],
    plan: &Plan,
) -> Result<PathBuf, Error> {
    let entries: Vec<_> = files
        .iter()
        .filter_map(|&file| plan.files.get(file).map(|content| (file, content)))
        .map(|(file, content)| FileEntry {
            path: format!("/{}", layout::file(file)).into_bytes(),
            digests: Arc::new(vec![content.digest.clone()]),
        })
        .collect();
    // Zero is a sequence number like any other.
    let seq = u32::try_from(number).ok();
    let name = tlv_name(seq, &layout::list(number))?;
    stage(directory, &name, &[ALGO], &entries)?.publish(Existing::Keep)
}

fn accesses(plan: &Plan) -> String {
    plan.accesses
        .iter()
        .map(|&file| layout::file(file) + "\n")
        .collect()
}

fn facts(numbers: Numbers, plan: &Plan) -> String {
    format!(
        "files {}\nlists {}\naccesses {}\nseed {}\n\
         distinct_files {}\ndistinct_lists {}\nlists_in_order {}\n\
         tampered_from {}\n",
        numbers.files,
        numbers.lists,
        numbers.accesses,
        numbers.seed,
        plan.distinct_files(),
        plan.distinct_lists(),
        plan.lists_in_order(),
        layout::file(plan.victim),
    )
}
