// SPDX-License-Identifier: GPL-2.0-only
//! `sign`: what it writes is checked by OpenSSL's own command and by `verify`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::symm::Cipher;

use crate::common::{ec_key, names, show, Identity, Sample};
use crate::tool;

const MARKER: &[u8] = b"~Module signature appended~\n";

/// Content and PKCS#7 message of a signed list, taken apart without our parser.
pub fn take_apart(list: &Path) -> (Vec<u8>, Vec<u8>) {
    let data = fs::read(list).unwrap();
    let data = data.strip_suffix(MARKER).expect("marker");
    let (data, info) = data.split_at(data.len() - 12);
    assert_eq!(info[..8], [0, 0, 2, 0, 0, 0, 0, 0]);
    let len = u32::from_be_bytes(info[8..].try_into().unwrap()) as usize;
    let (content, message) = data.split_at(data.len() - len);
    (content.to_vec(), message.to_vec())
}

/// Lets the `openssl` command check a signed list.
fn openssl_accepts(list: &Path, cert: &Path, dir: &Path) -> bool {
    let (content, message) = take_apart(list);
    let (content_path, message_path) = (dir.join("content"), dir.join("message"));
    fs::write(&content_path, content).unwrap();
    fs::write(&message_path, message).unwrap();
    Command::new("openssl")
        .args([
            "cms",
            "-verify",
            "-binary",
            "-inform",
            "DER",
            "-noverify",
            "-nointern",
        ])
        .arg("-in")
        .arg(message_path)
        .arg("-content")
        .arg(content_path)
        .arg("-certfile")
        .arg(cert)
        .args(["-out", "/dev/null"])
        .output()
        .expect("run openssl")
        .status
        .success()
}

#[test]
fn signatures_of_every_kind_are_good() {
    let sample = Sample::new();
    let dir = sample.dir.path();
    let unsigned = fs::read(&sample.list).unwrap();
    let p256 = Identity::new(dir, "p256", ec_key(Nid::X9_62_PRIME256V1));
    let p521 = Identity::new(dir, "p521", ec_key(Nid::SECP521R1));
    let identities = [
        (Identity::rsa(dir, "rsa"), "rsaEncryption"),
        (Identity::p384(dir, "p384"), "ecdsa-with"),
        (p256, "ecdsa-with"),
        (p521, "ecdsa-with"),
    ];
    for (identity, kind) in &identities {
        for hash in ["sha256", "sha384", "sha512"] {
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
            assert_eq!(take_apart(&sample.list).0, unsigned);
            assert!(
                openssl_accepts(&sample.list, &identity.cert_path, dir),
                "{kind} {hash}"
            );
            let shown = show(&sample.list);
            let signer = &shown["signature"]["signers"][0];
            assert_eq!(signer["digest"], hash.to_uppercase());
            assert!(
                signer["algorithm"].as_str().unwrap().starts_with(kind),
                "{signer}"
            );
            assert!(
                signer["issuer"].as_str().unwrap().ends_with("O=Test lists"),
                "{signer}"
            );
            tool![
                "verify",
                "--root",
                sample.root,
                "--cert",
                identity.cert_path,
                sample.list
            ]
            .good();
        }
    }
}

/// RSA signatures are deterministic: the message is, byte for byte, the one that
/// the structure written down here gives (RFC 5652, what the kernel build makes).
#[test]
fn the_message_has_no_attributes_and_no_certificate() {
    let sample = Sample::new();
    let identity = Identity::rsa(sample.dir.path(), "rsa");
    tool![
        "sign",
        "-k",
        identity.key_path,
        "-c",
        identity.cert_path,
        sample.list
    ]
    .good();
    let (content, message) = take_apart(&sample.list);

    let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &identity.key).unwrap();
    signer.update(&content).unwrap();
    let raw = signer.sign_to_vec().unwrap();
    let tail = [&[0x04, 0x82, 0x01, 0x00], &raw[..]].concat();
    assert!(
        message.ends_with(&tail),
        "the signature is over the content itself"
    );
    // Two algorithm identifiers, SHA-256 and rsaEncryption, precede the signature:
    // no signed attributes are between them.
    let sha256 = [
        0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0,
    ];
    let rsa = [
        0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0,
    ];
    let head = &message[..message.len() - tail.len()];
    let without_parameters = [0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    assert!(
        head.ends_with(&[&sha256[..], &rsa[..]].concat())
            || head.ends_with(&[&without_parameters[..], &rsa[..]].concat()),
        "{head:02x?}"
    );
    let certificate = fs::read(&identity.cert_path).unwrap();
    let certificate = openssl::x509::X509::from_pem(&certificate).unwrap();
    let key = certificate
        .public_key()
        .unwrap()
        .rsa()
        .unwrap()
        .n()
        .to_vec();
    assert!(!message.windows(key.len()).any(|window| window == key));
}

#[test]
fn signed_lists_are_refused_unless_replaced() {
    let sample = Sample::new();
    let (one, two) = (
        Identity::rsa(sample.dir.path(), "one"),
        Identity::p384(sample.dir.path(), "two"),
    );
    let sign = |by: &Identity| tool!["sign", "-k", by.key_path, "-c", by.cert_path, sample.list];
    sign(&one).good();
    let before = fs::read(&sample.list).unwrap();
    sign(&two).bad(&["tlv-sample", "signed already", "--replace"]);
    assert_eq!(fs::read(&sample.list).unwrap(), before);
    tool![
        "sign",
        "--replace",
        "-k",
        two.key_path,
        "-c",
        two.cert_path,
        sample.list
    ]
    .good();
    let verify = |by: &Identity| {
        tool![
            "verify",
            "--root",
            sample.root,
            "-c",
            by.cert_path,
            sample.list
        ]
    };
    verify(&two).good();
    verify(&one).bad(&["tlv-sample", "CN=two"]);
    assert_eq!(names(&sample.lists), ["tlv-sample"]);
}

#[test]
fn an_altered_list_or_signature_is_found() {
    let sample = Sample::new();
    let identity = Identity::p384(sample.dir.path(), "id");
    let verify = || {
        tool![
            "verify",
            "--root",
            sample.root,
            "-c",
            identity.cert_path,
            sample.list
        ]
    };
    verify().bad(&["tlv-sample", "not signed"]);
    tool![
        "sign",
        "-k",
        identity.key_path,
        "-c",
        identity.cert_path,
        sample.list
    ]
    .good();
    let good = fs::read(&sample.list).unwrap();
    let content_len = take_apart(&sample.list).0.len();

    // A byte of the first path: the list stays well-formed.
    let slash = good.iter().position(|&b| b == b'/').unwrap();
    // A byte of the signature value, at the end of the message.
    let value = good.len() - MARKER.len() - 12 - 1;
    // The first byte of the message: no DER any more.
    for (offset, words) in [
        (slash + 1, "does not match"),
        (value, "does not match"),
        (content_len, "not a PKCS#7"),
    ] {
        let mut bad = good.clone();
        bad[offset] ^= 1;
        fs::write(&sample.list, bad).unwrap();
        verify().bad(&["tlv-sample", words]);
    }
    fs::write(&sample.list, good).unwrap();
    verify().good();
}

#[test]
fn a_certificate_that_only_looks_like_the_signer_is_no_help() {
    let sample = Sample::new();
    let identity = Identity::rsa(sample.dir.path(), "id");
    tool![
        "sign",
        "-k",
        identity.key_path,
        "-c",
        identity.cert_path,
        sample.list
    ]
    .good();
    // Same issuer and serial number, another key.
    let real = openssl::x509::X509::from_pem(&fs::read(&identity.cert_path).unwrap()).unwrap();
    let other = ec_key(Nid::SECP384R1);
    let mut builder = openssl::x509::X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(real.serial_number()).unwrap();
    builder.set_subject_name(real.subject_name()).unwrap();
    builder.set_issuer_name(real.issuer_name()).unwrap();
    builder.set_not_before(real.not_before()).unwrap();
    builder.set_not_after(real.not_after()).unwrap();
    builder.set_pubkey(&other).unwrap();
    builder.sign(&other, MessageDigest::sha256()).unwrap();
    let fake = sample.path("fake.pem");
    fs::write(&fake, builder.build().to_pem().unwrap()).unwrap();
    tool!["verify", "--root", sample.root, "-c", fake, sample.list].bad(&["does not match"]);
}

#[test]
fn many_lists_at_once_keep_their_modes_and_bad_ones_stay() {
    let sample = Sample::new();
    for number in 0..20 {
        fs::copy(&sample.list, sample.lists.join(format!("{number}-tlv-x"))).unwrap();
    }
    let private = sample.lists.join("3-tlv-x");
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
    let broken = sample.lists.join("5-tlv-x");
    fs::write(&broken, b"broken").unwrap();
    let identity = Identity::p384(sample.dir.path(), "id");
    let run = tool![
        "sign",
        "--json",
        "-k",
        identity.key_path,
        "-c",
        identity.cert_path,
        sample.lists
    ]
    .bad(&["5-tlv-x", "malformed"]);
    assert_eq!(run.json()["result"]["signed"].as_array().unwrap().len(), 20);
    assert_eq!(run.json()["ok"], false);
    assert_eq!(fs::read(&broken).unwrap(), b"broken");
    assert_eq!(
        fs::metadata(&private).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    fs::remove_file(broken).unwrap();
    assert_eq!(names(&sample.lists).len(), 20);
    tool![
        "verify",
        "--root",
        sample.root,
        "-c",
        identity.cert_path,
        sample.lists
    ]
    .good();
}

#[test]
fn signed_copies_go_to_another_directory() {
    let sample = Sample::new();
    let before = fs::read(&sample.list).unwrap();
    let identity = Identity::rsa(sample.dir.path(), "id");
    let out = sample.path("signed");
    let sign = |force: &str| {
        tool![
            "sign",
            "-o",
            out,
            force,
            "-k",
            identity.key_path,
            "-c",
            identity.cert_path,
            sample.list
        ]
    };
    sign("--quiet").good();
    assert_eq!(fs::read(&sample.list).unwrap(), before);
    let copy = out.join("tlv-sample");
    tool![
        "verify",
        "--root",
        sample.root,
        "-c",
        identity.cert_path,
        copy
    ]
    .good();
    sign("--quiet").bad(&["exists already", "--force"]);
    sign("--force").good();
}

#[test]
fn keys_and_certificates_that_do_not_fit_are_refused() {
    let sample = Sample::new();
    let dir = sample.dir.path();
    let before = fs::read(&sample.list).unwrap();
    let (one, two) = (Identity::rsa(dir, "one"), Identity::rsa(dir, "two"));
    let koblitz = Identity::new(dir, "koblitz", ec_key(Nid::SECP256K1));
    let ed = openssl::pkey::PKey::generate_ed25519().unwrap();
    let ed_path = sample.path("ed.pem");
    fs::write(&ed_path, ed.private_key_to_pem_pkcs8().unwrap()).unwrap();
    let locked = sample.path("locked.pem");
    let pem = one
        .key
        .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"secret");
    fs::write(&locked, pem.unwrap()).unwrap();
    let (right, wrong) = (sample.path("right"), sample.path("wrong"));
    fs::write(&right, "secret\n").unwrap();
    fs::write(&wrong, "guess\n").unwrap();
    let sign = |key: &Path, cert: &Path| tool!["sign", "-k", key, "-c", cert, sample.list];

    sign(&one.key_path, &two.cert_path).bad(&["two.cert.pem", "does not belong"]);
    sign(&koblitz.key_path, &koblitz.cert_path).bad(&["koblitz.key.pem", "curve"]);
    sign(&ed_path, &one.cert_path).bad(&["does not belong"]);
    sign(&one.cert_path, &one.cert_path).bad(&["one.cert.pem", "no private key"]);
    sign(&one.key_path, &sample.list).bad(&["tlv-sample", "no X.509 certificate"]);
    sign(&sample.path("absent"), &one.cert_path).bad(&["absent", "cannot read"]);
    sign(&locked, &one.cert_path).bad(&["locked.pem", "encrypted", "--passphrase-file"]);
    let unlock = |file: &Path| {
        tool![
            "sign",
            "--passphrase-file",
            file,
            "-k",
            locked,
            "-c",
            one.cert_path,
            sample.list
        ]
    };
    unlock(&wrong).bad(&["locked.pem", "passphrase"]);
    assert_eq!(fs::read(&sample.list).unwrap(), before);
    unlock(&right).good();
}

#[test]
fn key_and_certificate_may_be_one_file_and_the_certificate_der() {
    let sample = Sample::new();
    let identity = Identity::rsa(sample.dir.path(), "id");
    let pem = fs::read(&identity.cert_path).unwrap();
    let both = sample.path("both.pem");
    fs::write(
        &both,
        [fs::read(&identity.key_path).unwrap(), pem.clone()].concat(),
    )
    .unwrap();
    let der = sample.path("cert.x509");
    fs::write(
        &der,
        openssl::x509::X509::from_pem(&pem)
            .unwrap()
            .to_der()
            .unwrap(),
    )
    .unwrap();
    tool!["sign", "-k", both, sample.list].good();
    tool!["verify", "--root", sample.root, "-c", der, sample.list].good();
}
