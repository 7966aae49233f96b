// SPDX-License-Identifier: GPL-2.0-only

//! What can be wrong with a digest list or with its name.
//!
//! Each cause has its own [`Kind`], with one message and one error number, so that who reads a log
//! can tell what to mend without a debugger.

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No parser has the name that the list's name tells.
    UnknownFormat,
    /// The list is longer than 4 GiB.
    TooBig,
    /// There are no bytes at all.
    Empty,

    /// The name of a list has no bytes.
    NameEmpty,
    /// The name of a list is longer than a file name may be.
    NameTooLong,
    /// The name of a list has a slash or a NUL in it.
    NameByte,
    /// The name of a list has not the parts `<format>-<name>`.
    NameParts,
    /// The format part of the name is longer than a parser's name may be.
    NameFormatLength,
    /// The sequence number of the name does not fit 32 bits.
    NameSeq,

    /// Nothing, or not enough, comes before the marker of an appended signature.
    SignatureTruncated,
    /// The appended signature is empty, or not shorter than what is there.
    SignatureLength,
    /// A field of the signature's information block is not zero that must be.
    SignatureFields,

    /// A field goes on after the end of what contains it, or excess bytes make no field.
    Truncated,
    /// The format has no such field.
    UnknownField,
    /// The size of a value is not the one that its field must have.
    FieldSize,
    /// A field occurs twice in an entry.
    DuplicateField,
    /// There is no algorithm of this number.
    UnknownAlgo,
    /// There is no digest type of this number.
    UnknownDigestType,
    /// The field needs to know an algorithm, and none came before.
    NoAlgo,
    /// The number of entries is zero.
    NoEntries,
    /// An entry has no digest.
    NoDigest,
    /// Reserved bytes are not zero.
    Reserved,
    /// The number of entries told is not the number of entries present.
    EntryCount,

    /// The data is no RPM header.
    BadMagic,
    /// The sizes that the RPM header tells do not add up to the size of the data.
    RegionSize,
    /// The type of an RPM tag is not the one that the tag must have.
    TagType,
    /// The same RPM tag occurs twice.
    DuplicateTag,
    /// The data of an RPM tag is not within the header's data.
    TagRange,
    /// The data of an RPM tag is not aligned as its type demands.
    TagAlignment,
    /// The number of values of an RPM tag is not the one that it must have.
    TagCount,
    /// An RPM tag is missing without which others have no meaning.
    MissingTag,
    /// The last string of an RPM tag has no end.
    Unterminated,
    /// A digest has characters other than `0` to `9` and `a` to `f`.
    BadHex,
    /// The size of a digest is not the size of its algorithm's digests.
    DigestSize,
    /// The number of a directory is not that of a directory in the header.
    DirIndex,
}

/// The class of a cause: what the kernel tells as an error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    /// The content is malformed: `EBADMSG`.
    BadMsg,
    /// The content is too big: `E2BIG`.
    TooBig,
    /// The name is malformed: `EINVAL`.
    Invalid,
    /// No parser knows the format: `ENOPKG`.
    NoPkg,
}

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// The byte, counted from the start of the list (or of the name), where it was found.
    pub offset: usize,
}

impl Error {
    /// An error of this kind at this offset.
    pub(super) const fn new(kind: Kind, offset: usize) -> Self {
        Self { kind, offset }
    }
}

impl Kind {
    /// The words for a log or for people.
    pub const fn message(self) -> &'static str {
        match self {
            Self::UnknownFormat => "unknown list format",
            Self::TooBig => "list longer than 4 GiB",
            Self::Empty => "empty list",
            Self::NameEmpty => "empty name",
            Self::NameTooLong => "name longer than 255 bytes",
            Self::NameByte => "slash or NUL in the name",
            Self::NameParts => "name without <format>-<name>",
            Self::NameFormatLength => "format name longer than 19 bytes",
            Self::NameSeq => "sequence number does not fit 32 bits",
            Self::SignatureTruncated => "truncated appended signature",
            Self::SignatureLength => "wrong length of appended signature",
            Self::SignatureFields => "unexpected non-zero field in appended signature",
            Self::Truncated => "truncated field or excess bytes",
            Self::UnknownField => "unknown field",
            Self::FieldSize => "wrong field size",
            Self::DuplicateField => "duplicate field in an entry",
            Self::UnknownAlgo => "unknown digest algorithm",
            Self::UnknownDigestType => "unknown digest type",
            Self::NoAlgo => "no digest algorithm before this field",
            Self::NoEntries => "number of entries is zero",
            Self::NoDigest => "entry without digest",
            Self::Reserved => "reserved bytes are not zero",
            Self::EntryCount => "wrong number of entries",
            Self::BadMagic => "not an RPM header",
            Self::RegionSize => "RPM header sizes do not match the data",
            Self::TagType => "wrong type of RPM tag",
            Self::DuplicateTag => "duplicate RPM tag",
            Self::TagRange => "RPM tag outside of the header's data",
            Self::TagAlignment => "misaligned RPM tag",
            Self::TagCount => "wrong number of values in RPM tag",
            Self::MissingTag => "missing RPM tag",
            Self::Unterminated => "unterminated string",
            Self::BadHex => "digest is not lower-case hexadecimal",
            Self::DigestSize => "wrong digest size",
            Self::DirIndex => "directory number out of range",
        }
    }

    /// The class of the cause.
    pub const fn errno(self) -> Errno {
        match self {
            Self::UnknownFormat => Errno::NoPkg,
            Self::TooBig => Errno::TooBig,
            Self::NameEmpty
            | Self::NameTooLong
            | Self::NameByte
            | Self::NameParts
            | Self::NameFormatLength
            | Self::NameSeq => Errno::Invalid,
            _ => Errno::BadMsg,
        }
    }
}
