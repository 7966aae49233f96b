#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Splits sources into the patches that a manifest names.

    series_split.py list MANIFEST SOURCES PATCHES
    series_split.py write MANIFEST SOURCES PATCHES NUMBER TREE

SOURCES is a directory with every file that is ours, where it belongs in a
kernel tree; PATCHES a directory of git-format patches that the series has as
they are. "list" checks that the manifest accounts for all of them and prints
one line for each patch of the series, "patch FILE" or "step MESSAGE-FILE".
"write" brings TREE to the state after that line, counted from 1, which must be
a step. series/README.md describes the manifest.

A step leaves behind what compiles, as far as the files that are there allow:

- A Rust file has no "mod" line for a module that comes later, Kbuild none for
  an object.
- A file that the manifest calls an outline has its documentation, its modules
  and its constants only. The outline of a crate's root leaves out the modules
  that use what is not there yet.
"""

import argparse
import fnmatch
import os
import pathlib
import re
import subprocess
import sys

MOD = re.compile(r"(?:pub(?:\([^)]*\))? )?mod (\w+);")
PARAGRAPH = re.compile(r"\n{2,}")
COMMENT_OR_ATTRIBUTE = re.compile(r"//|#\[")
CONSTANT = re.compile(r"(?:pub(?:\([^)]*\))? )?const \w+:")

# Until the crate is complete, much of it has no user.
ALLOW_UNUSED = [
    "// The users of what is here come with the rest of the LSM.",
    "#![allow(unused)]",
]


class Wrong(Exception):
    """What is wrong with the manifest or with what it describes."""


class Step:
    """A patch made of sources."""

    def __init__(self, message):
        self.message = message
        self.patterns = []  # of paths that get their final content here
        self.partial = {}  # path: a function that shortens the content
        self.diffs = []  # files that git applies
        self.maintainers = None  # the fragment to insert
        self.paths = set()  # what the patterns turned out to be


class Patch:
    """A patch that the series has as it is."""

    def __init__(self, subject):
        self.subject = subject
        self.path = None  # when it was found


def without(symbols):
    """Leaves Kconfig symbols out."""

    def shorten(text):
        for symbol in symbols:
            stanza = re.compile(
                rf"^config {symbol}\n(?:[ \t].*\n|\n)*", re.MULTILINE
            )
            text, count = stanza.subn("", text)
            if count != 1:
                raise Wrong(f"there is no symbol {symbol} to leave out")
        return text.rstrip("\n") + "\n"

    return shorten


def outline(text):
    """The documentation, modules and constants of a Rust file."""
    kept = []
    for paragraph in PARAGRAPH.split(text.rstrip("\n")):
        lines = paragraph.split("\n")
        code = [line for line in lines if not COMMENT_OR_ATTRIBUTE.match(line)]
        if not code or CONSTANT.match(code[0]) or any(map(MOD.match, code)):
            kept.append(paragraph)
    return "\n\n".join(kept) + "\n"


def read_manifest(path):
    """The steps and patches of a manifest; the patterns of what is not for it."""
    items, left = [], []
    step = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        where = f"{path}:{number}"
        if line[0].isspace():
            if step is None:
                raise Wrong(f"{where}: belongs to no step")
            add_to_step(step, words, path.parent, where)
            continue
        step = None
        if words[0] == "step" and len(words) == 2:
            step = Step(path.parent / "messages" / words[1])
            items.append(step)
        elif words[0] == "patch" and len(words) > 1:
            items.append(Patch(" ".join(words[1:])))
        elif words[0] == "leave" and len(words) == 2:
            left.append(words[1])
        else:
            raise Wrong(f"{where}: neither a patch, a step, nor a path to leave")
    return items, left


def add_to_step(step, words, directory, where):
    """Understands a line of a step."""
    if words[0] == "apply" and len(words) == 2:
        step.diffs.append(directory / words[1])
    elif words[0] == "maintainers" and len(words) == 2:
        step.maintainers = directory / words[1]
    elif len(words) == 1:
        step.patterns.append(words[0])
    elif words[1:] == ["outline"]:
        step.partial[words[0]] = outline
    elif words[1] == "without" and len(words) > 2:
        step.partial[words[0]] = without(words[2:])
    else:
        raise Wrong(f"{where}: cannot be understood")


def subject(path):
    """The subject of a git-format patch."""
    text = path.read_text(encoding="utf-8")
    found = re.search(r"^Subject: (?:\[[^\]]*\] )?(.*(?:\n[ \t].*)*)", text, re.MULTILINE)
    if not found:
        raise Wrong(f"{path} has no subject")
    return re.sub(r"\s+", " ", found.group(1)).strip()


def sources_below(directory):
    """The paths of all files, as they are in a kernel tree."""
    return {
        str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()
    }


def assign(steps, left, sources):
    """Finds out which step each source belongs to; returns unused patterns."""
    patterns = [(pattern, step) for step in steps for pattern in step.patterns]
    patterns += [(pattern, None) for pattern in left]
    used, forgotten = set(), []
    for path in sorted(sources):
        # The path itself first, then the pattern that says most about it.
        found = sorted(
            (pattern == path, len(pattern), pattern, number)
            for number, (pattern, _) in enumerate(patterns)
            if fnmatch.fnmatchcase(path, pattern)
        )
        if not found:
            forgotten.append(path)
            continue
        if len(found) > 1 and found[-1][:2] == found[-2][:2]:
            raise Wrong(f"{path} is in the manifest twice")
        pattern, step = patterns[found[-1][3]]
        used.add(pattern)
        if step:
            step.paths.add(path)
    if forgotten:
        raise Wrong("not in the manifest: " + ", ".join(forgotten))
    for position, step in enumerate(steps):
        for path in step.partial:
            if path not in sources:
                raise Wrong(f"{step.message.name}: {path} does not exist")
            if not any(path in later.paths for later in steps[position + 1 :]):
                raise Wrong(f"{path} never becomes complete after {step.message.name}")
    return sorted({pattern for pattern, _ in patterns} - used)


def covered(path, fragment):
    """Whether a MAINTAINERS entry has the file."""
    for pattern in re.findall(r"^F:\s*(\S+)", fragment, re.MULTILINE):
        if path.startswith(pattern) if pattern.endswith("/") else fnmatch.fnmatchcase(path, pattern):
            return True
    return False


def check_maintainers(steps):
    fragments = [s.maintainers.read_text(encoding="utf-8") for s in steps if s.maintainers]
    if len(fragments) != 1:
        raise Wrong(f"MAINTAINERS gets {len(fragments)} entries instead of one")
    missed = sorted(p for s in steps for p in s.paths if not covered(p, fragments[0]))
    if missed:
        raise Wrong("no F: line of the MAINTAINERS entry has " + ", ".join(missed))


def find_patches(wanted, directory):
    """Finds the files of patches; all must be wanted, in their order. Returns those not found."""
    files = sorted(directory.glob("*.patch"))
    by_subject = {subject(path): path for path in files}
    for patch in wanted:
        patch.path = by_subject.get(patch.subject)
    named = [patch.path for patch in wanted if patch.path]
    forgotten = [f"{path.name} ('{subject(path)}')" for path in files if path not in named]
    if forgotten:
        raise Wrong("not in the manifest: " + ", ".join(forgotten))
    # In another order they may apply, but that is not what everybody tests.
    if named != files:
        early, late = next(pair for pair in zip(named, files) if pair[0] != pair[1])
        raise Wrong(f"{early.name} is named before {late.name}, or twice")
    return [f"patch {patch.subject}" for patch in wanted if not patch.path]


def check_messages(steps, directory):
    """Each step must have a message of its own, each message a step."""
    messages = [step.message for step in steps]
    for message in messages:
        if messages.count(message) > 1:
            raise Wrong(f"two steps have the name {message.name}")
        if not message.is_file():
            raise Wrong(f"{message} is missing")
    for message in sorted(directory.iterdir()):
        if message not in messages:
            raise Wrong(f"no step has the message {message.name}")


def load(manifest, sources, patches):
    """The series, as a list of Step and Patch; and what is in the manifest but not there (yet)."""
    items, left = read_manifest(manifest)
    steps = [item for item in items if isinstance(item, Step)]
    unused = assign(steps, left, sources_below(sources))
    unused += find_patches([item for item in items if isinstance(item, Patch)], patches)
    check_messages(steps, manifest.parent / "messages")
    check_maintainers(steps)
    series = []
    for item in items:
        if item.paths or item.partial if isinstance(item, Step) else item.path:
            series.append(item)
    return series, unused


def module_exists(path, name, present):
    """Whether a module that a Rust file declares is among the files."""
    directory = os.path.dirname(path)
    stem = os.path.basename(path).removesuffix(".rs")
    # The crate's root is named like its directory.
    if stem not in ("mod", "lib", os.path.basename(directory)):
        directory = f"{directory}/{stem}"
    return f"{directory}/{name}.rs" in present or f"{directory}/{name}/mod.rs" in present


def keep_modules(text, keep):
    """Drops "mod" lines, with the attributes and comments that are theirs."""
    kept = []
    for line in text.split("\n"):
        found = MOD.match(line)
        if found and not keep(found.group(1)):
            while kept and re.match(r"#\[|//(?!!)", kept[-1]):
                kept.pop()
        else:
            kept.append(line)
    # A paragraph that has become empty leaves one blank line too many.
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept))


def keep_objects(path, text, present):
    """Drops the lines of Kbuild that name an object without its source."""
    directory = os.path.dirname(path)

    def exists(line):
        # Flags for an object are called like CFLAGS_name.o.
        names = re.findall(r"\b(?:[A-Z]+_)*(\w+)\.o\b", line)
        return all(
            any(f"{directory}/{name}.{suffix}" in present for suffix in ("c", "rs", "S"))
            for name in names
        )

    return "".join(line for line in text.splitlines(keepends=True) if exists(line))


def allow_unused(text):
    """Allows what has no user yet, below the documentation of a crate."""
    lines = text.split("\n")
    last = max(number for number, line in enumerate(lines) if line.startswith("//!"))
    lines[last + 1 : last + 1] = ["", *ALLOW_UNUSED]
    return "\n".join(lines)


def crate_uses(text):
    """The names in the crate's root that a Rust file uses."""
    text = re.sub(r"//.*", "", text)
    for found in re.finditer(r"\bcrate::(\w+|\{)", text):
        if found.group(1) != "{":
            yield found.group(1)
            continue
        # use crate::{name::..., name::{...}, name};
        depth, start = 1, True
        for token in re.findall(r"\w+|[{},]", text[found.end() :]):
            if token == "{":
                depth += 1
            elif token == "}":
                depth -= 1
                if depth == 0:
                    break
            elif token == ",":
                start = depth == 1
            elif start and depth == 1:
                yield token
                start = False


def usable_modules(root, present, sources):
    """The modules of a crate that use nothing but each other."""
    directory = os.path.dirname(root)
    uses = {}
    for path in present:
        if path.startswith(directory + "/") and path.endswith(".rs") and path != root:
            name = path.removeprefix(directory + "/").split("/")[0].removesuffix(".rs")
            text = (sources / path).read_text(encoding="utf-8")
            uses.setdefault(name, set()).update(crate_uses(text))
    while True:
        unusable = {name for name, used in uses.items() if not used <= uses.keys()}
        if not unusable:
            return set(uses)
        for name in unusable:
            del uses[name]


def content(path, present, shorten, sources):
    """The content of a file when those that are present are there."""
    name = os.path.basename(path)
    is_rust, is_kbuild = name.endswith(".rs"), name == "Kbuild"
    data = (sources / path).read_bytes()
    if not (shorten or is_rust or is_kbuild):
        return data
    text = data.decode("utf-8")
    if shorten:
        text = shorten(text)
    if is_kbuild:
        text = keep_objects(path, text, present)
    if is_rust:
        text = keep_modules(text, lambda module: module_exists(path, module, present))
    if shorten is outline and name == os.path.basename(os.path.dirname(path)) + ".rs":
        usable = usable_modules(path, present, sources)
        text = allow_unused(keep_modules(text, usable.__contains__))
    return text.encode("utf-8")


def write_state(series, number, sources, tree):
    """Writes the files of all steps up to the one of that number."""
    step = series[number - 1]
    present, partial = set(), {}
    for item in series[:number]:
        if isinstance(item, Step):
            partial.update(item.partial)
            present |= item.paths | set(item.partial)
            for path in item.paths:
                partial.pop(path, None)

    for path in sorted(present):
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content(path, present, partial.get(path), sources))
        target.chmod((sources / path).stat().st_mode & 0o777)

    if step.maintainers:
        insert_maintainers(tree / "MAINTAINERS", step.maintainers.read_text(encoding="utf-8"))
    for diff in step.diffs:
        subprocess.run(["git", "apply", "--whitespace=error", diff.resolve()], cwd=tree, check=True)


def insert_maintainers(path, fragment):
    """Puts an entry where it belongs by its title."""
    # Whatever the encoding of the names in there, bytes stay bytes.
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    title = fragment.split("\n", 1)[0]
    # A title begins a paragraph, and its next line is "M:", "L:" or the like.
    entries = re.compile(r"^(?P<title>[^\n]+)\n(?:[A-Z]:\t[^\n]*\n)+", re.MULTILINE)
    found = list(entries.finditer(text))
    if any(entry["title"] == title for entry in found):
        raise Wrong(f"MAINTAINERS has an entry {title} already")
    # Not all entries are where they should be: the last one in alphabetical
    # order before ours is the one to look for, not the first one after it.
    before = [entry for entry in found if entry["title"] < title]
    if not before:
        raise Wrong(f"there is no place for {title} in MAINTAINERS")
    at = max(before, key=lambda entry: entry["title"]).end()
    text = text[:at] + "\n" + fragment.rstrip("\n") + "\n" + text[at:]
    path.write_text(text, encoding="utf-8", errors="surrogateescape")


def main():
    parser = argparse.ArgumentParser(description="Splits sources into patches.")
    parser.add_argument("command", choices=["list", "write"])
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("sources", type=pathlib.Path)
    parser.add_argument("patches", type=pathlib.Path)
    parser.add_argument("number", type=int, nargs="?")
    parser.add_argument("tree", type=pathlib.Path, nargs="?")
    args = parser.parse_args()
    try:
        series, unused = load(args.manifest, args.sources, args.patches)
        if args.command == "write":
            write_state(series, args.number, args.sources, args.tree)
            return 0
        for text in unused:
            print(f"series: in the manifest, but not there: {text}", file=sys.stderr)
        for item in series:
            if isinstance(item, Step):
                print(f"step {item.message}")
            else:
                print(f"patch {item.path}")
    except (Wrong, OSError, subprocess.CalledProcessError) as error:
        print(f"series: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
