// SPDX-License-Identifier: GPL-2.0-only
//! What is not a good list: every command refuses it in one line that names it,
//! with exit status 1, and leaves everything as it was.

use std::fs;
use std::path::PathBuf;

use crate::common::{names, Identity, Sample};
use crate::tool;

/// A file name, its content, and a word that the message must have.
fn bad_lists(good: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let marker = b"~Module signature appended~\n";
    let trailer = |len: u32, id_type: u8| {
        let mut bytes = vec![0, 0, id_type, 0, 0, 0, 0, 0];
        bytes.extend(len.to_be_bytes());
        bytes.extend(marker);
        bytes
    };
    let with = |more: &[u8]| [good, more].concat();
    vec![
        (
            "tlv-truncated",
            good[..good.len() - 1].to_vec(),
            "malformed",
        ),
        ("tlv-half", good[..good.len() / 2].to_vec(), "malformed"),
        ("tlv-longer", with(b"\0"), "malformed"),
        (
            "tlv-foreign",
            b"\x7fELF\x02\x01\x01".repeat(100),
            "malformed",
        ),
        ("tlv-text", b"#!/bin/sh\necho list\n".to_vec(), "malformed"),
        ("rpm-wrong-format", good.to_vec(), "malformed"),
        ("tlv-only-marker", with(marker), "malformed"),
        (
            "tlv-long-signature",
            with(&trailer(1 << 30, 2)),
            "malformed",
        ),
        (
            "tlv-padding",
            with(&[vec![1], trailer(1, 2)].concat()[..]).to_vec(),
            "PKCS#7",
        ),
        ("foo-unknown", good.to_vec(), "unknown list format"),
        ("noformat", good.to_vec(), "not the name of a digest list"),
    ]
}

#[test]
fn every_command_refuses_every_bad_list() {
    let sample = Sample::new();
    let identity = Identity::rsa(sample.dir.path(), "id");
    let good = fs::read(&sample.list).unwrap();
    for (name, content, word) in bad_lists(&good) {
        let list = sample.path(name);
        fs::write(&list, &content).unwrap();
        let show = tool!["show", list];
        assert_eq!(show.stdout, "", "{name}");
        show.bad(&[name, word]);
        tool![
            "verify",
            "-q",
            "--root",
            sample.root,
            "-c",
            identity.cert_path,
            list
        ]
        .bad(&[name, word]);
        if word == "PKCS#7" {
            continue;
        }
        tool!["label", "--root", sample.root, list].bad(&[name, word]);
        tool![
            "sign",
            "-q",
            "-k",
            identity.key_path,
            "-c",
            identity.cert_path,
            list
        ]
        .bad(&[name, word]);
        assert_eq!(fs::read(&list).unwrap(), content, "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let sample = Sample::new();
    let fifo = sample.path("tlv-fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let empty = sample.path("empty");
    fs::create_dir(&empty).unwrap();
    let too_long = sample.path("tlv-long");
    fs::File::create(&too_long)
        .unwrap()
        .set_len((1 << 32) + 1)
        .unwrap();
    let cases: [(PathBuf, &str); 4] = [
        (sample.path("tlv-absent"), "cannot read: No such file"),
        (fifo, "not a regular file"),
        (empty, "no digest list"),
        (too_long, "4 GiB"),
    ];
    for (path, word) in cases {
        let name = path.file_name().unwrap().to_str().unwrap();
        for command in ["show", "verify", "label"] {
            tool![command, path].bad(&[name, word]);
        }
    }
}

#[test]
fn a_foreign_file_among_the_lists_is_named() {
    let sample = Sample::new();
    fs::write(sample.lists.join("README"), "text").unwrap();
    tool!["show", sample.lists].bad(&["README", "not the name"]);
    // What an interrupted writer may leave behind is nobody's list.
    fs::rename(sample.lists.join("README"), sample.lists.join(".README")).unwrap();
    tool!["show", sample.lists].good();
}

#[test]
fn wrong_usage_is_status_2() {
    let sample = Sample::new();
    let before = names(&sample.lists);
    for arguments in [
        &["frobnicate"][..],
        &["gen"],
        &["gen", "files", "-n", "x", "/bin"],
        &[
            "gen", "files", "-o", "/absent", "-n", "x", "-a", "sha257", "/bin",
        ],
        &[
            "gen",
            "files",
            "-o",
            "/absent",
            "-n",
            "x",
            "--seq",
            "4294967296",
            "/bin",
        ],
        &["sign", "--key", "k", "--hash", "md5", "tlv-x"],
        &["sign", "--key", "k", "--force", "tlv-x"],
        &["label"],
        &["label", "--as", "tlv-x", "--remove", "/bin"],
        &["show"],
        &["verify", "--file", "x"],
    ] {
        let run = crate::common::tool(arguments);
        assert_eq!(run.status, 2, "{arguments:?}: {run:?}");
        assert_eq!(run.stdout, "");
        assert!(
            run.stderr.contains("Usage:") || run.stderr.contains("error:"),
            "{run:?}"
        );
    }
    assert_eq!(names(&sample.lists), before);
}

#[test]
fn errors_that_end_a_command_are_json_too() {
    let sample = Sample::new();
    let run = tool![
        "verify",
        "--json",
        "--root",
        sample.path("absent"),
        sample.list
    ]
    .bad(&["absent"]);
    assert_eq!(run.json()["ok"], false);
    assert_eq!(run.json()["errors"].as_array().unwrap().len(), 1);
    assert_eq!(run.json()["result"], serde_json::Value::Null);
}
