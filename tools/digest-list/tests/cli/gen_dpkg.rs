// SPDX-License-Identifier: GPL-2.0-only
//! `gen dpkg`, on a small root file system with merged /usr, a diversion,
//! conffiles, a package of two architectures and files that were not unpacked.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use openssl::hash::MessageDigest;
use serde_json::json;
use tempfile::TempDir;

use crate::common::{digest, listed, names, show, temp_dir, write};
use crate::tool;

struct System {
    dir: TempDir,
    root: PathBuf,
    lists: PathBuf,
}

fn md5(data: &str) -> String {
    digest(MessageDigest::md5(), data.as_bytes())
}

/// What dpkg keeps of a package.
fn register(root: &Path, file_stem: &str, paths: &[&str], packaged: &[(&str, &str)]) {
    let info = root.join("var/lib/dpkg/info");
    let list: String = ["/."]
        .iter()
        .chain(paths)
        .map(|path| format!("{path}\n"))
        .collect();
    write(&info.join(format!("{file_stem}.list")), list, 0o644);
    let mut sums = String::new();
    for (path, data) in packaged {
        writeln!(sums, "{}  {}", md5(data), &path[1..]).unwrap();
    }
    write(&info.join(format!("{file_stem}.md5sums")), sums, 0o644);
}

impl System {
    fn new() -> Self {
        let dir = temp_dir();
        let root = dir.path().join("root");
        let file = |path: &str, data: &str, mode| write(&root.join(path), data, mode);
        file("usr/bin/prog", "prog", 0o755);
        file("usr/bin/tool", "tool of other", 0o755);
        file("usr/bin/tool.real", "tool of prog", 0o755);
        file("usr/lib/libx.so", "libx", 0o644);
        file("usr/lib32/libx.so", "libx32", 0o644);
        file("usr/share/prog/no-sum", "no sum", 0o644);
        file("etc/prog.conf", "as packaged", 0o644);
        file("etc/changed.conf", "edited", 0o644);
        // Links as in a Debian system; the absolute one must stay in the root.
        symlink("usr/bin", root.join("bin")).unwrap();
        symlink("/usr/lib", root.join("lib")).unwrap();
        symlink("prog", root.join("usr/bin/prog-link")).unwrap();

        let status = format!(
            "Package: prog\nStatus: install ok installed\nArchitecture: amd64\n\
             Version: 2:1.0-1\nConffiles:\n /etc/prog.conf {}\n /etc/changed.conf {}\n\
             Description: program\n with a text\n\n\
             Package: other\nStatus: install ok installed\nArchitecture: all\nVersion: 3\n\n\
             Package: libx\nStatus: install ok installed\nArchitecture: amd64\n\
             Multi-Arch: same\nVersion: 1\n\n\
             Package: libx\nStatus: install ok triggers-pending\nArchitecture: i386\n\
             Multi-Arch: same\nVersion: 1\n\n\
             Package: empty\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n\
             Package: removed\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n",
            md5("as packaged"),
            md5("before the edit"),
        );
        file("var/lib/dpkg/status", &status, 0o644);
        file(
            "var/lib/dpkg/diversions",
            "/usr/bin/tool\n/usr/bin/tool.real\nother\n",
            0o644,
        );
        register(
            &root,
            "prog",
            &[
                "/bin",
                "/bin/prog",
                "/etc",
                "/etc/prog.conf",
                "/etc/changed.conf",
                "/usr/bin/prog-link",
                "/usr/bin/tool",
                "/usr/share/prog/no-sum",
                "/usr/share/doc/prog/README",
            ],
            &[
                ("/bin/prog", "prog"),
                ("/usr/bin/tool", "tool of prog"),
                ("/usr/share/doc/prog/README", "not unpacked"),
            ],
        );
        register(
            &root,
            "other",
            &["/usr/bin/tool"],
            &[("/usr/bin/tool", "tool of other")],
        );
        register(
            &root,
            "libx:amd64",
            &["/lib/libx.so"],
            &[("/lib/libx.so", "libx")],
        );
        register(
            &root,
            "libx:i386",
            &["/usr/lib32/libx.so"],
            &[("/usr/lib32/libx.so", "libx32")],
        );
        register(&root, "empty", &["/usr", "/usr/bin/prog-link"], &[]);
        let lists = dir.path().join("lists");
        Self { dir, root, lists }
    }

    fn list(&self, name: &str) -> PathBuf {
        self.lists.join(name)
    }
}

#[test]
fn one_list_a_package() {
    let system = System::new();
    let (root, lists) = (&system.root, &system.lists);
    let run = tool!["gen", "dpkg", "--json", "--root", root, "-o", lists].good();
    assert_eq!(
        names(lists),
        [
            "tlv-libx_1_amd64",
            "tlv-libx_1_i386",
            "tlv-other_3_all",
            "tlv-prog_2:1.0-1_amd64"
        ]
    );
    // Paths as packaged, through merged directories; what is diverted, where it is.
    assert_eq!(
        listed(&system.list("tlv-prog_2:1.0-1_amd64")),
        [
            "/bin/prog",
            "/etc/prog.conf",
            "/usr/bin/tool.real",
            "/usr/share/prog/no-sum"
        ]
    );
    assert_eq!(listed(&system.list("tlv-other_3_all")), ["/usr/bin/tool"]);
    assert_eq!(listed(&system.list("tlv-libx_1_amd64")), ["/lib/libx.so"]);
    let sha256 = |data: &str| digest(MessageDigest::sha256(), data.as_bytes());
    let shown = show(&system.list("tlv-prog_2:1.0-1_amd64"));
    assert_eq!(shown["entries"][0]["digest"], sha256("prog"));
    assert_eq!(shown["entries"][2]["digest"], sha256("tool of prog"));
    assert_eq!(
        show(&system.list("tlv-libx_1_i386"))["entries"][0]["digest"],
        sha256("libx32")
    );

    let report = run.json();
    assert_eq!(report["ok"], true);
    let result = &report["result"];
    let file = |path: &str| json!([{ "package": "prog:amd64", "path": path }]);
    assert_eq!(result["files"], 7);
    assert_eq!(result["digests"], 7);
    assert_eq!(result["lists"].as_array().unwrap().len(), 4);
    assert_eq!(result["empty_packages"], json!(["empty:all"]));
    assert_eq!(result["diverted"], file("/usr/bin/tool.real"));
    assert_eq!(result["missing"], file("/usr/share/doc/prog/README"));
    assert_eq!(result["unchecked"], file("/usr/share/prog/no-sum"));
    assert_eq!(result["changed_conffiles"], file("/etc/changed.conf"));

    tool!["verify", "--root", root, lists].good();
}

#[test]
fn changed_conffiles_are_named_and_listed_on_demand() {
    let system = System::new();
    let (root, lists) = (&system.root, &system.lists);
    let run = tool!["gen", "dpkg", "--root", root, "-o", lists, "prog"].good();
    assert!(
        run.stderr
            .contains("/etc/changed.conf: configuration file of prog:amd64"),
        "{run:?}"
    );
    let include = ["--changed-conffiles", "include"];
    tool!["gen", "dpkg", "--force", "--root", root, "-o", lists, include[0], include[1], "prog"]
        .good();
    assert!(listed(&system.list("tlv-prog_2:1.0-1_amd64")).contains(&"/etc/changed.conf".into()));
}

#[test]
fn a_changed_file_stops_everything() {
    let system = System::new();
    let (root, lists) = (&system.root, &system.lists);
    write(&root.join("usr/bin/prog"), "evil", 0o755);
    let run = tool!["gen", "dpkg", "-q", "--root", root, "-o", lists];
    run.bad(&[
        "bin/prog",
        "prog:amd64",
        &md5("evil"),
        &md5("prog"),
        "reinstall",
    ]);
    assert!(names(lists).is_empty());

    tool![
        "gen",
        "dpkg",
        "-q",
        "--keep-going",
        "--root",
        root,
        "-o",
        lists
    ]
    .bad(&["prog:amd64"]);
    assert_eq!(
        names(lists),
        ["tlv-libx_1_amd64", "tlv-libx_1_i386", "tlv-other_3_all"]
    );
}

#[test]
fn a_file_replaced_by_a_link_stops_everything() {
    let system = System::new();
    let (root, lists) = (&system.root, &system.lists);
    fs::remove_file(root.join("usr/bin/prog")).unwrap();
    symlink("tool", root.join("usr/bin/prog")).unwrap();
    tool!["gen", "dpkg", "-q", "--root", root, "-o", lists].bad(&[
        "bin/prog",
        "a symbolic link",
        "prog:amd64",
    ]);
    assert!(names(lists).is_empty());
}

#[test]
fn packages_are_selected_by_name_and_architecture() {
    let system = System::new();
    let (root, lists) = (&system.root, &system.lists);
    tool![
        "gen",
        "dpkg",
        "--root",
        root,
        "-o",
        lists,
        "libx:i386",
        "other"
    ]
    .good();
    assert_eq!(names(lists), ["tlv-libx_1_i386", "tlv-other_3_all"]);
    for absent in ["nothing", "removed", "libx:arm64"] {
        tool!["gen", "dpkg", "--root", root, "-o", lists, absent].bad(&[absent]);
    }
}

#[test]
fn only_executables() {
    let system = System::new();
    let (root, lists) = (&system.root, &system.lists);
    let run = tool![
        "gen",
        "dpkg",
        "--json",
        "--only-executable",
        "--root",
        root,
        "-o",
        lists
    ];
    let report = run.good().json();
    assert_eq!(names(lists), ["tlv-other_3_all", "tlv-prog_2:1.0-1_amd64"]);
    assert_eq!(
        listed(&system.list("tlv-prog_2:1.0-1_amd64")),
        ["/bin/prog", "/usr/bin/tool.real"]
    );
    assert_eq!(
        report["result"]["empty_packages"],
        json!(["libx:amd64", "libx:i386", "empty:all"])
    );
}

#[test]
fn existing_lists_stay_unless_forced() {
    let system = System::new();
    let (root, lists) = (&system.root, &system.lists);
    write(&system.list("tlv-other_3_all"), "mine", 0o600);
    tool!["gen", "dpkg", "-q", "--root", root, "-o", lists].bad(&[
        "tlv-other_3_all",
        "exists already",
        "--force",
    ]);
    assert_eq!(names(lists), ["tlv-other_3_all"]);
    assert_eq!(fs::read(system.list("tlv-other_3_all")).unwrap(), b"mine");
    tool!["gen", "dpkg", "-q", "--force", "--root", root, "-o", lists].good();
    assert_eq!(listed(&system.list("tlv-other_3_all")), ["/usr/bin/tool"]);
}

#[test]
fn damaged_databases_are_refused() {
    let system = System::new();
    let (root, lists) = (&system.root, &system.lists);
    let dpkg = root.join("var/lib/dpkg");
    let run = || tool!["gen", "dpkg", "-q", "--root", root, "-o", lists];

    fs::remove_file(dpkg.join("info/other.list")).unwrap();
    run().bad(&["other:all", "no file list"]);
    write(&dpkg.join("info/other.list"), "/usr/bin/tool\n", 0o644);

    write(&dpkg.join("info/other.md5sums"), "nonsense\n", 0o644);
    run().bad(&["other:all", "md5sums line 1"]);
    fs::remove_file(dpkg.join("info/other.md5sums")).unwrap();

    write(&dpkg.join("diversions"), "/a\n/b\n", 0o644);
    run().bad(&["diversions", "line 1"]);
    fs::remove_file(dpkg.join("diversions")).unwrap();

    write(&dpkg.join("status"), "Package: x\nnonsense\n", 0o644);
    run().bad(&["status", "line 2"]);
    write(&dpkg.join("status"), "", 0o644);
    run().bad(&["no package is installed"]);
    fs::remove_file(dpkg.join("status")).unwrap();
    run().bad(&["status", "no dpkg database", "--root"]);
    assert!(!lists.exists() || names(lists).is_empty());
    assert!(system.dir.path().exists());
}
