#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""lists.py full|quick|check DIRECTORY: the lists that the micro benchmark is taken with.

    one/tlv-N, one/rpm-N    a list of N SHA-256 digests
    many/M/tlv-NNNNN        M lists of 66 digests each
    all/M                   the digests of these, in one list

66 digests a list is the ratio of a Fedora 38 installation. The digests are those
of numbers, so that they are the same everywhere. Formats: see formats.md, and
Documentation/security/digest_cache/formats.rst.
"""

import argparse
import hashlib
import pathlib
import struct

EACH = 66
SIZES = (1, 10, 66, 1000, 10_000, 100_000, 1_000_000)
DIRECTORIES = (100, 303, 1000, 2000, 10_000)
RPM_SIZES = (66, 100_000)

# Digests in a list, lists in a directory.
LARGEST = {"full": (1_000_000, 10_000), "quick": (1_000_000, 2000), "check": (1000, 100)}


def digests(first, num):
    """The digests of NUM numbers."""
    return [hashlib.sha256(struct.pack(">Q", first + i)).digest() for i in range(num)]


def field(number, value):
    """A field of a TLV list."""
    return struct.pack(">HI", number, len(value)) + value


def tlv(some):
    """A list in the format tlv."""
    entries = b"".join(field(2, field(0, digest)) for digest in some)
    return field(0, struct.pack(">H", 4)) + field(1, struct.pack(">I", len(some))) + entries


def rpm(some):
    """The header of a package with as many files."""
    num = len(some)
    parts, index, offset = [], [], 0

    def tag(number, kind, count, value, align=1):
        nonlocal offset
        padding = -offset % align
        offset += padding
        parts.append(b"\0" * padding + value)
        index.append(struct.pack(">IIII", number, kind, offset, count))
        offset += len(value)

    names = [b"file%d" % i for i in range(num)]
    tag(1030, 3, num, struct.pack(">H", 0o100755) * num, 2)
    tag(1035, 8, num, b"".join(digest.hex().encode() + b"\0" for digest in some))
    tag(1116, 4, num, struct.pack(">I", 0) * num, 4)
    tag(1117, 8, num, b"".join(name + b"\0" for name in names))
    tag(1118, 8, 1, b"/usr/bin/\0")
    tag(5011, 4, 1, struct.pack(">I", 8), 4)
    data = b"".join(parts)
    head = bytes.fromhex("8eade80100000000") + struct.pack(">II", len(index), len(data))
    return head + b"".join(index) + data


def write(path, content):
    """Writes a file, and the directory that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def main():
    """Writes all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", choices=LARGEST, help="which of them, by how large they are")
    parser.add_argument("directory", type=pathlib.Path)
    arguments = parser.parse_args()
    top = arguments.directory
    most, most_lists = LARGEST[arguments.size]

    for num in SIZES:
        if num <= most:
            write(top / "one" / f"tlv-{num}", tlv(digests(0, num)))
    for num in RPM_SIZES:
        if num <= most:
            write(top / "one" / f"rpm-{num}", rpm(digests(0, num)))
    for num in DIRECTORIES:
        if num > most_lists:
            continue
        some = digests(0, num * EACH)
        for i in range(num):
            write(top / "many" / str(num) / f"tlv-{i:05}", tlv(some[i * EACH : (i + 1) * EACH]))
        write(top / "all" / str(num), tlv(some))


main()
