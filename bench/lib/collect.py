#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""collect.py MICRO MACRO OUT: makes bench/results/summary.json of raw figures.

MICRO has "NAME VALUE" lines, as many for a figure as there were rounds; MACRO is
what bench/macro/run wrote. Each figure of the summary is a median; "spread" has
what lies between the quartiles, as a share of it. Targets are those of the
project, each with the value reached; ratios are medians of those within a round.
"""

import argparse
import collections
import json
import pathlib
import statistics
import sys

# What a spread is, and when it is too wide, is said there.
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "macro" / "lib"))

from summary import MAX_SPREAD, describe  # pylint: disable=wrong-import-position

MACRO_FIGURES = ("sequential_s", "parallel_s", "slab_kb")


def read_micro(path):
    """The figures of the micro benchmark, with their rounds, and those made of them."""
    figures = collections.defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        name, value = line.split()
        figures[name].append(float(value))
    made = dict(figures)
    for kind in ("", "baseline."):
        for name, values in figures.items():
            if name.startswith(f"{kind}table_bytes.n"):
                num = int(name.rpartition("n")[2])
                made[f"{kind}bytes_per_digest.n{num}"] = [value / num for value in values]
            if name.startswith(f"{kind}free_ns.n"):
                num = name.rpartition("n")[2]
                made[f"{kind}free_ms.n{num}"] = [value / 1e6 for value in values]
        for form in ("tlv", "rpm"):
            sizes = [
                int(name.rpartition("n")[2])
                for name in figures
                if name.startswith(f"{kind}load_at_ns.{form}.")
            ]
            # The number for both formats: large enough for what happens once to be nothing.
            if sizes:
                size = 100_000 if 100_000 in sizes else max(sizes)
                at_size = figures[f"{kind}load_at_ns.{form}.n{size}"]
                made[f"{kind}load_ns_per_digest.{form}"] = at_size
    blobs = made.pop("inode_blob_total", None), made.pop("without.inode_blob_total", None)
    if all(blobs):
        made["inode_blob_bytes"] = [blobs[0][0] - blobs[1][0]]
    return made


def read_macro(path):
    """The figures of the macro benchmark, and under which conditions they were taken."""
    if path is None:
        return {}, {}
    content = json.loads(path.read_text(encoding="utf-8"))
    figures = {
        f"macro.{variant}.{figure}": values[figure]
        for variant, values in content["variants"].items()
        for figure in MACRO_FIGURES
        if values.get(figure)
    }
    return figures, content["conditions"]


def ratio(raw, name, over):
    """How many times another figure a figure is; none if one is missing.

    Machines drift: where both were taken in the same rounds, the median of the ratios within each.
    """
    if name not in raw or over not in raw:
        return None
    if len(raw[name]) == len(raw[over]):
        return statistics.median(a / b for a, b in zip(raw[name], raw[over]))
    return statistics.median(raw[name]) / statistics.median(raw[over])


def ratios(raw):
    """What figures are to those of the baseline, to four digits."""
    found = {name: ratio(raw, name, f"baseline.{name}") for name in raw}
    return {name: float(f"{value:.4g}") for name, value in sorted(found.items()) if value}


class Targets:
    """What is to be reached, as ratios of figures."""

    def __init__(self, raw):
        self.raw = raw
        self.rows = []

    def ratio(self, text, name, over, limit):
        """A figure is at most so many times another one."""
        value = ratio(self.raw, name, over)
        if value is not None:
            self.add(text, value, limit)

    def figure(self, text, name, limit):
        """A figure is at most so much."""
        if name in self.raw:
            self.add(text, statistics.median(self.raw[name]), limit)

    def add(self, text, value, limit):
        """A value is at most so much."""
        value = float(f"{value:.3g}")
        self.rows.append({"text": text, "value": value, "limit": limit, "met": value <= limit})

    def baseline(self, text, name, limit):
        """As `ratio`, over the baseline's figure."""
        self.ratio(text, name, f"baseline.{name}", limit)


def targets(raw):
    """The targets of the project for which there are figures."""
    check = Targets(raw)
    check.figure("bytes a SHA-256 digest at 10^6", "bytes_per_digest.n1000000", 33)
    check.figure("bytes a cache of 66 digests", "bytes_per_cache.n66", 66 * 32 + 512)
    check.figure("bytes a digest of the index of 2000 lists", "index_bytes_per_digest.lists2000", 12)
    for what in ("hit", "miss"):
        for size, limit in ((1_000_000, 1 / 15), (66, 1 / 2)):
            for way, kind in (("table", "table"), ("API", "lookup")):
                text = f"{what} at {size}, {way}, over the baseline"
                check.baseline(text, f"{kind}_{what}_ns.n{size}", limit)
    for form in ("tlv", "rpm"):
        check.baseline(f"load {form} over the baseline", f"load_ns_per_digest.{form}", 1 / 5)
    check.baseline("free a table of 10^6 over the baseline", "free_ms.n1000000", 1 / 200)
    check.baseline("get+put, 1 thread, over the baseline", "get_put_ns.threads1", 0.6)
    check.baseline("get+put, 2 threads, over the baseline", "get_put_ns.threads2", 0.5)
    for what in ("hit", "miss"):
        name = f"dir_{what}_ns.lists2000"
        one = f"dir_one_table_{what}_ns.lists2000"
        check.ratio(f"directory of 2000, {what}, over one table", name, one, 2.5)
        check.baseline(f"directory of 2000, {what}, over the baseline", name, 1 / 1000)
        few = f"dir_{what}_ns.lists303"
        check.ratio(f"directory, {what}, 2000 lists over 303", name, few, 1.25)
    name = "macro.{}.sequential_s".format
    own = ratio(raw, name("appraise_cache_hash"), name("hash_only"))
    if own is not None:
        check.add("own cost: (appraise_cache_hash - hash_only) / hash_only", own - 1, 0.05)
    check.ratio("appraise_cache over appraise_sig", name("appraise_cache"), name("appraise_sig"), 0.09)
    check.ratio("appraise_dir over appraise_cache", name("appraise_dir"), name("appraise_cache"), 1.03)
    return check.rows


def nest(figures):
    """Names with dots become objects in objects."""
    top = {}
    for name, value in sorted(figures.items()):
        *path, last = name.split(".")
        place = top
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return top


def main():
    """Writes the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("micro", type=pathlib.Path)
    parser.add_argument("macro", type=pathlib.Path, help="or - if there is none")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--conditions", type=json.loads, default={})
    arguments = parser.parse_args()

    raw = read_micro(arguments.micro)
    has_macro = str(arguments.macro) != "-"
    macro, conditions = read_macro(arguments.macro if has_macro else None)
    raw.update(macro)
    described = {name: describe(values) for name, values in raw.items()}
    # To four digits.
    figures = {name: float(f"{about['median']:.4g}") for name, about in described.items()}
    spreads = {name: round(about["spread"] or 0, 3) for name, about in described.items()}
    summary = nest(figures)
    summary["spread"] = spreads
    summary["too_wide_to_compare"] = sorted(n for n, s in spreads.items() if s > MAX_SPREAD)
    summary["ratio_to_baseline"] = ratios(raw)
    summary["targets"] = targets(raw)
    summary["conditions"] = conditions | arguments.conditions
    text = json.dumps(summary, indent=1) + "\n"
    temporary = arguments.out.with_suffix(".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.rename(arguments.out)


main()
