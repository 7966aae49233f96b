// SPDX-License-Identifier: GPL-2.0-only
//! `verify`: files against lists.

use std::fs;
use std::os::unix::fs::symlink;

use crate::common::{write, Identity, Sample, ONE};
use crate::tool;

#[test]
fn each_kind_of_difference_is_one_line() {
    let sample = Sample::new();
    let (root, list) = (&sample.root, &sample.list);
    let verify = || tool!["verify", "--root", root, list];
    let run = verify().good();
    assert_eq!(
        run.stdout,
        "1 of 1 lists good, 2 files as listed, 0 errors\n"
    );

    let one = root.join("bin/one");
    write(&one, "One", 0o755);
    verify().bad(&["bin/one", "differs from tlv-sample"]);
    fs::remove_file(&one).unwrap();
    verify().bad(&["bin/one", "does not exist", "--ignore-missing"]);
    tool!["verify", "-q", "--ignore-missing", "--root", root, list].good();
    symlink("../lib/two", &one).unwrap();
    verify().bad(&["bin/one", "a symbolic link"]);
    fs::remove_file(&one).unwrap();
    fs::create_dir(&one).unwrap();
    verify().bad(&["bin/one", "a directory"]);
    fs::remove_dir(&one).unwrap();
    write(&one, ONE, 0o755);
    verify().good();
}

#[test]
fn every_algorithm_of_a_list_must_agree() {
    let sample = Sample::new();
    let (root, lists) = (&sample.root, &sample.lists);
    tool![
        "gen",
        "files",
        "-o",
        lists,
        "-n",
        "two",
        "-a",
        "sha512,md5",
        "--root",
        root,
        "/bin"
    ]
    .good();
    let list = lists.join("tlv-two");
    tool!["verify", "--root", root, list].good();
    let mut data = fs::read(&list).unwrap();
    // The last digest is the MD5 one, before the last path.
    let offset = data.len() - "/bin/one".len() - 6 - 1;
    data[offset] ^= 1;
    fs::write(&list, data).unwrap();
    tool!["verify", "--root", root, list].bad(&["bin/one", "differs", "md5"]);
}

#[test]
fn json_has_the_same_errors() {
    let sample = Sample::new();
    write(&sample.root.join("bin/one"), "changed", 0o755);
    let run = tool!["verify", "--json", "--root", sample.root, sample.list].bad(&["bin/one"]);
    let report = run.json();
    assert_eq!(report["ok"], false);
    assert_eq!(report["result"]["lists"], 1);
    assert_eq!(report["result"]["good_files"], 1);
    let errors = report["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1);
    assert!(errors[0]["subject"].as_str().unwrap().ends_with("/bin/one"));
    assert!(errors[0]["what"]
        .as_str()
        .unwrap()
        .starts_with("differs from tlv-sample"));
}

#[test]
fn files_are_found_by_digest_wherever_they_are() {
    let sample = Sample::new();
    let (copy, other) = (sample.path("copy"), sample.path("other"));
    write(&copy, ONE, 0o644);
    write(&other, "other", 0o644);
    let run = tool!["verify", "--file", copy, sample.lists].good();
    assert!(
        run.stdout.contains("copy: in tlv-sample (sha256)"),
        "{run:?}"
    );
    tool!["verify", "--file", copy, "--file", other, sample.lists]
        .bad(&["other", "in none of the lists"]);
    let identity = Identity::rsa(sample.dir.path(), "id");
    tool![
        "verify",
        "-c",
        identity.cert_path,
        "--file",
        copy,
        sample.lists
    ]
    .bad(&["not signed"]);
}

#[test]
fn any_of_several_certificates_will_do() {
    let sample = Sample::new();
    let dir = sample.dir.path();
    let (one, two) = (Identity::rsa(dir, "one"), Identity::p384(dir, "two"));
    fs::copy(&sample.list, sample.lists.join("tlv-b")).unwrap();
    tool!["sign", "-k", one.key_path, "-c", one.cert_path, sample.list].good();
    tool![
        "sign",
        "-k",
        two.key_path,
        "-c",
        two.cert_path,
        sample.lists.join("tlv-b")
    ]
    .good();
    let root = &sample.root;
    tool![
        "verify",
        "--root",
        root,
        "-c",
        one.cert_path,
        "-c",
        two.cert_path,
        sample.lists
    ]
    .good();
    tool!["verify", "--root", root, "-c", one.cert_path, sample.lists].bad(&["tlv-b", "CN=two"]);
}
