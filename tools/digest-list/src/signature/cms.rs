// SPDX-License-Identifier: GPL-2.0-only
//! PKCS#7 signed messages as the kernel takes them (OpenSSL's `<openssl/cms.h>`).
//!
//! The `openssl` crate can neither choose the digest of a signature without
//! attributes nor tell who signed; the few C functions for that are declared and
//! wrapped here, and nowhere else is `unsafe` code. Message and flags are those of
//! the kernel's scripts/sign-file.c.
//!
//! Not supported: keys in tokens (PKCS#11), signed attributes, certificates inside
//! of the message.

#![allow(non_camel_case_types)]

use std::ffi::{c_int, c_uint, c_void};
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::asn1::{Asn1IntegerRef, Asn1ObjectRef, Asn1OctetStringRef};
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKeyRef, Private};
use openssl::stack::Stack;
use openssl::x509::{X509NameRef, X509Ref, X509};

use super::SignerInfo;
use crate::bytes::{for_display, hex};

enum CMS_SignerInfo {}

extern "C" {
    fn CMS_add1_signer(
        cms: *mut openssl_sys::CMS_ContentInfo,
        signer: *mut openssl_sys::X509,
        key: *mut openssl_sys::EVP_PKEY,
        digest: *const openssl_sys::EVP_MD,
        flags: c_uint,
    ) -> *mut CMS_SignerInfo;
    fn CMS_final(
        cms: *mut openssl_sys::CMS_ContentInfo,
        data: *mut openssl_sys::BIO,
        dcont: *mut openssl_sys::BIO,
        flags: c_uint,
    ) -> c_int;
    fn CMS_get0_SignerInfos(
        cms: *mut openssl_sys::CMS_ContentInfo,
    ) -> *mut openssl_sys::OPENSSL_STACK;
    fn CMS_SignerInfo_get0_signer_id(
        signer: *mut CMS_SignerInfo,
        key_id: *mut *mut openssl_sys::ASN1_OCTET_STRING,
        issuer: *mut *mut openssl_sys::X509_NAME,
        serial: *mut *mut openssl_sys::ASN1_INTEGER,
    ) -> c_int;
    fn CMS_SignerInfo_cert_cmp(signer: *mut CMS_SignerInfo, cert: *mut openssl_sys::X509) -> c_int;
    fn CMS_SignerInfo_get0_algs(
        signer: *mut CMS_SignerInfo,
        key: *mut *mut openssl_sys::EVP_PKEY,
        cert: *mut *mut openssl_sys::X509,
        digest: *mut *mut openssl_sys::X509_ALGOR,
        signature: *mut *mut openssl_sys::X509_ALGOR,
    );
}

/// A read-only BIO over borrowed memory.
struct MemoryBio<'a> {
    bio: *mut openssl_sys::BIO,
    _data: std::marker::PhantomData<&'a [u8]>,
}

impl<'a> MemoryBio<'a> {
    fn new(data: &'a [u8]) -> Result<Self, ErrorStack> {
        openssl_sys::init();
        let len = c_int::try_from(data.len()).map_err(|_| ErrorStack::get())?;
        // SAFETY: `data` is valid for `len` bytes and outlives the BIO, which only
        // reads it.
        let bio = unsafe { openssl_sys::BIO_new_mem_buf(data.as_ptr().cast::<c_void>(), len) };
        if bio.is_null() {
            return Err(ErrorStack::get());
        }
        Ok(Self {
            bio,
            _data: std::marker::PhantomData,
        })
    }
}

impl Drop for MemoryBio<'_> {
    fn drop(&mut self) {
        // SAFETY: the BIO is ours alone and is not used afterwards.
        unsafe { openssl_sys::BIO_free_all(self.bio) };
    }
}

/// Signs `content` and returns the message in DER: signed data without content,
/// attributes and certificates, with one signer named by issuer and serial number.
pub fn sign_detached(
    content: &[u8],
    certificate: &X509Ref,
    key: &PKeyRef<Private>,
    digest: MessageDigest,
) -> Result<Vec<u8>, ErrorStack> {
    let flags = CMSOptions::CMS_NOCERTS
        | CMSOptions::NOATTR
        | CMSOptions::PARTIAL
        | CMSOptions::BINARY
        | CMSOptions::DETACHED
        | CMSOptions::STREAM
        | CMSOptions::NOSMIMECAP;
    let cms = CmsContentInfo::sign(None, None::<&PKeyRef<Private>>, None, None, flags)?;
    let data = MemoryBio::new(content)?;
    // SAFETY: all pointers come from live objects. The message takes references
    // of its own to certificate and key; the signer information that is returned
    // belongs to the message and is not kept.
    let signer = unsafe {
        CMS_add1_signer(
            cms.as_ptr(),
            certificate.as_ptr(),
            key.as_ptr(),
            digest.as_ptr(),
            flags.bits(),
        )
    };
    if signer.is_null() {
        return Err(ErrorStack::get());
    }
    // SAFETY: message and BIO are live and used by this thread only; a null
    // `dcont` stands for "no further copy of the content".
    let done = unsafe { CMS_final(cms.as_ptr(), data.bio, ptr::null_mut(), flags.bits()) };
    if done != 1 {
        return Err(ErrorStack::get());
    }
    cms.to_der()
}

/// A message that has been parsed.
pub struct Message(CmsContentInfo);

impl Message {
    /// Parses DER; nothing may follow the message.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let cms = CmsContentInfo::from_der(der).ok()?;
        // The kernel refuses what follows; encoding it again shows whether there
        // is anything, and whether this is DER at all.
        (cms.to_der().ok()? == der).then_some(Self(cms))
    }

    /// The signers, in the order of the message.
    fn signer_pointers(&self) -> Vec<*mut CMS_SignerInfo> {
        // SAFETY: the message is live; what is returned is null (not signed data)
        // or a stack that belongs to the message.
        let stack = unsafe { CMS_get0_SignerInfos(self.0.as_ptr()) };
        if stack.is_null() {
            // Leaves an error in the thread's queue that is nobody else's.
            drop(ErrorStack::get());
            return Vec::new();
        }
        // SAFETY: the stack is live as long as the message, which `self` borrows.
        let num = unsafe { openssl_sys::OPENSSL_sk_num(stack) };
        (0..num)
            // SAFETY: the index is below the number of elements, all of which are
            // signer informations.
            .map(|i| unsafe { openssl_sys::OPENSSL_sk_value(stack, i) }.cast())
            .collect()
    }

    /// Tells who signed.
    pub fn signers(&self) -> Result<Vec<SignerInfo>, ErrorStack> {
        self.signer_pointers()
            .into_iter()
            .map(|signer| {
                let mut key_id = ptr::null_mut();
                let mut issuer = ptr::null_mut();
                let mut serial = ptr::null_mut();
                // SAFETY: the signer belongs to the live message; the call fills
                // in pointers to parts of it, or leaves them null.
                let known = unsafe {
                    CMS_SignerInfo_get0_signer_id(signer, &mut key_id, &mut issuer, &mut serial)
                };
                if known != 1 {
                    return Err(ErrorStack::get());
                }
                let mut digest = ptr::null_mut();
                let mut signature = ptr::null_mut();
                // SAFETY: as above; null for what is not wanted is allowed.
                unsafe {
                    CMS_SignerInfo_get0_algs(
                        signer,
                        ptr::null_mut(),
                        ptr::null_mut(),
                        &mut digest,
                        &mut signature,
                    );
                }
                // SAFETY: each pointer is null or a part of the live message of
                // the type that the reference stands for.
                let (key_id, issuer, serial) = unsafe {
                    (
                        (!key_id.is_null()).then(|| Asn1OctetStringRef::from_ptr(key_id)),
                        (!issuer.is_null()).then(|| X509NameRef::from_ptr(issuer)),
                        (!serial.is_null()).then(|| Asn1IntegerRef::from_ptr(serial)),
                    )
                };
                Ok(SignerInfo {
                    issuer: issuer.map(name_for_display),
                    serial: serial
                        .map(|serial| Ok(serial.to_bn()?.to_hex_str()?.to_lowercase()))
                        .transpose()?,
                    key_id: key_id.map(|id| hex(id.as_slice())),
                    digest: algorithm_name(digest),
                    algorithm: algorithm_name(signature),
                })
            })
            .collect()
    }

    /// Whether every signer is one of the certificates, by what the message says
    /// of the signer.
    pub fn is_signed_by_these(&self, certificates: &[&X509Ref]) -> bool {
        self.signer_pointers().into_iter().all(|signer| {
            certificates.iter().any(|certificate| {
                // SAFETY: both are live and only read.
                unsafe { CMS_SignerInfo_cert_cmp(signer, certificate.as_ptr()) == 0 }
            })
        })
    }

    /// Checks the signature over `content` with the certificates' keys.
    pub fn verify_detached(
        &mut self,
        content: &[u8],
        certificates: &[&X509Ref],
    ) -> Result<(), ErrorStack> {
        let mut stack: Stack<X509> = Stack::new()?;
        for certificate in certificates {
            stack.push((*certificate).to_owned())?;
        }
        self.0.verify(
            Some(&stack),
            None,
            Some(content),
            None,
            CMSOptions::BINARY
                | CMSOptions::DETACHED
                | CMSOptions::NOINTERN
                | CMSOptions::NO_SIGNER_CERT_VERIFY,
        )
    }
}

/// The short name of an algorithm, or its dotted number.
fn algorithm_name(algorithm: *mut openssl_sys::X509_ALGOR) -> String {
    if algorithm.is_null() {
        return "unknown".to_owned();
    }
    let mut object = ptr::null();
    // SAFETY: the algorithm is a part of a live message; the call fills in a
    // pointer to its object identifier, null for the other results is allowed.
    unsafe {
        openssl_sys::X509_ALGOR_get0(&mut object, ptr::null_mut(), ptr::null_mut(), algorithm);
    }
    if object.is_null() {
        return "unknown".to_owned();
    }
    // SAFETY: the object is a part of the same live message and only read.
    let object = unsafe { Asn1ObjectRef::from_ptr(object.cast_mut()) };
    match object.nid() {
        Nid::UNDEF => object.to_string(),
        nid => nid
            .short_name()
            .map_or_else(|_| object.to_string(), str::to_owned),
    }
}

/// A distinguished name as `CN=..., O=...`, in the order of the certificate.
fn name_for_display(name: &X509NameRef) -> String {
    let parts: Vec<_> = name
        .entries()
        .map(|entry| {
            let kind = entry.object().nid().short_name().unwrap_or("?");
            format!("{kind}={}", for_display(entry.data().as_slice()))
        })
        .collect();
    parts.join(", ")
}
