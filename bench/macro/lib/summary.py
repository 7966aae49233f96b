# SPDX-License-Identifier: GPL-2.0-only
"""What the raw values say: median, spread, ratios.

Machines drift: ratios are taken within a round, and of those the median.
"""

import statistics

# With a wider spread (interquartile range by median) values do not compare.
MAX_SPREAD = 0.25
# With fewer values there is no spread to speak of.
MIN_ROUNDS = 5
# What others are compared with, as far as it was measured.
REFERENCES = ("none", "hash_only", "appraise_sig", "measure")
FIGURES = ("sequential_s", "parallel_s", "slab_kb", "slab_parallel_kb")


def describe(values):
    """Median and spread of a list of values."""
    median = statistics.median(values)
    result = {"median": median, "min": min(values), "max": max(values), "spread": None, "comparable": False}
    if len(values) >= 2 and median:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
        result["spread"] = (high - low) / median
        result["comparable"] = len(values) >= MIN_ROUNDS and result["spread"] <= MAX_SPREAD
    return result


def summarize(variants):
    """For each variant and figure: the description, and ratios to references."""
    result = {}
    for name, raw in variants.items():
        result[name] = {}
        for figure in FIGURES:
            described = describe(raw[figure])
            described["ratio_to"] = {
                reference: statistics.median(a / b for a, b in zip(raw[figure], variants[reference][figure]))
                for reference in REFERENCES
                if reference in variants and reference != name
            }
            result[name][figure] = described
    return result


def warnings(summary, rounds):
    """What readers must know before they compare."""
    found = []
    if rounds < MIN_ROUNDS:
        found.append(f"{rounds} rounds are too few to compare, {MIN_ROUNDS} are needed")
    for name, figures in summary.items():
        for figure, described in figures.items():
            spread = described["spread"]
            if spread is not None and spread > MAX_SPREAD:
                what = f"spread too wide to compare, {spread:.2f} of the median"
                found.append(f"{name}: {figure}: {what}; raw values are kept")
    return found


def table(summary):
    """Lines for people."""
    lines = [f"{'':24} {'sequential':>11} {'x none':>7} {'parallel':>10} {'x none':>7} {'slab':>9}"]
    for name, figures in summary.items():
        cells = []
        for figure in ("sequential_s", "parallel_s"):
            ratio = figures[figure]["ratio_to"].get("none", 1.0 if name == "none" else float("nan"))
            cells.append(f"{figures[figure]['median']:9.2f} s {ratio:7.2f}")
        lines.append(f"{name:24} {' '.join(cells)} {figures['slab_kb']['median']:6.0f} KB")
    return lines
