#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""table.py SUMMARY README: writes the benchmark's tables into a text.

They replace what is between the lines "<!-- bench: begin -->" and
"<!-- bench: end -->". No figure is typed by hand.
"""

import json
import pathlib
import sys

BEGIN = "<!-- bench: begin -->\n"
END = "<!-- bench: end -->\n"


def number(value):
    """A number for people, with three digits."""
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def table(head, rows):
    """A table in Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def lookup(summary, name):
    """The figure of this name, if there is one."""
    place = summary
    for part in name.split("."):
        if part not in place:
            return None
        place = place[part]
    return place


# Text, name, unit.
MICRO = (
    ("memory, 10^6 digests", "bytes_per_digest.n1000000", "B a digest"),
    ("memory, all of a cache of 1 digest", "bytes_per_cache.n1", "B"),
    ("memory, all of a cache of 10 digests", "bytes_per_cache.n10", "B"),
    ("memory, all of a cache of 66 digests", "bytes_per_cache.n66", "B"),
    ("memory of each inode of the system", "inode_blob_bytes", "B"),
    ("index of a directory of 2000 lists", "index_bytes_per_digest.lists2000", "B a digest"),
    ("table, hit, 66 digests", "table_hit_ns.n66", "ns"),
    ("table, hit, 10^6 digests", "table_hit_ns.n1000000", "ns"),
    ("table, miss, 10^6 digests", "table_miss_ns.n1000000", "ns"),
    ("`digest_cache_lookup()`, hit, 66 digests", "lookup_hit_ns.n66", "ns"),
    ("`digest_cache_lookup()`, hit, 10^6 digests", "lookup_hit_ns.n1000000", "ns"),
    ("`digest_cache_lookup()`, miss, 10^6 digests", "lookup_miss_ns.n1000000", "ns"),
    ("load `tlv`", "load_ns_per_digest.tlv", "ns a digest"),
    ("load `rpm`", "load_ns_per_digest.rpm", "ns a digest"),
    ("free, 10^6 digests", "free_ms.n1000000", "ms"),
    ("get and put, warm, 1 thread", "get_put_ns.threads1", "ns"),
    ("get and put, warm, 2 threads, one list", "get_put_ns.threads2", "ns"),
    ("directory of 303 lists, hit", "dir_hit_ns.lists303", "ns"),
    ("directory of 2000 lists, hit", "dir_hit_ns.lists2000", "ns"),
    ("directory of 2000 lists, miss", "dir_miss_ns.lists2000", "ns"),
)


def micro(summary):
    """Ours beside the baseline."""
    rows = []
    for text, name, unit in MICRO:
        ours, baseline = lookup(summary, name), lookup(summary, f"baseline.{name}")
        if ours is None:
            continue
        ratio = f"{summary['ratio_to_baseline'][name]:.3g}" if baseline else ""
        rows.append((text, unit, number(ours), number(baseline) if baseline else "", ratio))
    return table(("figure", "unit", "digest_cache", "baseline", "ratio"), rows)


def macro(summary):
    """Seconds of each variant, and how they are to that without a policy."""
    variants = summary.get("macro", {})
    if "none" not in variants:
        return ""
    floor = variants["none"]["sequential_s"]
    rows = [
        (
            f"`{name}`",
            number(figures["sequential_s"]),
            number(figures["sequential_s"] / floor),
            number(figures["parallel_s"]) if "parallel_s" in figures else "",
            number(figures["slab_kb"]) if "slab_kb" in figures else "",
        )
        for name, figures in variants.items()
        if "sequential_s" in figures
    ]
    head = ("20 000 accesses", "sequential (s)", "to `none`", "parallel (s)", "slab (KB)")
    return table(head, rows)


def targets(summary):
    """What was to be reached."""
    rows = [
        (row["text"], number(row["limit"]), number(row["value"]), "yes" if row["met"] else "**no**")
        for row in summary["targets"]
    ]
    return table(("target", "at most", "reached", "met"), rows)


# Plot, what it shows.
PLOTS = (
    ("macro", "Seconds of 20 000 accesses to files, by how they are checked"),
    ("lookup", "Time of a look-up by the number of digests in the list"),
    ("directory", "Time of a look-up by the number of lists in the directory"),
    ("memory", "Memory a digest by the number of digests in the list"),
)


def plots(summary):
    """Where the plots are, as plots.py names them."""
    drawn = [f"![{text}](bench/results/{name}.svg)" for name, text in PLOTS if name != "macro" or name in summary]
    return "\n\n".join(drawn) + "\n"


def conditions(summary):
    """Where the figures come from."""
    about = summary.get("conditions", {})
    machine = f"{about.get('cpu', 'an unknown CPU')}, {about.get('host_cpus', '?')} CPUs"
    wide = len(summary["too_wide_to_compare"])
    return (
        f"Revision {about.get('revision', 'unknown')}, on {machine}. Medians; of {len(summary['spread'])}\n"
        f"figures, {wide} had a spread of more than a quarter of it, and say little: see\n"
        "`too_wide_to_compare` in [summary.json](bench/results/summary.json), which has all\n"
        "figures and conditions.\n"
    )


def main():
    """Replaces what is between the marks."""
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} SUMMARY README")
    summary = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    path = pathlib.Path(sys.argv[2])
    text = path.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"{path}: has not the lines {BEGIN.strip()} and {END.strip()} once each: put them back")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    parts = [conditions(summary), macro(summary), micro(summary), targets(summary), plots(summary)]
    tables = "".join(f"\n{part.rstrip()}\n" for part in parts if part) + "\n"
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(before + BEGIN + tables + END + after, encoding="utf-8")
    temporary.rename(path)


main()
