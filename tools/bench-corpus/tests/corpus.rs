// SPDX-License-Identifier: GPL-2.0-only
//! Corpora on disk, made with the command. Setting security attributes takes root
//! and a file system that has them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bench_corpus::layout;
use digest_list::list::{collect, DigestSet, ListFile};
use digest_list_formats::parsers::algo::HashAlgo;
use openssl::ecdsa::EcdsaSig;
use openssl::sha::sha256;
use openssl::x509::X509;
use tempfile::TempDir;

const FILES: usize = 300;
const LISTS: usize = 5;

struct Bench {
    directory: TempDir,
}

impl Bench {
    /// A directory with a key, on a file system with security attributes.
    fn new() -> Self {
        let candidates = [
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
            std::env::temp_dir(),
        ];
        let directory = candidates
            .iter()
            .filter_map(|candidate| tempfile::tempdir_in(candidate).ok())
            .find(|directory| {
                let flags = rustix::fs::XattrFlags::empty();
                rustix::fs::setxattr(directory.path(), "security.digest_list", b"x", flags).is_ok()
            })
            .expect("run as root, with a temporary directory on ext4 or the like");
        let bench = Self { directory };
        let made = Command::new("openssl")
            .args(["req", "-new", "-x509", "-nodes", "-newkey", "ec"])
            .args(["-pkeyopt", "ec_paramgen_curve:P-384", "-sha384"])
            .args(["-subj", "/CN=bench-corpus"])
            .arg("-keyout")
            .arg(bench.path("key"))
            .arg("-out")
            .arg(bench.path("cert"))
            .output()
            .expect("run openssl");
        assert!(made.status.success(), "{made:?}");
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self, arguments: &[&str], corpus: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_bench-corpus"))
            .args(arguments)
            .arg("--key")
            .arg(self.path("key"))
            .arg("--cert")
            .arg(self.path("cert"))
            .arg(self.path(corpus))
            .output()
            .expect("run bench-corpus")
    }

    fn make(&self, corpus: &str) {
        let arguments = [
            "make",
            "--files",
            "300",
            "--lists",
            "5",
            "--accesses",
            "200",
        ];
        let run = self.run(&arguments, corpus);
        assert!(run.status.success(), "{run:?}");
        assert!(run.stdout.is_empty() && run.stderr.is_empty(), "{run:?}");
    }

    fn attach(&self, kind: &str, corpus: &str) {
        let run = self.run(&["attach", kind], corpus);
        assert!(run.status.success(), "{run:?}");
        assert!(run.stdout.is_empty() && run.stderr.is_empty(), "{run:?}");
    }
}

/// Each file below a directory with its content.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// The same with paths below the directory.
fn relative(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let strip =
        |(path, content): (PathBuf, _)| (path.strip_prefix(directory).unwrap().to_owned(), content);
    contents(directory).into_iter().map(strip).collect()
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = [0; 256];
    match rustix::fs::getxattr(path, name, &mut value) {
        Ok(len) => Some(value[..len].to_vec()),
        Err(rustix::io::Errno::NODATA) => None,
        Err(e) => panic!("{}: {e}", path.display()),
    }
}

#[test]
fn two_corpora_differ_in_signatures_only() {
    let bench = Bench::new();
    bench.make("one");
    bench.make("two");
    let [one, two] = ["one", "two"].map(|name| relative(&bench.path(name)));
    assert!(one.keys().eq(two.keys()));
    for (path, content) in &one {
        let is_signed = ["tree/lists/signed", "tree/lists/prefetch"]
            .iter()
            .any(|directory| path.starts_with(directory));
        assert_eq!(content == &two[path], !is_signed, "{}", path.display());
    }
}

#[test]
fn lists_hold_each_file_once_and_are_signed_where_they_should_be() {
    let bench = Bench::new();
    bench.make("corpus");
    let tree = bench.path("corpus").join(layout::TREE);
    let pem = fs::read(bench.path("cert")).unwrap();
    let certificate = X509::from_pem(&pem).unwrap();
    for (directory, is_signed) in [
        (layout::HASH_LISTS, false),
        (layout::SIGNED_LISTS, true),
        (layout::PREFETCH_LISTS, true),
    ] {
        let lists = collect(&[tree.join(directory)]).unwrap();
        assert_eq!(lists.len(), LISTS);
        let mut sets = Vec::new();
        for list in &lists {
            let file = ListFile::read(list).unwrap();
            let parsed = file.parse().unwrap();
            assert_eq!(parsed.signature.is_some(), is_signed);
            if let Some(signature) = &parsed.signature {
                digest_list::signature::verify(signature, parsed.content, &[&certificate]).unwrap();
            }
            let hash = [&[4, 4][..], &sha256(file.data())].concat();
            let expected = (!is_signed).then_some(hash);
            assert_eq!(attribute(list, "security.ima"), expected);
            sets.push(DigestSet::new(&parsed));
        }
        for content in contents(&tree.join("files")).values() {
            let digest = sha256(content);
            let holders = sets
                .iter()
                .filter(|set| set.contains(HashAlgo::Sha256, &digest));
            assert_eq!(holders.count(), 1);
        }
    }
    let prefetch = |lists: &str| attribute(&tree.join(lists), "security.dig_prefetch");
    assert_eq!(prefetch(layout::PREFETCH_LISTS), Some(b"1".to_vec()));
    assert_eq!(prefetch(layout::SIGNED_LISTS), None);
}

#[test]
fn accesses_and_facts_agree_with_the_files() {
    let bench = Bench::new();
    bench.make("corpus");
    let corpus = bench.path("corpus");
    let accesses = fs::read_to_string(corpus.join(layout::ACCESSES)).unwrap();
    assert_eq!(accesses.lines().count(), 200);
    let distinct: std::collections::BTreeSet<_> = accesses.lines().collect();
    for path in &distinct {
        assert!(corpus.join(layout::TREE).join(path).is_file(), "{path}");
    }
    let facts = fs::read_to_string(corpus.join(layout::FACTS)).unwrap();
    let facts: BTreeMap<_, _> = facts
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    assert_eq!(facts["distinct_files"], distinct.len().to_string());
    assert_eq!(facts["files"], FILES.to_string());
    assert_eq!(facts["lists"], LISTS.to_string());
}

#[test]
fn attributes_are_those_of_the_kind_and_no_others() {
    let bench = Bench::new();
    bench.make("corpus");
    let tree = bench.path("corpus").join(layout::TREE);
    let pem = fs::read(bench.path("cert")).unwrap();
    let key = X509::from_pem(&pem).unwrap().public_key().unwrap();
    let key = key.ec_key().unwrap();
    let tampered = tree.join(layout::TAMPERED);
    for kind in ["hash", "signature", "label", "none", "signature"] {
        bench.attach(kind, "corpus");
        let files = contents(&tree.join("files"));
        assert_eq!(files.len(), FILES);
        for (path, content) in &files {
            let ima = attribute(path, "security.ima");
            let label = attribute(path, "security.digest_list");
            let digest = sha256(content);
            match kind {
                "hash" => assert_eq!(ima.unwrap(), [&[4, 4][..], &digest].concat()),
                "signature" => {
                    let signature = EcdsaSig::from_der(&ima.unwrap()[9..]).unwrap();
                    assert!(signature.verify(&digest, &key).unwrap());
                }
                _ => assert_eq!(ima, None),
            }
            match label {
                Some(name) if kind == "label" => {
                    let name = String::from_utf8(name).unwrap();
                    let list = ListFile::read(&tree.join(layout::SIGNED_LISTS).join(name)).unwrap();
                    let set = DigestSet::new(&list.parse().unwrap());
                    assert!(set.contains(HashAlgo::Sha256, &digest));
                }
                label => assert!(label.is_none() && kind != "label"),
            }
        }
        // It has what another file has, and another content.
        let names = ["security.ima", "security.digest_list"];
        let of = |path: &Path| names.map(|name| attribute(path, name));
        let content = fs::read(&tampered).unwrap();
        assert!(files.keys().any(|path| of(path) == of(&tampered)));
        assert!(!files.values().any(|other| *other == content));
    }
}

#[test]
fn errors_are_one_line_and_nothing_is_overwritten() {
    let bench = Bench::new();
    bench.make("corpus");
    for arguments in [&["make"][..], &["make", "--lists", "0"]] {
        let run = bench.run(arguments, "corpus");
        assert_eq!(run.status.code(), Some(1), "{run:?}");
        let message = String::from_utf8(run.stderr).unwrap();
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    let run = bench.run(&["attach", "hash"], "missing");
    assert_eq!(run.status.code(), Some(1), "{run:?}");
}
