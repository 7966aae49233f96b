// SPDX-License-Identifier: GPL-2.0-only
//! Running the command, and things to run it on.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509NameBuilder, X509};
use serde_json::Value;
use tempfile::TempDir;

/// What a run of the command gave.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Expects success without any complaint of ours.
    #[track_caller]
    pub fn good(self) -> Self {
        assert_eq!(self.status, 0, "{self:?}");
        self
    }

    /// Expects failure for reasons of a file, told in exactly one line that has
    /// all the words.
    #[track_caller]
    pub fn bad(self, words: &[&str]) -> Self {
        assert_eq!(self.status, 1, "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "no '{word}' in {self:?}");
        }
        self
    }

    /// The single JSON document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// Runs `digest-list`.
pub fn tool<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_digest-list"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("run digest-list");
    Run {
        status: output.status.code().expect("exit status"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
    }
}

/// Runs the command with arguments of mixed types.
#[macro_export]
macro_rules! tool {
    ($($argument:expr),+ $(,)?) => {
        $crate::common::tool([$(std::ffi::OsString::from(&$argument)),+])
    };
}

/// A directory that vanishes with the test.
pub fn temp_dir() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("temporary directory")
}

/// A temporary directory where security attributes can be set.
pub fn labelling_dir() -> TempDir {
    let candidates = [
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
        std::env::temp_dir(),
        PathBuf::from("/var/tmp"),
    ];
    for candidate in &candidates {
        let Ok(dir) = tempfile::tempdir_in(candidate) else {
            continue;
        };
        let set = rustix::fs::setxattr(
            dir.path(),
            "security.digest_list",
            b"tlv-probe",
            rustix::fs::XattrFlags::empty(),
        );
        if set.is_ok() {
            return dir;
        }
    }
    panic!("no security attribute can be set in any of {candidates:?}: run as root, on ext4 or the like");
}

/// The value of a file's attribute.
pub fn attribute(path: &Path, name: &str) -> Option<String> {
    let mut value = [0; 256];
    match rustix::fs::getxattr(path, name, &mut value) {
        Ok(len) => Some(String::from_utf8(value[..len].to_vec()).expect("UTF-8")),
        Err(rustix::io::Errno::NODATA) => None,
        Err(e) => panic!("{}: {e}", path.display()),
    }
}

/// Writes a file with its directories.
pub fn write(path: &Path, content: impl AsRef<[u8]>, mode: u32) {
    fs::create_dir_all(path.parent().expect("parent")).expect("directories");
    fs::write(path, content).expect("file");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

/// Names in a directory, sorted.
pub fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .expect("directory")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    names.sort();
    names
}

/// Everything that `show` tells about one list.
#[track_caller]
pub fn show(list: &Path) -> Value {
    tool!["show", "--json", "--entries", list].good().json()
}

/// Paths in a list, in its order.
#[track_caller]
pub fn listed(list: &Path) -> Vec<String> {
    show(list)["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| entry["path"].as_str().expect("path").to_owned())
        .collect()
}

/// A digest by an implementation that is not under test.
pub fn digest(algo: MessageDigest, data: &[u8]) -> String {
    openssl::hash::hash(algo, data)
        .expect("digest")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A private key with a certificate, as files.
pub struct Identity {
    pub key: PKey<Private>,
    pub key_path: PathBuf,
    pub cert_path: PathBuf,
}

pub fn rsa_key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).expect("RSA")).expect("key")
}

pub fn ec_key(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).expect("curve");
    PKey::from_ec_key(EcKey::generate(&group).expect("EC")).expect("key")
}

impl Identity {
    /// Makes the certificate for a key and writes both as PEM.
    pub fn new(dir: &Path, name: &str, key: PKey<Private>) -> Self {
        let mut subject = X509NameBuilder::new().expect("name");
        subject.append_entry_by_text("CN", name).expect("name");
        subject
            .append_entry_by_text("O", "Test lists")
            .expect("name");
        let subject = subject.build();
        let mut serial = BigNum::new().expect("number");
        serial.rand(120, MsbOption::ONE, false).expect("number");
        let mut builder = X509::builder().expect("certificate");
        builder.set_version(2).expect("certificate");
        builder
            .set_serial_number(&serial.to_asn1_integer().expect("number"))
            .expect("certificate");
        builder.set_subject_name(&subject).expect("certificate");
        builder.set_issuer_name(&subject).expect("certificate");
        builder.set_pubkey(&key).expect("certificate");
        builder
            .set_not_before(&Asn1Time::days_from_now(0).expect("time"))
            .expect("certificate");
        builder
            .set_not_after(&Asn1Time::days_from_now(1).expect("time"))
            .expect("certificate");
        builder
            .sign(&key, MessageDigest::sha256())
            .expect("certificate");
        let key_path = dir.join(format!("{name}.key.pem"));
        let cert_path = dir.join(format!("{name}.cert.pem"));
        fs::write(&key_path, key.private_key_to_pem_pkcs8().expect("PEM")).expect("key file");
        fs::write(&cert_path, builder.build().to_pem().expect("PEM")).expect("certificate file");
        Self {
            key,
            key_path,
            cert_path,
        }
    }

    pub fn rsa(dir: &Path, name: &str) -> Self {
        Self::new(dir, name, rsa_key())
    }

    pub fn p384(dir: &Path, name: &str) -> Self {
        Self::new(dir, name, ec_key(Nid::SECP384R1))
    }
}

/// A list of two files below a root of its own.
pub struct Sample {
    pub dir: TempDir,
    pub root: PathBuf,
    pub lists: PathBuf,
    pub list: PathBuf,
}

pub const ONE: &[u8] = b"one";
pub const TWO: &[u8] = b"two two";

impl Sample {
    pub fn new() -> Self {
        Self::within(temp_dir())
    }

    pub fn within(dir: TempDir) -> Self {
        let root = dir.path().join("root");
        let lists = dir.path().join("lists");
        write(&root.join("bin/one"), ONE, 0o755);
        write(&root.join("lib/two"), TWO, 0o644);
        tool!["gen", "files", "-o", lists, "-n", "sample", "--root", root, "/"].good();
        let list = lists.join("tlv-sample");
        Self {
            dir,
            root,
            lists,
            list,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}
