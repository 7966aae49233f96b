// SPDX-License-Identifier: GPL-2.0-only
//! `gen files`.

use std::fs;
use std::os::unix::fs::{symlink, PermissionsExt};

use openssl::hash::MessageDigest;

use crate::common::{digest, listed, names, show, temp_dir, write, Sample, ONE, TWO};
use crate::tool;

#[test]
fn a_list_holds_the_digests_of_the_files() {
    let sample = Sample::new();
    let shown = show(&sample.list);
    assert_eq!(shown["digests"], 2);
    let entries = shown["entries"].as_array().unwrap();
    for (entry, (path, data)) in entries.iter().zip([("/bin/one", ONE), ("/lib/two", TWO)]) {
        assert_eq!(entry["path"], path);
        assert_eq!(entry["algo"], "sha256");
        assert_eq!(entry["digest"], digest(MessageDigest::sha256(), data));
    }
    let mode = fs::metadata(&sample.list).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
}

#[test]
fn several_algorithms_each_have_their_table() {
    let sample = Sample::new();
    let (root, lists) = (&sample.root, &sample.lists);
    tool![
        "gen",
        "files",
        "-o",
        lists,
        "-n",
        "many",
        "--seq",
        "7",
        "--root",
        root,
        "-a",
        "sha512,sm3",
        "--algo",
        "sha3-256,sha512",
        "/bin"
    ]
    .good();
    let shown = show(&lists.join("7-tlv-many"));
    assert_eq!(shown["seq"], 7);
    assert_eq!(shown["name"], "many");
    let entries: Vec<_> = shown["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["algo"].as_str().unwrap(), e["digest"].as_str().unwrap()))
        .collect();
    let expected = [
        ("sha512", digest(MessageDigest::sha512(), ONE)),
        ("sm3", digest(MessageDigest::sm3(), ONE)),
        ("sha3-256", digest(MessageDigest::sha3_256(), ONE)),
    ];
    let expected: Vec<_> = expected.iter().map(|(a, d)| (*a, d.as_str())).collect();
    assert_eq!(entries, expected);
}

#[test]
fn only_regular_files_once_each_sorted_and_never_the_lists_themselves() {
    let dir = temp_dir();
    let root = dir.path();
    write(&root.join("z"), "z", 0o644);
    write(&root.join("a/b"), "b", 0o644);
    write(&root.join("lists/tlv-old"), "old", 0o644);
    fs::hard_link(root.join("z"), root.join("a/hard")).unwrap();
    symlink("/a", root.join("link")).unwrap();
    symlink("../z", root.join("a/soft")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        root.join("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let lists = root.join("lists");
    tool!["gen", "files", "-o", lists, "-n", "x", "--root", root, "/", "/link", "a/b"].good();
    assert_eq!(listed(&lists.join("tlv-x")), ["/a/b", "/a/hard", "/z"]);
}

#[test]
fn paths_of_the_running_system_are_made_absolute_and_real() {
    let dir = temp_dir();
    write(&dir.path().join("real/file"), "x", 0o644);
    symlink("real", dir.path().join("link")).unwrap();
    let lists = dir.path().join("lists");
    tool![
        "gen",
        "files",
        "-o",
        lists,
        "-n",
        "x",
        dir.path().join("link/file")
    ]
    .good();
    let real = dir.path().join("real/file").canonicalize().unwrap();
    assert_eq!(listed(&lists.join("tlv-x")), [real.to_str().unwrap()]);
}

#[test]
fn filters_leave_out_what_they_say() {
    let dir = temp_dir();
    let root = dir.path().join("root");
    write(&root.join("bin/script"), "#!/bin/sh\n", 0o755);
    write(&root.join("lib/lib.so"), b"\x7fELF....", 0o644);
    write(&root.join("lib/short"), b"\x7fE", 0o644);
    write(&root.join("share/text"), "text", 0o644);
    let lists = dir.path().join("lists");
    tool![
        "gen",
        "files",
        "-o",
        lists,
        "-n",
        "exec",
        "--root",
        root,
        "--only-executable",
        "/"
    ]
    .good();
    assert_eq!(
        listed(&lists.join("tlv-exec")),
        ["/bin/script", "/lib/lib.so"]
    );
    tool![
        "gen",
        "files",
        "-o",
        lists,
        "-n",
        "ex",
        "--root",
        root,
        "--exclude",
        "/lib",
        "--exclude",
        "*text",
        "/"
    ]
    .good();
    assert_eq!(listed(&lists.join("tlv-ex")), ["/bin/script"]);
    tool![
        "gen",
        "files",
        "-o",
        lists,
        "-n",
        "none",
        "--root",
        root,
        "--only-executable",
        "/share"
    ]
    .bad(&["tlv-none", "no digest"]);
    tool![
        "gen",
        "files",
        "-o",
        lists,
        "-n",
        "none",
        "--root",
        root,
        "--exclude",
        "[",
        "/"
    ]
    .bad(&["--exclude ["]);
    assert_eq!(names(&lists), ["tlv-ex", "tlv-exec"]);
}

#[test]
fn existing_lists_stay_unless_forced() {
    let sample = Sample::new();
    let (root, lists) = (&sample.root, &sample.lists);
    let before = fs::read(&sample.list).unwrap();
    write(&root.join("bin/three"), "3", 0o755);
    let run = |force: &str| {
        tool!["gen", "files", force, "-o", lists, "-n", "sample", "--root", root, "/"]
    };
    run("--quiet").bad(&["tlv-sample", "exists already", "--force"]);
    assert_eq!(fs::read(&sample.list).unwrap(), before);
    run("--force").good();
    assert_eq!(listed(&sample.list).len(), 3);
    assert_eq!(names(lists), ["tlv-sample"]);
}

#[test]
fn names_that_break_the_rules_are_refused() {
    let sample = Sample::new();
    for name in ["", "a/b", &"x".repeat(252)] {
        tool!["gen", "files", "-o", sample.lists, "-n", name, sample.root].bad(&["name"]);
    }
    assert_eq!(names(&sample.lists), ["tlv-sample"]);
}

#[test]
fn paths_that_are_not_text_survive() {
    use std::os::unix::ffi::OsStrExt;
    let dir = temp_dir();
    let root = dir.path().join("root");
    let name = std::ffi::OsStr::from_bytes(b"\xff\n\x1b[2J");
    write(&root.join(name), "x", 0o644);
    let lists = dir.path().join("lists");
    tool!["gen", "files", "-o", lists, "-n", "x", "--root", root, "/"].good();
    let list = lists.join("tlv-x");
    let shown = show(&list);
    assert_eq!(shown["entries"][0]["path_hex"], "2fff0a1b5b324a");
    let text = tool!["show", "--entries", list].good().stdout;
    assert!(text.ends_with("  /\\xff\\n\\u{1b}[2J\n"), "{text:?}");
    tool!["verify", "--root", root, list].good();
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let sample = Sample::new();
    let again = sample.path("again");
    tool![
        "gen",
        "files",
        "-o",
        again,
        "-n",
        "sample",
        "--root",
        sample.root,
        "/lib",
        "/bin"
    ]
    .good();
    assert_eq!(
        fs::read(&sample.list).unwrap(),
        fs::read(again.join("tlv-sample")).unwrap()
    );
}
