#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Chooses what the machine of scripts/pcr accesses, so that every list is used.

Reads what "digest-list --json show --entries" says about numbered lists, and
the tree that they are about. Prints "read|map|run PATH" lines: of the files that
are labelled with a list the smallest ELF file, to be mapped for execution, and
the smallest other one, to be read; and programs with libraries from several
packages, to be executed. Small ones, as an emulated processor hashes them all.
"""

import json
import os
import stat
import sys

# Harmless with the argument --version.
RUN = ("bash cp dash diff dpkg find getfattr grep gzip jq kmod less ls mawk mount"
       " openssl perl ps python3 sed tar tput udevadm").split()


def is_labelled(path, name):
    return os.getxattr(path, "security.digest_list").rstrip(b"\0") == name.encode()


def candidates(tree, document):
    """The files that this list is used for, the smallest first."""
    name = os.path.basename(document["file"])
    files = []
    for entry in document["entries"]:
        path = tree + entry["path"]
        # Guest and shell take a line for a path; empty files are not measured.
        if any(character.isspace() for character in entry["path"]):
            continue
        status = os.lstat(path)
        if stat.S_ISREG(status.st_mode) and status.st_size and is_labelled(path, name):
            files.append((status.st_size, entry["path"]))
    return sorted(files)


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def main():
    tree = sys.argv[1]
    accesses = []
    for line in sys.stdin:
        document = json.loads(line)
        files = candidates(tree, document)
        if not files:
            sys.exit(f"{document['file']}: lists no file that could be accessed")
        chosen = {}
        for _, path in files:
            chosen.setdefault("map" if is_elf(tree + path) else "read", path)
        accesses.extend(chosen.items())
    for program in RUN:
        path = os.path.join("/usr/bin", program)
        if os.path.lexists(tree + path):
            accesses.append(("run", path))
    for how, path in accesses:
        print(how, path)


if __name__ == "__main__":
    main()
