// SPDX-License-Identifier: GPL-2.0-only
//! Digests of file data, several algorithms in one pass over the file.

use std::io::{self, Read};

use digest::DynDigest;
use digest_list_formats::parsers::algo::HashAlgo;

/// How much of a file is in memory at a time.
const BUFFER_SIZE: usize = 128 * 1024;

/// The algorithms that this tool can compute; the kernel's enumeration names
/// more, which are long out of use.
pub const SUPPORTED: [HashAlgo; 13] = [
    HashAlgo::Sha256,
    HashAlgo::Sha384,
    HashAlgo::Sha512,
    HashAlgo::Sha224,
    HashAlgo::Sha3_256,
    HashAlgo::Sha3_384,
    HashAlgo::Sha3_512,
    HashAlgo::Sm3_256,
    HashAlgo::Streebog256,
    HashAlgo::Streebog512,
    HashAlgo::Sha1,
    HashAlgo::RipeMd160,
    HashAlgo::Md5,
];

/// The algorithm has no implementation here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this tool cannot compute {} digests", .0.name())]
pub struct Unsupported(pub HashAlgo);

/// Whether a digest of this algorithm no longer vouches for a file, because
/// others with the same digest can be made.
pub fn is_broken(algo: HashAlgo) -> bool {
    matches!(algo, HashAlgo::Md4 | HashAlgo::Md5 | HashAlgo::Sha1)
}

/// Parses an algorithm name, the kernel's spelling, for the command line.
pub fn parse_algo(name: &str) -> Result<HashAlgo, String> {
    HashAlgo::from_name(name)
        .filter(|algo| SUPPORTED.contains(algo))
        .ok_or_else(|| {
            let names: Vec<_> = SUPPORTED.iter().map(|algo| algo.name()).collect();
            format!("unknown algorithm; choose from {}", names.join(", "))
        })
}

/// Digests of one piece of data, in the order in which the algorithms were given.
pub type Digests = Vec<Box<[u8]>>;

/// Computes several digests of the same data.
pub struct Hasher(Vec<Box<dyn DynDigest>>);

impl Hasher {
    /// A hasher for these algorithms, in this order.
    pub fn new(algos: &[HashAlgo]) -> Result<Self, Unsupported> {
        algos
            .iter()
            .map(|&algo| engine(algo))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Takes in more data.
    pub fn update(&mut self, data: &[u8]) {
        for engine in &mut self.0 {
            engine.update(data);
        }
    }

    /// Takes in everything that the reader gives.
    pub fn update_from(&mut self, reader: &mut impl Read) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER_SIZE];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(len) => self.update(buffer.get(..len).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// The digests, in the order of the algorithms.
    pub fn finish(self) -> Digests {
        self.0.into_iter().map(DynDigest::finalize).collect()
    }
}

/// The digest of data that is in several places.
pub fn digest_of(algo: HashAlgo, parts: &[&[u8]]) -> Result<Box<[u8]>, Unsupported> {
    let mut engine = engine(algo)?;
    for part in parts {
        engine.update(part);
    }
    Ok(engine.finalize())
}

fn engine(algo: HashAlgo) -> Result<Box<dyn DynDigest>, Unsupported> {
    Ok(match algo {
        HashAlgo::Md5 => Box::<md5::Md5>::default(),
        HashAlgo::Sha1 => Box::<sha1::Sha1>::default(),
        HashAlgo::RipeMd160 => Box::<ripemd::Ripemd160>::default(),
        HashAlgo::Sha224 => Box::<sha2::Sha224>::default(),
        HashAlgo::Sha256 => Box::<sha2::Sha256>::default(),
        HashAlgo::Sha384 => Box::<sha2::Sha384>::default(),
        HashAlgo::Sha512 => Box::<sha2::Sha512>::default(),
        HashAlgo::Sha3_256 => Box::<sha3::Sha3_256>::default(),
        HashAlgo::Sha3_384 => Box::<sha3::Sha3_384>::default(),
        HashAlgo::Sha3_512 => Box::<sha3::Sha3_512>::default(),
        HashAlgo::Sm3_256 => Box::<sm3::Sm3>::default(),
        HashAlgo::Streebog256 => Box::<streebog::Streebog256>::default(),
        HashAlgo::Streebog512 => Box::<streebog::Streebog512>::default(),
        _ => return Err(Unsupported(algo)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::hex;

    /// Published digests of "abc" for each algorithm (FIPS 180, FIPS 202,
    /// RFC 1321, GB/T 32905, the RIPEMD home page).
    #[test]
    fn known_answers() {
        let cases = [
            (HashAlgo::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (HashAlgo::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                HashAlgo::RipeMd160,
                "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
            ),
            (
                HashAlgo::Sha256,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                HashAlgo::Sha3_256,
                "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
            ),
            (
                HashAlgo::Sm3_256,
                "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
            ),
        ];
        let algos: Vec<_> = cases.iter().map(|&(algo, _)| algo).collect();
        let mut hasher = Hasher::new(&algos).unwrap();
        hasher.update_from(&mut &b"abc"[..]).unwrap();
        for (digest, (algo, expected)) in hasher.finish().iter().zip(cases) {
            assert_eq!(hex(digest), expected, "{}", algo.name());
        }
    }

    /// Message 1 of RFC 6986.
    #[test]
    fn known_answers_of_streebog() {
        let message = "0123456789".repeat(6) + "012";
        let mut hasher = Hasher::new(&[HashAlgo::Streebog256, HashAlgo::Streebog512]).unwrap();
        hasher.update(message.as_bytes());
        let digests: Vec<_> = hasher.finish().iter().map(|digest| hex(digest)).collect();
        assert_eq!(
            digests,
            [
                "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500",
                "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa\
                 00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48",
            ]
        );
    }

    /// What OpenSSL computes too is the same, over several buffers.
    #[test]
    fn other_implementations_agree() {
        use openssl::hash::MessageDigest as Openssl;
        let data = vec![0x5a; 3 * BUFFER_SIZE + 1];
        let cases = [
            (HashAlgo::Sha224, Openssl::sha224()),
            (HashAlgo::Sha256, Openssl::sha256()),
            (HashAlgo::Sha384, Openssl::sha384()),
            (HashAlgo::Sha512, Openssl::sha512()),
            (HashAlgo::Sha3_256, Openssl::sha3_256()),
            (HashAlgo::Sha3_384, Openssl::sha3_384()),
            (HashAlgo::Sha3_512, Openssl::sha3_512()),
            (HashAlgo::Sm3_256, Openssl::sm3()),
        ];
        let mut hasher = Hasher::new(&cases.map(|(algo, _)| algo)).unwrap();
        hasher.update_from(&mut &data[..]).unwrap();
        for (digest, (algo, other)) in hasher.finish().iter().zip(cases) {
            let expected = openssl::hash::hash(other, &data).unwrap();
            assert_eq!(digest[..], expected[..], "{}", algo.name());
        }
    }

    #[test]
    fn every_supported_algorithm_has_the_size_that_lists_demand() {
        for algo in SUPPORTED {
            let digests = Hasher::new(&[algo]).unwrap().finish();
            assert_eq!(digests[0].len(), algo.digest_size(), "{}", algo.name());
            assert_eq!(parse_algo(algo.name()), Ok(algo));
        }
    }

    #[test]
    fn unknown_and_unsupported_names_are_refused_with_the_choice() {
        for name in ["", "sha257", "SHA256", "md4", "wp512"] {
            let message = parse_algo(name).unwrap_err();
            assert!(message.contains("sha256, sha384"), "{name}: {message}");
        }
    }
}
