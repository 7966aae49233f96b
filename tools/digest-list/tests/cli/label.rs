// SPDX-License-Identifier: GPL-2.0-only
//! `label`. Needs the privilege to set security attributes; without it these tests
//! fail.

use std::fs;
use std::os::unix::fs::{symlink, MetadataExt};

use serde_json::json;

use crate::common::{attribute, labelling_dir, write, Sample};
use crate::tool;

const LABEL: &str = "security.digest_list";

#[test]
fn files_are_attached_to_the_list_that_names_them() {
    let sample = Sample::within(labelling_dir());
    let (root, list) = (&sample.root, &sample.list);
    write(&root.join("bin/unlisted"), "x", 0o755);
    tool!["verify", "--labels", "--root", root, list]
        .stderr
        .lines()
        .for_each(|line| assert!(line.contains("has no security.digest_list"), "{line}"));

    let report = tool!["label", "--json", "--root", root, sample.lists]
        .good()
        .json();
    assert_eq!(report["result"]["changed"], 2);
    for file in ["bin/one", "lib/two"] {
        assert_eq!(
            attribute(&root.join(file), LABEL).as_deref(),
            Some("tlv-sample")
        );
    }
    assert_eq!(attribute(&root.join("bin/unlisted"), LABEL), None);
    tool!["verify", "--labels", "--root", root, list].good();

    // Once more touches nothing.
    let before = fs::metadata(root.join("bin/one")).unwrap();
    let report = tool!["label", "--json", "--root", root, list].good().json();
    let after = fs::metadata(root.join("bin/one")).unwrap();
    assert_eq!(report["result"]["changed"], 0);
    assert_eq!(report["result"]["unchanged"], 2);
    assert_eq!(
        (before.ctime(), before.ctime_nsec()),
        (after.ctime(), after.ctime_nsec())
    );

    tool!["label", "--remove", "--root", root, list].good();
    assert_eq!(attribute(&root.join("bin/one"), LABEL), None);
}

#[test]
fn a_wrong_label_is_found_and_repaired() {
    let sample = Sample::within(labelling_dir());
    let (root, list) = (&sample.root, &sample.list);
    tool!["label", "--root", root, list].good();
    tool!["label", "--root", root, "--as", "tlv-else", "/bin/one"].good();
    tool!["verify", "--labels", "--root", root, list].bad(&["bin/one", "tlv-else", "tlv-sample"]);
    tool!["label", "--root", root, list].good();
    tool!["verify", "--labels", "--root", root, list].good();
    // A value longer than any list name.
    rustix::fs::setxattr(
        root.join("bin/one"),
        LABEL,
        &[b'x'; 300],
        rustix::fs::XattrFlags::empty(),
    )
    .unwrap();
    tool!["label", "--root", root, list].good();
    tool!["verify", "--labels", "--root", root, list].good();
}

#[test]
fn files_and_directories_can_be_attached_by_name() {
    let sample = Sample::within(labelling_dir());
    let root = &sample.root;
    symlink("/lib", root.join("link")).unwrap();
    tool![
        "label",
        "--root",
        root,
        "--as",
        "3-tlv-other",
        "/link",
        "bin/one"
    ]
    .good();
    for file in ["bin/one", "lib/two"] {
        assert_eq!(
            attribute(&root.join(file), LABEL).as_deref(),
            Some("3-tlv-other")
        );
    }
    for name in [
        "",
        "noformat",
        "tlv-a/b",
        &format!("tlv-{}", "x".repeat(252)),
    ] {
        tool!["label", "--root", root, "--as", name, "/bin"]
            .bad(&["not the name of a digest list"]);
    }
    tool!["label", "--root", root, "--as", "tlv-x", "/absent"].bad(&["absent"]);
}

#[test]
fn shared_files_get_the_first_list_that_vouches_for_them() {
    let sample = Sample::within(labelling_dir());
    let (root, lists) = (&sample.root, &sample.lists);
    // One list with an older digest of the file, asked first; two good ones.
    let one = root.join("bin/one");
    let current = fs::read(&one).unwrap();
    fs::write(&one, "old").unwrap();
    tool!["gen", "files", "-o", lists, "-n", "old", "--seq", "1", "--root", root, "/bin/one"]
        .good();
    fs::write(&one, current).unwrap();
    tool!["gen", "files", "-o", lists, "-n", "good", "--seq", "2", "--root", root, "/bin/one"]
        .good();
    // A second name of the same file, through a link, is the same file.
    symlink("/bin", root.join("merged")).unwrap();

    let report = tool!["label", "--json", "--root", root, lists]
        .good()
        .json();
    assert_eq!(
        report["result"]["shared"],
        json!([{
            "path": "/bin/one", "list": "2-tlv-good", "others": ["1-tlv-old", "tlv-sample"]
        }])
    );
    assert_eq!(attribute(&one, LABEL).as_deref(), Some("2-tlv-good"));

    fs::write(&one, "newer than all lists").unwrap();
    tool!["label", "-q", "--root", root, lists]
        .bad(&["bin/one", "1-tlv-old and 2-tlv-good and tlv-sample"]);
}

#[test]
fn links_never_lead_out_of_the_root() {
    let sample = Sample::within(labelling_dir());
    let (root, list) = (&sample.root, &sample.list);
    let outside = sample.path("outside");
    write(&outside.join("one"), "one", 0o755);
    fs::remove_dir_all(root.join("bin")).unwrap();
    symlink(&outside, root.join("bin")).unwrap();
    let report = tool!["label", "--json", "--root", root, list].good().json();
    assert_eq!(report["result"]["skipped"], json!(["/bin/one"]));
    assert_eq!(attribute(&outside.join("one"), LABEL), None);
}

#[test]
fn prefetching_is_turned_on_for_a_directory_of_the_root() {
    let sample = Sample::within(labelling_dir());
    let etc = sample.root.join("etc/digest_lists");
    fs::create_dir_all(&etc).unwrap();
    let prefetch = |dir: &str| tool!["label", "--root", sample.root, "--prefetch", dir];
    prefetch("/etc/digest_lists").good();
    assert_eq!(
        attribute(&etc, "security.dig_prefetch").as_deref(),
        Some("1")
    );
    prefetch("/etc/absent").bad(&["etc/absent"]);
    prefetch("/bin/one").bad(&["bin/one"]);
}

#[test]
fn a_bad_list_stops_before_any_file_is_touched() {
    let sample = Sample::within(labelling_dir());
    write(&sample.lists.join("tlv-zzz"), "garbage", 0o644);
    tool!["label", "--root", sample.root, sample.lists].bad(&["tlv-zzz", "malformed"]);
    assert_eq!(attribute(&sample.root.join("bin/one"), LABEL), None);
}
