// SPDX-License-Identifier: GPL-2.0-only

//! Example of a module in Rust that teaches the digest_cache LSM a format of digest lists:
//! "plainrs", in files named `[<number>-]plainrs-<name>`.
//!
//! A list is text. Each line is `sha256:` and a digest in hexadecimal; empty lines and lines that
//! begin with `#` are skipped. Anything else makes the whole list invalid, since a digest left out
//! would deny a file later without anybody knowing why.

use kernel::{prelude::*, time::delay::fsleep, time::Delta};

use self::digest_cache::{Loading, Parser, Registration};

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
    registration: Registration<Plain>,
}

impl kernel::InPlaceModule for PlainModule {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            registration <- Registration::new(module),
        })
    }
}

/// The format.
struct Plain;

impl Parser for Plain {
    const NAME: &'static [u8] = b"plainrs";

    fn parse(cache: &mut Loading<'_>, list: &[u8]) -> Result {
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

        cache.init_sha256(num)?;
        for line in lines(list) {
            cache.add_sha256(&decode(line)?)?;
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

/// What a parser needs of the C API of the LSM, as safe Rust.
///
/// C header: [`include/linux/digest_cache.h`](srctree/include/linux/digest_cache.h)
mod digest_cache {
    use core::{marker::PhantomData, ptr::null_mut, slice};
    use kernel::{
        bindings,
        error::{from_result, to_result},
        prelude::*,
        types::Opaque,
    };

    /// `SHA256_DIGEST_SIZE`.
    const SHA256_SIZE: usize = 32;

    /// A format of digest lists.
    pub(super) trait Parser: Send + Sync + 'static {
        /// Its name, as in the file names of digest lists: without `-`, and shorter than
        /// `DIGEST_CACHE_FORMAT_LEN`.
        const NAME: &'static [u8];

        /// Adds the digests of a list to the digest cache that is being made from it. May sleep.
        ///
        /// # Errors
        ///
        /// All but `ENOMEM`, `EINTR` and `EAGAIN` are taken for an error in the list.
        fn parse(cache: &mut Loading<'_>, list: &[u8]) -> Result;
    }

    /// A digest cache that is being made from a list.
    ///
    /// # Invariants
    ///
    /// The pointer was given to a parser, which runs during `'a`.
    pub(super) struct Loading<'a> {
        cache: *mut bindings::digest_cache,
        _parser_runs: PhantomData<&'a ()>,
    }

    impl Loading<'_> {
        /// Says that there are about `num` SHA-256 digests to come.
        pub(super) fn init_sha256(&mut self, num: u64) -> Result {
            // SAFETY: By the type's invariants.
            to_result(unsafe {
                bindings::digest_cache_htable_init(
                    self.cache,
                    num,
                    bindings::hash_algo_HASH_ALGO_SHA256,
                )
            })
        }

        /// Adds a SHA-256 digest.
        pub(super) fn add_sha256(&mut self, digest: &[u8; SHA256_SIZE]) -> Result {
            // SAFETY: By the type's invariants; the digest has the size of the algorithm's.
            to_result(unsafe {
                bindings::digest_cache_htable_add(
                    self.cache,
                    digest.as_ptr(),
                    bindings::hash_algo_HASH_ALGO_SHA256,
                )
            })
        }
    }

    /// A format that is registered while this exists.
    ///
    /// # Invariants
    ///
    /// `parser` is registered, and does not move until it no longer is.
    #[pin_data(PinnedDrop)]
    pub(super) struct Registration<T: Parser> {
        #[pin]
        parser: Opaque<bindings::parser>,
        _format: PhantomData<T>,
    }

    // SAFETY: A format may be unregistered by another task than the one that registered it.
    unsafe impl<T: Parser> Send for Registration<T> {}

    // SAFETY: There is nothing that can be done with a shared reference.
    unsafe impl<T: Parser> Sync for Registration<T> {}

    impl<T: Parser> Registration<T> {
        /// [`Parser::NAME`] as C has it. Does not compile if it is too long.
        const C_NAME: [kernel::ffi::c_char; bindings::DIGEST_CACHE_FORMAT_LEN as usize] = {
            let mut name = [0; bindings::DIGEST_CACHE_FORMAT_LEN as usize];
            assert!(T::NAME.len() < name.len());
            let mut i = 0;
            while i < T::NAME.len() {
                name[i] = T::NAME[i];
                i += 1;
            }
            name
        };

        /// Registers the format, on behalf of the module that has the code of `T`.
        pub(super) fn new(module: &'static ThisModule) -> impl PinInit<Self, Error> {
            try_pin_init!(Self {
                parser <- Opaque::try_ffi_init(|slot: *mut bindings::parser| {
                    let parser = bindings::parser {
                        list: bindings::list_head { next: null_mut(), prev: null_mut() },
                        owner: module.as_ptr(),
                        name: Self::C_NAME,
                        func: Some(Self::parse),
                    };
                    // SAFETY: `slot` is valid for writing. What it points to is pinned, and is
                    // unregistered by `drop` before it goes away.
                    let result = unsafe {
                        slot.write(parser);
                        to_result(bindings::digest_cache_register_parser(slot))
                    };
                    // `EEXIST` would say that this very module is loaded already.
                    result.map_err(|e| if e == EEXIST { EBUSY } else { e })
                }),
                _format: PhantomData,
            }? Error)
        }

        /// # Safety
        ///
        /// Only to be called by the digest cache, with a digest cache that is being made, and
        /// `len` bytes at `data`.
        unsafe extern "C" fn parse(
            cache: *mut bindings::digest_cache,
            data: *const u8,
            len: usize,
        ) -> kernel::ffi::c_int {
            // INVARIANT: By the contract of this function, and the object does not outlive it.
            let mut loading = Loading {
                cache,
                _parser_runs: PhantomData,
            };
            // SAFETY: By the contract of this function.
            let list = unsafe { slice::from_raw_parts(data, len) };
            from_result(|| T::parse(&mut loading, list).map(|()| 0))
        }
    }

    #[pinned_drop]
    impl<T: Parser> PinnedDrop for Registration<T> {
        fn drop(self: Pin<&mut Self>) {
            // SAFETY: By the type's invariants.
            unsafe { bindings::digest_cache_unregister_parser(self.parser.get()) };
        }
    }
}
