// SPDX-License-Identifier: GPL-2.0-only

//! Example of a module in Rust that teaches the digest_cache LSM a format of digest lists:
//! "plainrs", in files named `[<number>-]plainrs-<name>`.
//!
//! A list is text. Each line is `sha256:` and a digest in hexadecimal; empty lines and lines that
//! begin with `#` are skipped. Anything else makes the whole list invalid, since a digest left out
//! would deny a file later without anybody knowing why.

use kernel::{
    digest_cache::{Digests, HashAlgo, Parser, ParserRegistration},
    prelude::*,
    str::CStr,
    time::{delay::fsleep, Delta},
};

module! {
    type: PlainModule,
    name: "dc_parser_rust",
    authors: ["digest_cache maintainers"],
    description: "Digest lists that are plain text, parsed in Rust",
    license: "GPL",
    params: {
        delay_ms: u32 {
            default: 0,
            description: "How long each list takes, for tests (ms)",
        },
    },
}

/// What comes before each digest.
const PREFIX: &[u8] = b"sha256:";

/// The module, which has the format registered while it is loaded.
#[pin_data]
struct PlainModule {
    #[pin]
    registration: ParserRegistration<Plain>,
}

impl kernel::InPlaceModule for PlainModule {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            registration <- ParserRegistration::new(module),
        })
    }
}

/// The format.
struct Plain;

impl Parser for Plain {
    const NAME: &'static CStr = c"plainrs";

    fn parse(list: &[u8], digests: &Digests<'_>) -> Result {
        let delay_ms = module_parameters::delay_ms.value();
        if delay_ms != 0 {
            fsleep(Delta::from_millis(delay_ms.into()));
        }

        // All lines are checked before anything is asked of the kernel.
        let mut num = 0;
        for line in lines(list) {
            decode(line)?;
            num += 1;
        }
        if num == 0 {
            return Ok(());
        }

        digests.prepare(num, HashAlgo::SHA256)?;
        for line in lines(list) {
            digests.add(HashAlgo::SHA256, &decode(line)?)?;
        }
        Ok(())
    }
}

/// The lines that have a digest, or should.
fn lines(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
}

/// The digest of a line.
fn decode(line: &[u8]) -> Result<[u8; 32]> {
    let hex = line.strip_prefix(PREFIX).ok_or(EBADMSG)?;
    let mut digest = [0; 32];
    if hex.len() != 2 * digest.len() {
        return Err(EBADMSG);
    }
    for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
        let &[high, low] = pair else {
            return Err(EBADMSG);
        };
        *byte = nibble(high)? << 4 | nibble(low)?;
    }
    Ok(digest)
}

/// The value of a hexadecimal digit.
fn nibble(digit: u8) -> Result<u8> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(EBADMSG),
    }
}
