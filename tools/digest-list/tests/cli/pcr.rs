// SPDX-License-Identifier: GPL-2.0-only
//! `pcr`: what it predicts is computed here a second time, with OpenSSL's digests
//! and from the descriptions in the kernel's Documentation/security/IMA-templates.rst.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use rustix::fs::{setxattr, XattrFlags};
use tempfile::TempDir;

use crate::common::{digest, ec_key, labelling_dir, temp_dir, Identity, Sample};
use crate::sign::take_apart;
use crate::tool;

/// A directory of lists with these names, whose content is told by the name.
fn lists(names: &[&str]) -> (TempDir, PathBuf) {
    let dir = temp_dir();
    let lists = dir.path().join("lists");
    fs::create_dir(&lists).unwrap();
    for name in names {
        fs::write(lists.join(name), content(name)).unwrap();
    }
    (dir, lists)
}

/// Not a list: IMA measures what is read before anybody knows.
fn content(name: &str) -> String {
    format!("content of {name}")
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

fn algo(name: &str) -> MessageDigest {
    match name {
        "sha1" => MessageDigest::sha1(),
        "sha256" => MessageDigest::sha256(),
        "sha384" => MessageDigest::sha384(),
        "sha512" => MessageDigest::sha512(),
        _ => panic!("{name}"),
    }
}

/// The field `d-ng`.
fn d_ng(hash: &str, data: impl AsRef<[u8]>) -> Vec<u8> {
    let mut field = format!("{hash}:\0").into_bytes();
    field.extend(unhex(&digest(algo(hash), data.as_ref())));
    field
}

/// The field `n-ng`.
fn n_ng(path: &str) -> Vec<u8> {
    format!("{path}\0").into_bytes()
}

/// Template data: each field after its length.
fn data(fields: &[Vec<u8>]) -> Vec<u8> {
    let mut data = Vec::new();
    for field in fields {
        data.extend(u32::try_from(field.len()).unwrap().to_le_bytes());
        data.extend(field);
    }
    data
}

/// Template data of `ima-ng` for a list in the default directory.
fn ng(name: &str) -> Vec<u8> {
    let path = format!("/etc/digest_lists/{name}");
    data(&[d_ng("sha256", content(name)), n_ng(&path)])
}

/// The PCR after these measurements.
fn pcr(bank: &str, measurements: &[Vec<u8>]) -> String {
    let mut value = vec![0; algo(bank).size()];
    for data in measurements {
        value.extend(unhex(&digest(algo(bank), data)));
        value = unhex(&digest(algo(bank), &value));
    }
    value.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is printed for the bank of SHA-256.
fn line(measurements: &[Vec<u8>]) -> String {
    format!("sha256 {}\n", pcr("sha256", measurements))
}

#[test]
fn each_bank_is_a_line_and_lists_go_by_their_numbers() {
    let (_dir, lists) = lists(&["10-rpm-b", "tlv-a", "9-tlv-c", "0-tlv-d"]);
    let measurements = ["0-tlv-d", "9-tlv-c", "10-rpm-b", "tlv-a"].map(ng);
    let run = tool!["pcr", lists].good();
    assert_eq!(run.stdout, line(&measurements));
    assert_eq!(run.stderr, "");

    let run = tool![
        "pcr", "--bank", "sha512", "--bank", "sha1", "--bank", "sha384", "--bank", "sha1", lists
    ]
    .good();
    let banks = ["sha512", "sha1", "sha384"];
    let expected = banks.map(|bank| format!("{bank} {}\n", pcr(bank, &measurements)));
    assert_eq!(run.stdout, expected.concat());
}

/// Written down from this program, for the lists of the test above:
///
/// ```python
/// import hashlib, struct
/// sha256 = lambda data: hashlib.sha256(data).digest()
/// pcr = bytes(32)
/// for name in b'0-tlv-d', b'9-tlv-c', b'10-rpm-b', b'tlv-a':
///     fields = (b'sha256:\0' + sha256(b'content of ' + name),
///               b'/etc/digest_lists/' + name + b'\0')
///     data = b''.join(struct.pack('<I', len(f)) + f for f in fields)
///     pcr = sha256(pcr + sha256(data))
/// print(pcr.hex())
/// ```
#[test]
fn the_value_is_that_of_another_implementation() {
    let (_dir, lists) = lists(&["10-rpm-b", "tlv-a", "9-tlv-c", "0-tlv-d"]);
    assert_eq!(
        tool!["pcr", lists].good().stdout,
        "sha256 a902b180746891c74a829e828cad4fe3bea2a559f33c9c43be666fa5f58fe77c\n"
    );
}

#[test]
fn hash_path_and_template_are_those_of_the_kernel() {
    let (_dir, lists) = lists(&["1-tlv-a"]);
    let content = content("1-tlv-a");
    for hash in ["sha1", "sha256", "sha384", "sha512"] {
        let typed = [b"ima:", &d_ng(hash, &content)[..]].concat();
        let cases = [
            (
                "ima-ng",
                vec![d_ng(hash, &content), n_ng("/run/lists/1-tlv-a")],
            ),
            ("ima-ngv2", vec![typed.clone(), n_ng("/run/lists/1-tlv-a")]),
            ("ima-sigv2", vec![typed, n_ng("/run/lists/1-tlv-a"), vec![]]),
            (
                "ima-sig",
                vec![d_ng(hash, &content), n_ng("/run/lists/1-tlv-a"), vec![]],
            ),
            (
                "ima-modsig",
                vec![
                    d_ng(hash, &content),
                    n_ng("/run/lists/1-tlv-a"),
                    vec![],
                    vec![],
                    vec![],
                ],
            ),
        ];
        for (template, fields) in cases {
            let run = tool![
                "pcr",
                "--hash",
                hash,
                "--template",
                template,
                "--path",
                "//run/./lists/",
                lists
            ]
            .good();
            assert_eq!(run.stdout, line(&[data(&fields)]), "{hash} {template}");
        }
    }
    let run = tool!["pcr", "--path", "/", lists].good();
    let fields = [d_ng("sha256", content), n_ng("/1-tlv-a")];
    assert_eq!(run.stdout, line(&[data(&fields)]));
}

#[test]
fn what_the_numbers_leave_open_is_as_in_the_directory() {
    let names = [
        "tlv-d", "tlv-a", "tlv-c", "tlv-b", "5-tlv-y", "05-tlv-x", "1-tlv-z",
    ];
    let (_dir, lists) = lists(&names);
    let in_directory: Vec<_> = fs::read_dir(&lists)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let starting = |start: &str| {
        let names = in_directory.iter().filter(|name| name.starts_with(start));
        names.map(|name| ng(name)).collect::<Vec<_>>()
    };
    let fives: Vec<_> = in_directory
        .iter()
        .filter(|name| name.contains("5-"))
        .map(|name| ng(name))
        .collect();
    let measurements = [vec![ng("1-tlv-z")], fives, starting("tlv-")].concat();

    let warned = |run: &crate::common::Run, number: u32| {
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        let words = format!("warning: {number} lists have no sequence number of their own");
        assert!(run.stderr.contains(&words), "{run:?}");
    };
    let run = tool!["pcr", lists].good();
    assert_eq!(run.stdout, line(&measurements));
    warned(&run, 6);
    let run = tool!["pcr", "--last", "5-tlv-y", lists].good();
    warned(&run, 2);
    let run = tool!["pcr", "--last", "1-tlv-z", lists].good();
    assert_eq!(run.stderr, "");

    let run = tool!["pcr", "--quiet", lists].good();
    assert_eq!(run.stdout, line(&measurements));
    assert_eq!(run.stderr, "");
}

#[test]
fn the_last_list_may_be_an_earlier_one() {
    let (_dir, lists) = lists(&["1-tlv-a", "2-tlv-b", "3-tlv-c", "tlv-d"]);
    fs::write(lists.join("0-tlv-empty"), "").unwrap();
    let order = ["1-tlv-a", "2-tlv-b", "3-tlv-c", "tlv-d"];
    for (position, last) in order.into_iter().enumerate() {
        let run = tool!["pcr", "-q", "--last", last, lists].good();
        let measurements: Vec<_> = order[..=position].iter().map(|name| ng(name)).collect();
        assert_eq!(run.stdout, line(&measurements), "{last}");
    }
    let run = tool!["pcr", "--last", "2-tlv-c", lists].bad(&["2-tlv-c", "not in the directory"]);
    assert_eq!(run.stdout, "");
    tool!["pcr", "--last", "0-tlv-empty", lists].bad(&["0-tlv-empty", "is empty"]);
}

#[test]
fn only_what_the_kernel_reads_is_measured() {
    let (dir, lists) = lists(&["1-tlv-a", "2-pgp-b"]);
    let alone = line(&[ng("1-tlv-a")]);
    for name in ["README", "tlv", ".tlv-hidden", "99999999999-tlv-a", "tlv-"] {
        fs::write(lists.join(name), "text").unwrap();
    }
    fs::write(lists.join("3-tlv-empty"), "").unwrap();
    fs::create_dir(lists.join("4-tlv-directory")).unwrap();
    std::os::unix::fs::symlink("1-tlv-a", lists.join("5-tlv-link")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        lists.join("6-tlv-fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let large = fs::File::create(lists.join("7-tlv-large")).unwrap();
    large.set_len((1 << 32) + 1).unwrap();

    let run = tool!["pcr", "--verbose", lists].good();
    assert_eq!(run.stdout, alone);
    let told: Vec<_> = run
        .stderr
        .lines()
        .map(|line| line.strip_prefix("digest-list: ").unwrap())
        .collect();
    assert_eq!(
        told[0],
        "11 names are no lists that the kernel reads, left out"
    );
    for words in [
        "  .tlv-hidden is of the unknown format '.tlv'",
        "  2-pgp-b is of the unknown format 'pgp'",
        "  3-tlv-empty is empty",
        "  4-tlv-directory is not a regular file",
        "  5-tlv-link is not a regular file",
        "  6-tlv-fifo is not a regular file",
    ] {
        assert!(told.contains(&words), "no '{words}' in {told:#?}");
    }
    let starting = |start: &str| told.iter().any(|line| line.starts_with(start));
    assert!(starting("  7-tlv-large ") && starting("  README is not the name"));
    assert_eq!(told.len(), 12, "{told:#?}");

    // A module brings a format.
    let run = tool!["pcr", "-q", "--format", "rpmx", "--format", "pgp", lists].good();
    assert_eq!(run.stdout, line(&[ng("1-tlv-a"), ng("2-pgp-b")]));

    // The other name of a list is another list.
    fs::hard_link(lists.join("1-tlv-a"), lists.join("8-tlv-again")).unwrap();
    let run = tool!["pcr", "-q", lists].good();
    let path = "/etc/digest_lists/8-tlv-again";
    let again = data(&[d_ng("sha256", content("1-tlv-a")), n_ng(path)]);
    assert_eq!(run.stdout, line(&[ng("1-tlv-a"), again]));
    drop(dir);
}

/// IMA writes an underscore for a space, so these are the same to it.
#[test]
fn a_measurement_is_not_extended_twice() {
    let (_dir, lists) = lists(&["0-tlv-x"]);
    fs::write(lists.join("1-tlv-a b"), "same").unwrap();
    fs::write(lists.join("1-tlv-a_b"), "same").unwrap();
    fs::write(lists.join("2-tlv-a_b"), "same").unwrap();
    let same = |name: &str| {
        let path = format!("/etc/digest_lists/{name}");
        data(&[d_ng("sha256", "same"), n_ng(&path)])
    };
    let measurements = [ng("0-tlv-x"), same("1-tlv-a_b"), same("2-tlv-a_b")];
    let run = tool!["pcr", "--verbose", lists].good();
    assert_eq!(run.stdout, line(&measurements));
    assert!(run
        .stderr
        .contains("1 lists are measured like an earlier one"));

    // The same file in another content is another measurement.
    fs::write(lists.join("1-tlv-a b"), "different").unwrap();
    let run = tool!["pcr", "-q", "--json", lists].good().json();
    let entries = run["result"]["measurements"].as_array().unwrap().len();
    assert_eq!(entries, 4);
}

#[test]
fn ascii_lines_are_those_of_the_kernel() {
    let (_dir, lists) = lists(&["1-tlv-a"]);
    fs::write(lists.join("2-tlv-a b"), "x").unwrap();
    let other = data(&[d_ng("sha256", "x"), n_ng("/etc/digest_lists/2-tlv-a_b")]);
    let expected = format!(
        "12 {} ima-ng sha256:{} /etc/digest_lists/1-tlv-a\n\
         12 {} ima-ng sha256:{} /etc/digest_lists/2-tlv-a_b\n{}",
        digest(MessageDigest::sha1(), &ng("1-tlv-a")),
        digest(MessageDigest::sha256(), content("1-tlv-a").as_bytes()),
        digest(MessageDigest::sha1(), &other),
        digest(MessageDigest::sha256(), b"x"),
        line(&[ng("1-tlv-a"), other.clone()])
    );
    let run = tool!["pcr", "--ascii", lists].good();
    assert_eq!(run.stdout, expected);
    let run = tool!["pcr", "--ascii", "--pcr", "8", lists].good();
    let expected = expected.replace("12 ", " 8 ");
    assert_eq!(run.stdout, expected);
}

#[test]
fn json_tells_everything() {
    let (_dir, lists) = lists(&["1-tlv-a", "tlv-b", "tlv-c"]);
    fs::write(lists.join("tlv-d"), "").unwrap();
    let run = tool!["pcr", "--json", "--pcr", "11", "--last", "1-tlv-a", lists].good();
    let sha1 = digest(MessageDigest::sha1(), &ng("1-tlv-a"));
    let sha256 = digest(MessageDigest::sha256(), content("1-tlv-a").as_bytes());
    let path = "/etc/digest_lists/1-tlv-a";
    let hex: String = ng("1-tlv-a").iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        run.json(),
        serde_json::json!({
            "ok": true,
            "result": {
                "pcr": 11,
                "template": "ima-ng",
                "banks": [{ "bank": "sha256", "value": pcr("sha256", &[ng("1-tlv-a")]) }],
                "measurements": [{
                    "list": "1-tlv-a",
                    "path": path,
                    "template_data": hex,
                    "line": format!("11 {sha1} ima-ng sha256:{sha256} {path}"),
                }],
                "repeated": [],
                "left_out": [{ "name": "tlv-d", "why": "is empty" }],
                "unordered": [],
            },
            "errors": [],
        })
    );
    let run = tool!["pcr", "--json", "-q", lists].good().json();
    let unordered = run["result"]["unordered"].as_array().unwrap().len();
    assert_eq!(unordered, 2);
}

#[test]
fn security_ima_chooses_the_digest_and_is_the_signature() {
    let dir = labelling_dir();
    let list = dir.path().join("1-tlv-a");
    fs::write(&list, content("1-tlv-a")).unwrap();
    let set = |name: &str, value: &[u8]| {
        setxattr(&list, name, value, XattrFlags::empty()).expect("attribute");
    };
    let run = |template: &str| {
        tool!["pcr", "--template", template, dir.path()]
            .good()
            .stdout
    };
    let fields = |hash: &str| {
        vec![
            d_ng(hash, content("1-tlv-a")),
            n_ng("/etc/digest_lists/1-tlv-a"),
        ]
    };
    let with = |hash: &str, signature: &[u8]| {
        line(&[data(&[fields(hash), vec![signature.to_vec()]].concat())])
    };

    // A signature of version 2 with SHA-512 (6), key id, size, and more than the
    // 256 bytes of other attributes.
    let signature = [&[3, 2, 6, 1, 2, 3, 4, 1, 0][..], &[0x5a; 300]].concat();
    set("security.ima", &signature);
    assert_eq!(run("ima-sig"), with("sha512", &signature));
    assert_eq!(run("ima-ng"), line(&[data(&fields("sha512"))]));
    let modsig = [fields("sha512"), vec![signature.clone(), vec![], vec![]]].concat();
    assert_eq!(run("ima-modsig"), line(&[data(&modsig)]));

    // A digest (SHA-1) is no signature; the portable one of EVM stands in for it.
    let sha1 = [&[4, 2][..], &[0; 20]].concat();
    set("security.ima", &sha1);
    assert_eq!(run("ima-sig"), with("sha1", b""));
    set("security.evm", &[5, 2, 4, 0xaa]);
    assert_eq!(run("ima-sig"), with("sha1", &[5, 2, 4, 0xaa]));
}

/// `d-modsig` is of the content that is signed, `d-ng` of the whole file, and
/// `modsig` is the message without what follows it.
#[test]
fn appended_signatures_are_measured() {
    let sample = Sample::new();
    let identities = [
        (Identity::rsa(sample.dir.path(), "rsa"), "sha256"),
        (Identity::p384(sample.dir.path(), "p384"), "sha384"),
        (
            Identity::new(sample.dir.path(), "p521", ec_key(Nid::SECP521R1)),
            "sha512",
        ),
    ];
    let unsigned = fs::read(&sample.list).unwrap();
    let path = n_ng("/etc/digest_lists/tlv-sample");
    let modsig = |options: &[&str]| {
        let mut arguments = vec!["pcr", "--template", "ima-modsig"];
        arguments.extend(options);
        arguments.push(sample.lists.to_str().unwrap());
        crate::common::tool(arguments)
    };
    for (identity, hash) in &identities {
        tool![
            "sign",
            "--replace",
            "--hash",
            hash,
            "--key",
            identity.key_path,
            "--cert",
            identity.cert_path,
            sample.list
        ]
        .good();
        let signed = fs::read(&sample.list).unwrap();
        let (content, message) = take_apart(&sample.list);
        assert_eq!(content, unsigned);
        let file = d_ng("sha256", &signed);
        let fields = [
            file.clone(),
            path.clone(),
            vec![],
            d_ng(hash, &content),
            message,
        ];
        assert_eq!(modsig(&[]).good().stdout, line(&[data(&fields)]), "{hash}");

        let without = [file.clone(), path.clone(), vec![], vec![], vec![]];
        let run = modsig(&["--no-modsig"]).good();
        assert_eq!(run.stdout, line(&[data(&without)]));
        let run = tool!["pcr", sample.lists].good();
        assert_eq!(run.stdout, line(&[data(&[file, path.clone()])]));
    }

    // Altered content under a signature is measured as it is.
    let mut altered = fs::read(&sample.list).unwrap();
    altered[unsigned.len() - 1] ^= 1;
    fs::write(&sample.list, &altered).unwrap();
    let (content, message) = take_apart(&sample.list);
    let fields = [
        d_ng("sha256", &altered),
        path.clone(),
        vec![],
        d_ng("sha512", content),
        message,
    ];
    assert_eq!(modsig(&[]).good().stdout, line(&[data(&fields)]));

    // So is what only looks like a signature.
    altered[unsigned.len()] = 0x04;
    fs::write(&sample.list, &altered).unwrap();
    let fields = [d_ng("sha256", &altered), path, vec![], vec![], vec![]];
    assert_eq!(modsig(&[]).good().stdout, line(&[data(&fields)]));
}

/// A list with this message appended, as sign-file does it.
fn append(list: &Path, message: &[u8]) {
    let mut data = fs::read(list).unwrap();
    data.extend(message);
    data.extend([0, 0, 2, 0, 0, 0, 0, 0]);
    data.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    data.extend(b"~Module signature appended~\n");
    fs::write(list, data).unwrap();
}

#[test]
fn a_wrong_prediction_is_worse_than_none() {
    let sample = Sample::new();
    let unsigned = fs::read(&sample.list).unwrap();
    // Has a key identifier, by which a signer can be named.
    let (cert, key) = (sample.path("cert.pem"), sample.path("key.pem"));
    let openssl = |arguments: &[&OsStr]| {
        let run = Command::new("openssl").args(arguments).output();
        let run = run.expect("run openssl");
        assert!(run.status.success(), "{run:?}");
    };
    let request = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=id -keyout";
    let request = request.split(' ').map(OsStr::new);
    openssl(
        &request
            .chain([key.as_os_str(), OsStr::new("-out"), cert.as_os_str()])
            .collect::<Vec<_>>(),
    );
    let message = sample.path("message");
    let cms = |options: &str| {
        fs::write(&sample.list, &unsigned).unwrap();
        let files = [
            ("-in", &sample.list),
            ("-signer", &cert),
            ("-inkey", &key),
            ("-out", &message),
        ];
        let files = files.map(|(option, file)| [OsStr::new(option), file.as_os_str()]);
        openssl(
            &"cms -sign -binary -outform DER"
                .split(' ')
                .chain(options.split(' '))
                .map(OsStr::new)
                .chain(files.into_iter().flatten())
                .collect::<Vec<_>>(),
        );
        append(&sample.list, &fs::read(&message).unwrap());
    };
    let run = || tool!["pcr", "--template", "ima-modsig", sample.lists];

    // What the kernel's sign-file makes, with either name of the signer.
    for options in ["-noattr -nocerts", "-noattr -nocerts -keyid"] {
        cms(options);
        let (content, message) = take_apart(&sample.list);
        let fields = [
            d_ng("sha256", fs::read(&sample.list).unwrap()),
            n_ng("/etc/digest_lists/tlv-sample"),
            vec![],
            d_ng("sha256", content),
            message,
        ];
        assert_eq!(run().good().stdout, line(&[data(&fields)]), "{options}");
    }
    // Attributes, certificates, content; another digest.
    for options in [
        "-nocerts",
        "-noattr",
        "-noattr -nocerts -nodetach",
        "-noattr -nocerts -md sha224",
    ] {
        cms(options);
        let run = run().bad(&["tlv-sample", "not predicted", "digest-list sign"]);
        assert_eq!(run.stdout, "", "{options}");
        // No matter where appended signatures do not count.
        tool!["pcr", sample.lists].good();
    }
}

#[test]
fn a_saved_measurement_list_is_compared() {
    let names = ["1-tlv-a", "2-tlv-b", "3-tlv-c"];
    let (dir, lists) = lists(&names);
    let saved = dir.path().join("measurements");
    let entry = |bank: &str, name: &str| {
        format!(
            "12 {} ima-ng sha256:{} /etc/digest_lists/{name}\n",
            digest(algo(bank), &ng(name)),
            digest(MessageDigest::sha256(), content(name).as_bytes())
        )
    };
    let zero = "0".repeat(40);
    // Names of files may have line feeds.
    let other = format!("10 {zero} ima-ng sha256:{zero} /tmp/a\n12 b\n");
    let [a, b, c] = names.map(|name| entry("sha1", name));
    let compare = |text: &str| {
        fs::write(&saved, text).unwrap();
        let run = tool!["pcr", "--measurements", saved, lists];
        assert_eq!(run.stdout, line(&names.map(ng)));
        run
    };

    let good = [&other[..], &a, &b, &other, &c, &other].concat();
    assert_eq!(compare(&good).good().stderr, "");
    let of_another_bank = names.map(|name| entry("sha384", name)).concat();
    compare(&of_another_bank).good();
    // Only the entries of this PCR count.
    fs::write(&saved, good.replace("12 ", "11 ")).unwrap();
    tool!["pcr", "--pcr", "11", "--measurements", saved, lists].good();

    let cases = [
        (
            [&a[..], &b].concat(),
            "ends before entry 3 of PCR 12, which is /etc/digest_lists/3-tlv-c",
        ),
        (
            [&a[..], &other, &b, &b, &c].concat(),
            "line 5 (entry 3 of PCR 12) is about /etc/digest_lists/2-tlv-b, \
             not /etc/digest_lists/3-tlv-c",
        ),
        (
            [&a[..], &b, &c, &a].concat(),
            "line 4 has an entry of PCR 12 after the last one predicted: \
             /etc/digest_lists/1-tlv-a",
        ),
        (
            a.replace("ima-ng", "ima-sig"),
            "line 1 (entry 1 of PCR 12) has the template ima-sig, not ima-ng",
        ),
        (
            a.replace("sha256:", "sha256:00"),
            "line 1 (entry 1 of PCR 12) has sha256:00",
        ),
        (zero.clone(), "line 1 is no entry of a measurement list"),
        ("text\n".to_owned(), "line 1 is no entry"),
        (String::new(), "ends before entry 1 of PCR 12"),
    ];
    for (text, words) in cases {
        compare(&text).bad(&["measurements: ", words]);
    }
    // A template digest that is not that of the entry.
    let forged = format!("12 {zero}{}", &a[43..]);
    compare(&forged).bad(&["template digest for /etc/digest_lists/1-tlv-a that does not fit"]);
    let odd = format!("12 {}{}", &zero[2..], &a[43..]);
    compare(&odd).bad(&["line 1", "algorithm that is not predicted"]);
    let longer = a.replace('\n', " 00\n");
    compare(&longer).bad(&["more or fewer fields for /etc/digest_lists/1-tlv-a"]);

    fs::remove_file(&saved).unwrap();
    tool!["pcr", "--measurements", saved, lists].bad(&["measurements: cannot read"]);
    let run = tool!["pcr", "--json", "--measurements", saved, lists];
    assert_eq!(run.status, 1);
    assert_eq!(run.json()["ok"], false);
    assert_eq!(
        run.json()["result"]["banks"][0]["value"],
        pcr("sha256", &names.map(ng))
    );
}

#[test]
fn other_signatures_are_named_by_their_field() {
    let sample = Sample::new();
    let identity = Identity::p384(sample.dir.path(), "id");
    let saved = sample.path("measurements");
    let sign = || {
        tool![
            "sign",
            "--replace",
            "-k",
            identity.key_path,
            "-c",
            identity.cert_path,
            sample.list
        ]
        .good()
    };
    sign();
    let options = ["pcr", "--template", "ima-modsig"];
    let run = tool![options[0], options[1], options[2], "--ascii", sample.lists].good();
    let entry = run.stdout.lines().next().unwrap();
    let compare = |text: &str| {
        fs::write(&saved, text).unwrap();
        tool![
            options[0],
            options[1],
            options[2],
            "--measurements",
            saved,
            sample.lists
        ]
    };
    compare(entry).good();
    let fields: Vec<_> = entry.split(' ').collect();
    for (number, name) in [(5, "sig"), (6, "d-modsig"), (7, "modsig")] {
        let mut fields = fields.clone();
        fields[number] = "00";
        let words = format!("another {name} for /etc/digest_lists/tlv-sample");
        compare(&fields.join(" ")).bad(&[&words]);
    }
}

#[test]
fn bad_directories_are_named() {
    let dir = temp_dir();
    tool!["pcr", dir.path()].bad(&[dir.path().to_str().unwrap(), "no digest list"]);
    tool!["pcr", dir.path().join("absent")].bad(&["absent", "No such file"]);
    let file = dir.path().join("tlv-file");
    fs::write(&file, "x").unwrap();
    tool!["pcr", file].bad(&["tlv-file", "Not a directory"]);

    let run = tool!["pcr", "--json", dir.path().join("absent")];
    assert_eq!(run.status, 1);
    assert_eq!(run.json()["result"], serde_json::Value::Null);
}

#[test]
fn names_need_not_be_text() {
    let dir = temp_dir();
    let name = OsStr::from_bytes(b"tlv-\xff\n");
    fs::write(dir.path().join(name), "x").unwrap();
    let path = b"/etc/digest_lists/tlv-\xff\n\0".to_vec();
    let measured = data(&[d_ng("sha256", "x"), path]);
    let run = tool!["pcr", "--last", name, dir.path()].good();
    assert_eq!(run.stdout, line(&[measured]));
    let run = tool!["pcr", "--json", dir.path()].good().json();
    assert_eq!(run["result"]["measurements"][0]["list"], "tlv-\\xff\\n");
}

#[test]
fn wrong_usage_is_status_2() {
    let (_dir, lists) = lists(&["tlv-a"]);
    for (arguments, word) in [
        (&["--hash", "md5"][..], "sha384"),
        (&["--bank", "sha224"], "sha384"),
        (&["--template", "ima"], "ima-modsig"),
        (&["--path", "etc/digest_lists"], "absolute"),
        (&["--path", "/etc/../digest_lists"], "absolute"),
        (&["--pcr", "24"], "23"),
        (&["--format", "a-b"], "19 characters"),
        (&["--format", "12"], "19 characters"),
        (&["another"], "another"),
    ] {
        let all = [&["pcr", lists.to_str().unwrap()], arguments].concat();
        let run = crate::common::tool(all);
        assert_eq!(run.status, 2, "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(word), "{arguments:?}: {run:?}");
        assert_eq!(run.stdout, "");
    }
    assert_eq!(tool!["pcr"].status, 2);
}
