#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what is made of raw figures: the summary, the README's tables."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

LIB = pathlib.Path(__file__).resolve().parents[1]
ROOT = LIB.parents[1]
README = "before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n"

VARIANTS = (
    "none", "hash_only", "appraise_sig", "appraise_cache", "appraise_cache_hash",
    "appraise_cache_prefetch", "appraise_dir", "measure", "measure_cache",
)  # fmt: skip
SIZES = (66, 1000, 10_000, 100_000, 1_000_000)
# What the summary has at least, ours and the baseline's.
COMPARED = (
    *(f"lookup_{what}_ns.n{size}" for what in ("hit", "miss") for size in SIZES),
    *(f"dir_{what}_ns.lists{num}" for what in ("hit", "miss") for num in (303, 2000)),
    "bytes_per_digest.n1000000", "load_ns_per_digest.tlv", "load_ns_per_digest.rpm",
    "get_put_ns.threads1", "get_put_ns.threads2", "free_ms.n1000000",
)  # fmt: skip
ALONE = ("bytes_per_cache.n66", "inode_blob_bytes")


def run(script, *arguments):
    """Runs a script of the directory; its end and what it said."""
    command = [sys.executable, "-B", str(LIB / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def get(summary, name):
    """The figure of this name."""
    for part in name.split("."):
        summary = summary[part]
    return summary


class InDirectory(unittest.TestCase):
    """Tests with files."""

    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def collect(self, micro, macro=None):
        """The summary of these figures."""
        raw, out, other = (self.directory / name for name in ("raw", "out.json", "macro.json"))
        raw.write_text("".join(f"{name} {value}\n" for name, value in micro), encoding="utf-8")
        if macro:
            other.write_text(json.dumps({"variants": macro, "conditions": {"a": 1}}), encoding="utf-8")
        result = run("collect.py", "--conditions", '{"b": 2}', raw, other if macro else "-", out)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return json.loads(out.read_text(encoding="utf-8"))


class Collect(InDirectory):
    """From raw figures to the summary."""

    def test_medians_and_spreads(self):
        summary = self.collect([("x.n1", value) for value in (1, 2, 3, 4, 100)] + [("y.n1", 5)] * 5)
        self.assertEqual(summary["x"]["n1"], 3)
        self.assertEqual(summary["spread"], {"x.n1": 0.667, "y.n1": 0})
        self.assertEqual(summary["too_wide_to_compare"], ["x.n1"])

    def test_figures_made_of_others(self):
        summary = self.collect(
            [
                ("table_bytes.n1000", 33_000), ("baseline.table_bytes.n1000", 64_000),
                ("free_ns.n1000000", 3e6), ("inode_blob_total", 152), ("without.inode_blob_total", 120),
                ("load_at_ns.tlv.n66", 9), ("load_at_ns.tlv.n100000", 7), ("load_at_ns.tlv.n1000000", 8),
                ("load_at_ns.rpm.n66", 4),
            ]
        )  # fmt: skip
        self.assertEqual(summary["bytes_per_digest"]["n1000"], 33)
        self.assertEqual(summary["baseline"]["bytes_per_digest"]["n1000"], 64)
        self.assertEqual(summary["free_ms"]["n1000000"], 3)
        self.assertEqual(summary["inode_blob_bytes"], 32)
        # Of 100 000 digests, or of the most there are.
        self.assertEqual(summary["load_ns_per_digest"], {"tlv": 7, "rpm": 4})

    def test_targets(self):
        rows = self.collect(
            [
                ("table_hit_ns.n66", 30), ("baseline.table_hit_ns.n66", 50),
                ("table_miss_ns.n66", 25), ("baseline.table_miss_ns.n66", 50),
            ],
            {
                "hash_only": {"sequential_s": [10, 10]},
                "appraise_cache_hash": {"sequential_s": [10.4, 10.4]},
            },
        )["targets"]  # fmt: skip
        rows = {row["text"]: (row["value"], row["met"]) for row in rows}
        self.assertEqual(
            rows,
            {
                "hit at 66, table, over the baseline": (0.6, False),
                "miss at 66, table, over the baseline": (0.5, True),
                "own cost: (appraise_cache_hash - hash_only) / hash_only": (0.04, True),
            },
        )

    def test_ratios_are_within_rounds(self):
        # The machine was half as fast in the last round.
        summary = self.collect(
            [(name, value) for value in (1, 1, 1.2) for name in ("table_hit_ns.n66",)]
            + [("baseline.table_hit_ns.n66", value) for value in (2, 5, 6)]
        )
        self.assertEqual(summary["ratio_to_baseline"], {"table_hit_ns.n66": 0.2})
        self.assertEqual(summary["targets"][0]["value"], 0.2)

    def test_conditions_of_both(self):
        summary = self.collect([("x.n1", 1)], {"none": {"sequential_s": [1], "slab_kb": [2]}})
        self.assertEqual(summary["conditions"], {"a": 1, "b": 2})
        self.assertEqual(summary["macro"], {"none": {"sequential_s": 1, "slab_kb": 2}})


class Table(InDirectory):
    """From the summary to the README."""

    def write(self, readme, **changes):
        """Runs the script on a text; its end, and the text then."""
        summary = {"targets": [], "spread": {}, "too_wide_to_compare": []} | changes
        paths = self.directory / "summary.json", self.directory / "README.md"
        for path, text in zip(paths, (json.dumps(summary), readme)):
            path.write_text(text, encoding="utf-8")
        return run("table.py", *paths), paths[1].read_text(encoding="utf-8")

    def test_replaces_what_is_between_the_marks(self):
        target = {"text": "what", "limit": 2, "value": 3, "met": False}
        result, text = self.write(README, targets=[target], table_hit_ns={"n66": 17})
        self.assertEqual(result.returncode, 0)
        self.assertTrue(text.startswith("before\n<!-- bench: begin -->\n"))
        self.assertTrue(text.endswith("<!-- bench: end -->\nafter\n"))
        self.assertNotIn("old", text)
        self.assertIn("| what | 2 | 3 | **no** |", text)
        self.assertIn("| table, hit, 66 digests | ns | 17 |  |  |", text)

    def test_without_marks_nothing_is_written(self):
        for readme in ("nothing\n", README + README):
            result, text = self.write(readme)
            self.assertEqual(result.returncode, 1)
            self.assertIn("<!-- bench: begin -->", result.stderr)
            self.assertEqual(text, readme)


class Kept(InDirectory):
    """What is in the repository."""

    def test_summary_has_all_figures(self):
        summary = json.loads((ROOT / "bench/results/summary.json").read_text(encoding="utf-8"))
        names = [*COMPARED, *ALONE, *(f"baseline.{name}" for name in COMPARED)]
        figures = ("sequential_s", "parallel_s", "slab_kb")
        names += [f"macro.{variant}.{figure}" for variant in VARIANTS for figure in figures]
        for name in names:
            with self.subTest(name):
                self.assertGreater(get(summary, name), 0)

    def test_readme_is_made_of_it(self):
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        copied = self.directory / "README.md"
        copied.write_text(readme, encoding="utf-8")
        self.assertEqual(run("table.py", ROOT / "bench/results/summary.json", copied).returncode, 0)
        self.assertEqual(copied.read_text(encoding="utf-8"), readme)
        for name in ("macro", "lookup", "directory", "memory"):
            self.assertTrue((ROOT / f"bench/results/{name}.svg").is_file())


if __name__ == "__main__":
    unittest.main()
