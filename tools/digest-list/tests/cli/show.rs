// SPDX-License-Identifier: GPL-2.0-only
//! `show`.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use crate::common::{show, Identity, Sample};
use crate::tool;

#[test]
fn text_tells_what_is_in_a_list() {
    let sample = Sample::new();
    let text = tool!["show", sample.list].good().stdout;
    for line in [
        "name:      sample",
        "format:    tlv",
        "digests:   2",
        "signature: none",
    ] {
        assert!(text.contains(line), "no '{line}' in {text}");
    }
    assert!(!text.contains("/bin/one"));
    let text = tool!["show", "--entries", sample.list].good().stdout;
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("sha256:"))
            .count(),
        2
    );
    assert!(text.contains("  /bin/one\n"), "{text}");

    let identity = Identity::p384(sample.dir.path(), "somebody");
    tool![
        "sign",
        "-k",
        identity.key_path,
        "-c",
        identity.cert_path,
        sample.list
    ]
    .good();
    let text = tool!["show", sample.list].good().stdout;
    assert!(
        text.contains("signature: by CN=somebody, O=Test lists, serial "),
        "{text}"
    );
    assert!(
        text.contains("(ecdsa-with-SHA256 with SHA256), not verified"),
        "{text}"
    );
}

#[test]
fn json_is_one_object_a_list_in_the_kernel_s_order() {
    let sample = Sample::new();
    for name in ["9-tlv-b", "10-tlv-a", "tlv-a"] {
        fs::copy(&sample.list, sample.lists.join(name)).unwrap();
    }
    let text = tool!["show", "--json", sample.lists].good().stdout;
    let lists: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<_> = lists
        .iter()
        .map(|list| list["file"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["9-tlv-b", "10-tlv-a", "tlv-a", "tlv-sample"]);
    let shown = show(&sample.list);
    assert_eq!(shown["format"], "tlv");
    assert_eq!(shown["seq"], serde_json::Value::Null);
    assert_eq!(shown["bytes"], fs::metadata(&sample.list).unwrap().len());
    assert_eq!(shown["content_bytes"], shown["bytes"]);
    assert_eq!(shown["signature"], serde_json::Value::Null);
    assert_eq!(
        shown["tables"],
        serde_json::json!([{ "algo": "sha256", "type": "data", "digests": 2 }])
    );
    assert_eq!(lists[0].get("entries"), None);
}

#[test]
fn a_bad_list_does_not_hide_the_others() {
    let sample = Sample::new();
    fs::write(sample.lists.join("tlv-bad"), "garbage").unwrap();
    let run = tool!["show", "--json", sample.lists].bad(&["tlv-bad"]);
    assert_eq!(run.stdout.lines().count(), 1);
    let run = tool!["show", "--json", sample.path("absent")].bad(&["absent"]);
    assert_eq!(run.stdout, "");
}

/// A list in RPM's header format, put together here from the description of the
/// format: two files and a directory.
#[test]
fn rpm_headers_are_lists_too() {
    let sample = Sample::new();
    let digest = "ab".repeat(32);
    let mut tags = Vec::new();
    let mut data = Vec::new();
    let mut tag = |number: u32, kind: u32, count: u32, align: usize, bytes: &[u8]| {
        data.resize(data.len().next_multiple_of(align), 0);
        for field in [number, kind, u32::try_from(data.len()).unwrap(), count] {
            tags.extend(field.to_be_bytes());
        }
        data.extend(bytes);
    };
    tag(1030, 3, 2, 2, &[0x41, 0xed, 0x81, 0xed]);
    tag(1035, 8, 2, 1, format!("\0{digest}\0").as_bytes());
    tag(1116, 4, 2, 4, &[0; 8]);
    tag(1117, 8, 2, 1, b"dir\0file\0");
    tag(1118, 8, 1, 1, b"/usr/\0");
    tag(5011, 4, 1, 4, &8_u32.to_be_bytes());
    let mut list = vec![0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
    list.extend(6_u32.to_be_bytes());
    list.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
    list.extend(tags);
    list.extend(data);
    let path = sample.lists.join("rpm-file-1.0");
    fs::write(&path, list).unwrap();
    let shown = show(&path);
    assert_eq!(shown["format"], "rpm");
    assert_eq!(
        shown["entries"],
        serde_json::json!([
            { "algo": "sha256", "type": "data", "digest": digest, "path": "/usr/file" }
        ])
    );
}

#[test]
fn a_closed_pipe_is_no_error() {
    let sample = Sample::new();
    // More than a pipe holds.
    for number in 0..2000 {
        fs::copy(&sample.list, sample.lists.join(format!("{number}-tlv-x"))).unwrap();
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_digest-list"))
        .args(["show", "--entries"])
        .arg(&sample.lists)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let mut complaints = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut complaints)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(complaints, "");
}
