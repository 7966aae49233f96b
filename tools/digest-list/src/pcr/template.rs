// SPDX-License-Identifier: GPL-2.0-only
//! The templates of IMA: which fields a measurement has, their bytes, the digest
//! over them, and their text (ima_template.c, ima_template_lib.c, ima_crypto.c and
//! ima_fs.c of the kernel).
//!
//! Not supported: `ima`, `ima-buf` and `evm-sig`, custom formats.

use clap::ValueEnum;
use digest_list_formats::parsers::algo::HashAlgo;

use super::modsig::Modsig;
use crate::bytes::hex;
use crate::hash::{digest_of, Unsupported};

/// A template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// Digest and path.
    ImaNg,
    /// Digest, path and signature.
    ImaSig,
    /// Digest with its type, and path.
    ImaNgv2,
    /// Digest with its type, path and signature.
    ImaSigv2,
    /// Digest, path, signature, and the appended signature with its own digest.
    ImaModsig,
}

/// A field of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `d-ng`
    Digest,
    /// `d-ngv2`
    TypedDigest,
    /// `n-ng`
    Path,
    /// `sig`
    Signature,
    /// `d-modsig`
    ModsigDigest,
    /// `modsig`
    Modsig,
}

/// What is measured.
pub struct Event<'a> {
    /// The algorithm of the digest.
    pub algo: HashAlgo,
    /// The digest of the whole file, with what is appended to it.
    pub digest: &'a [u8],
    /// The path of the file.
    pub path: &'a [u8],
    /// The signature among its attributes, or nothing.
    pub signature: &'a [u8],
    /// The signature appended to it.
    pub modsig: Option<&'a Modsig>,
}

/// A measurement with its fields filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    template: Template,
    fields: Vec<Vec<u8>>,
}

impl Template {
    /// The kernel's name of the template.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImaNg => "ima-ng",
            Self::ImaSig => "ima-sig",
            Self::ImaNgv2 => "ima-ngv2",
            Self::ImaSigv2 => "ima-sigv2",
            Self::ImaModsig => "ima-modsig",
        }
    }

    /// The fields, in their order.
    pub fn fields(self) -> &'static [Field] {
        use Field::{Digest, Modsig, ModsigDigest, Path, Signature, TypedDigest};
        match self {
            Self::ImaNg => &[Digest, Path],
            Self::ImaSig => &[Digest, Path, Signature],
            Self::ImaNgv2 => &[TypedDigest, Path],
            Self::ImaSigv2 => &[TypedDigest, Path, Signature],
            Self::ImaModsig => &[Digest, Path, Signature, ModsigDigest, Modsig],
        }
    }

    /// Whether the appended signature matters.
    pub fn has_modsig(self) -> bool {
        self.fields().contains(&Field::Modsig)
    }

    /// The measurement of an event.
    pub fn entry(self, event: &Event<'_>) -> Entry {
        Entry {
            template: self,
            fields: self
                .fields()
                .iter()
                .map(|field| field.bytes(event))
                .collect(),
        }
    }
}

impl Field {
    /// What the template calls the field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Digest => "d-ng",
            Self::TypedDigest => "d-ngv2",
            Self::Path => "n-ng",
            Self::Signature => "sig",
            Self::ModsigDigest => "d-modsig",
            Self::Modsig => "modsig",
        }
    }

    fn bytes(self, event: &Event<'_>) -> Vec<u8> {
        let digest = |kind: &str, algo: HashAlgo, digest: &[u8]| {
            [format!("{kind}{}:\0", algo.name()).as_bytes(), digest].concat()
        };
        match self {
            Self::Digest => digest("", event.algo, event.digest),
            Self::TypedDigest => digest("ima:", event.algo, event.digest),
            Self::Path => {
                // A space would be the end of the field in a line of text.
                let path = event.path.iter().map(|&b| if b == b' ' { b'_' } else { b });
                path.chain([0]).collect()
            }
            Self::Signature => event.signature.to_vec(),
            Self::ModsigDigest => event
                .modsig
                .map(|modsig| digest("", modsig.algo, &modsig.digest))
                .unwrap_or_default(),
            Self::Modsig => event
                .modsig
                .map(|modsig| modsig.message.clone())
                .unwrap_or_default(),
        }
    }

    /// The text of the field's bytes.
    fn text(self, bytes: &[u8]) -> Vec<u8> {
        let (string, rest) = match self {
            Self::Signature | Self::Modsig => (&b""[..], bytes),
            Self::Digest | Self::TypedDigest | Self::ModsigDigest | Self::Path => {
                let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
                let (string, rest) = bytes.split_at(end);
                (string, rest.strip_prefix(b"\0").unwrap_or(rest))
            }
        };
        [string, hex(rest).as_bytes()].concat()
    }
}

impl Entry {
    /// The bytes that are hashed: each field after its length, which is
    /// little-endian on little-endian machines and with `ima_canonical_fmt`.
    pub fn data(&self) -> Vec<u8> {
        let mut data = Vec::new();
        for field in &self.fields {
            // None is longer than an attribute, a message or a path.
            let len = u32::try_from(field.len()).unwrap_or(u32::MAX);
            data.extend_from_slice(&len.to_le_bytes());
            data.extend_from_slice(field);
        }
        data
    }

    /// The template digest, which is what extends the PCR of a bank.
    pub fn digest(&self, algo: HashAlgo) -> Result<Box<[u8]>, Unsupported> {
        digest_of(algo, &[&self.data()])
    }

    /// The line in `ascii_runtime_measurements_<algo>`, without a line feed.
    pub fn line(&self, pcr: u32, algo: HashAlgo) -> Result<Vec<u8>, Unsupported> {
        let mut line = format!("{pcr:2} {} ", hex(&self.digest(algo)?)).into_bytes();
        line.extend_from_slice(self.template.name().as_bytes());
        for (field, bytes) in self.template.fields().iter().zip(&self.fields) {
            line.push(b' ');
            line.extend_from_slice(&field.text(bytes));
        }
        Ok(line)
    }

    /// The template.
    pub fn template(&self) -> Template {
        self.template
    }

    /// The path as IMA writes it.
    pub fn path(&self) -> &[u8] {
        let path = self
            .template
            .fields()
            .iter()
            .zip(&self.fields)
            .find_map(|(&field, bytes)| (field == Field::Path).then_some(bytes.as_slice()))
            .unwrap_or_default();
        path.strip_suffix(b"\0").unwrap_or(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Template; 5] = [
        Template::ImaNg,
        Template::ImaSig,
        Template::ImaNgv2,
        Template::ImaSigv2,
        Template::ImaModsig,
    ];

    fn bytes(text: &str) -> Vec<u8> {
        let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(byte).collect()
    }

    /// Lines of the measurement lists of two machines, as they are published with
    /// the tests of Keylime: what a kernel has computed.
    #[test]
    fn lines_that_a_kernel_wrote() {
        let lines = [
            "10 7936eb315fb4e74b99e7d461bc5c96049e1ee092 ima-ng \
             sha1:bc026ae66d81713e4e852465e980784dc96651f8 /usr/lib/systemd/systemd",
            "10 5426cf3031a43f5bfca183d79950698a95a728f6 ima-sig \
             sha256:f1125b940480d20ad841d26d5ea253edc0704b5ec1548c891edf212cb1a9365e \
             /lib/modules/5.4.48-openpower1/kernel/drivers/usb/common/usb-common.ko ",
            "10 5d4d5141ccd5066d50dc3f21d79ba02fedc24256 ima-sig \
             sha256:b8ae0b8dd04a5935cd8165aa2260cd11b658bd71629bdb52256a675a1f73907b \
             /usr/bin/zmore \
             030204531f402500483046022100fe24678d21083ead47660e1a2d553a592d777c478d1b0466de\
             6ed484b54956b3022100cad3adb37f277bbb03544d6107751b4cd4f2289d8353fa36257400a993\
             34d5c3",
        ];
        for line in lines {
            let fields: Vec<_> = line.split(' ').collect();
            let template = ALL.into_iter().find(|t| t.name() == fields[2]).unwrap();
            let (algo, digest) = fields[3].split_once(':').unwrap();
            let entry = template.entry(&Event {
                algo: HashAlgo::from_name(algo).unwrap(),
                digest: &bytes(digest),
                path: fields[4].as_bytes(),
                signature: &bytes(fields.get(5).unwrap_or(&"")),
                modsig: None,
            });
            let written = entry.line(10, HashAlgo::Sha1).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), line);
            assert_eq!(entry.path(), fields[4].as_bytes());
        }
    }

    /// Template digests (SHA-1, SHA-256) that this program prints:
    ///
    /// ```python
    /// import hashlib, struct
    /// def data(*fields):
    ///     return b''.join(struct.pack('<I', len(f)) + f for f in fields)
    /// d = b'sha512:\0' + hashlib.sha512(b'contentSIGNATURE').digest()
    /// n = b'/etc/digest_lists/12-tlv-a_b\0'
    /// m = b'sha256:\0' + hashlib.sha256(b'content').digest()
    /// for fields in ((d, n), (d, n, b'\3\2\6'),
    ///                (b'ima:' + d, n), (b'ima:' + d, n, b'\3\2\6'),
    ///                (d, n, b'\3\2\6', m, b'0\1\0'), (d, n, b'', b'', b'')):
    ///     for algo in 'sha1', 'sha256':
    ///         print(hashlib.new(algo, data(*fields)).hexdigest())
    /// ```
    #[test]
    fn digests_of_every_template() {
        let modsig = Modsig {
            algo: HashAlgo::Sha256,
            digest: digest_of(HashAlgo::Sha256, &[b"content"]).unwrap(),
            message: b"0\x01\0".to_vec(),
        };
        let cases = [
            (
                Template::ImaNg,
                true,
                "c98642b2f0a49998e9fa658c7da7ed3080d9a192",
                "9d65f9ef9a931a52d82d4cc4295f42be45dce26a62dfadcc114396679cba9084",
            ),
            (
                Template::ImaSig,
                true,
                "b9e52d5e3b4a1bd6650dc2c8626a00e00790a49b",
                "f85014c2174e762b7337abe829e9485e2bc7a2ee5ec46bf17ec7710c63aa55ae",
            ),
            (
                Template::ImaNgv2,
                true,
                "a42a40d2f60df616d8cc5c2cbc769a03207c0522",
                "8e71ee91f2a20f6c3ac803f96373589efcd1734b47a76541f649b20b7fac0457",
            ),
            (
                Template::ImaSigv2,
                true,
                "e048d1ad225f8f2d8e1d522acf8853f7cc3af6b8",
                "f9fc78a82d569b8f8303ca6582a85edf9af60dc9f74595f8801112c35bd80a79",
            ),
            (
                Template::ImaModsig,
                true,
                "6dcc2fd5ff0d5c220c3a67395a9237c5bc8fc613",
                "395d74d769af042b001ae0552c1d0c7d635f243defc93d91d35cea8b33f93067",
            ),
            (
                Template::ImaModsig,
                false,
                "cda167a1a6f44a9b5545ba95ab5d24ef00805f0c",
                "715451327638c2756bd5d52a20f55a549308493e3e1a54c9b50a409e608a02ae",
            ),
        ];
        for (template, signed, sha1, sha256) in cases {
            let entry = template.entry(&Event {
                algo: HashAlgo::Sha512,
                digest: &digest_of(HashAlgo::Sha512, &[b"content", b"SIGNATURE"]).unwrap(),
                path: b"/etc/digest_lists/12-tlv-a b",
                signature: if signed { &[3, 2, 6] } else { &[] },
                modsig: signed.then_some(&modsig),
            });
            for (algo, expected) in [(HashAlgo::Sha1, sha1), (HashAlgo::Sha256, sha256)] {
                let digest = hex(&entry.digest(algo).unwrap());
                assert_eq!(digest, expected, "{} {}", template.name(), algo.name());
            }
        }
    }

    #[test]
    fn text_of_every_field() {
        let modsig = Modsig {
            algo: HashAlgo::Sha384,
            digest: Box::from([0xdd, 0]),
            message: vec![0x30, 0],
        };
        let text = |template: Template, signature: &[u8], modsig| {
            let entry = template.entry(&Event {
                algo: HashAlgo::Sha256,
                digest: &[0, 0xff],
                path: b"/lists/tlv-\xff x",
                signature,
                modsig,
            });
            let line = entry.line(9, HashAlgo::Sha256).unwrap();
            // PCR, digest and a space.
            assert!(line.starts_with(b" 9 "));
            line[3 + 64 + 1..].to_vec()
        };
        let cases: [(Vec<u8>, &[u8]); 6] = [
            (
                text(Template::ImaNg, &[3, 2], Some(&modsig)),
                b"ima-ng sha256:00ff /lists/tlv-\xff_x",
            ),
            (
                text(Template::ImaNgv2, &[], None),
                b"ima-ngv2 ima:sha256:00ff /lists/tlv-\xff_x",
            ),
            (
                text(Template::ImaSigv2, &[3, 2], None),
                b"ima-sigv2 ima:sha256:00ff /lists/tlv-\xff_x 0302",
            ),
            (
                text(Template::ImaModsig, &[3, 2], Some(&modsig)),
                b"ima-modsig sha256:00ff /lists/tlv-\xff_x 0302 sha384:dd00 3000",
            ),
            (
                text(Template::ImaModsig, &[], Some(&modsig)),
                b"ima-modsig sha256:00ff /lists/tlv-\xff_x  sha384:dd00 3000",
            ),
            (
                text(Template::ImaModsig, &[], None),
                b"ima-modsig sha256:00ff /lists/tlv-\xff_x   ",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(text, expected, "{}", String::from_utf8_lossy(expected));
        }
    }

    #[test]
    fn names_on_the_command_line_are_those_of_the_kernel() {
        for template in ALL {
            let value = template.to_possible_value().unwrap();
            assert_eq!(value.get_name(), template.name());
        }
        assert_eq!(Template::value_variants(), ALL);
    }
}
