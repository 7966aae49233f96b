#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""plots.py SUMMARY DIRECTORY: draws the figures of a summary, as SVG."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
# The same figures give the same file.
matplotlib.rcParams["svg.hashsalt"] = "digest_cache"
matplotlib.rcParams["svg.fonttype"] = "none"

from matplotlib import pyplot  # pylint: disable=wrong-import-position

OURS = "#1b6ca8"
BASELINE = "#c0504d"


def series(figures, prefix):
    """What is there for different numbers, in order: numbers, values."""
    points = sorted((int(name.removeprefix(prefix)), value) for name, value in figures.items())
    return [number for number, _ in points], [value for _, value in points]


def lines(axes, summary, figure, prefix, label):
    """Ours and the baseline over a number."""
    for top, kind, color in ((summary, "digest_cache", OURS), (summary["baseline"], "baseline", BASELINE)):
        if figure in top:
            style = "--" if "miss" in figure else "-"
            axes.plot(*series(top[figure], prefix), style, marker=".", color=color, label=f"{kind}, {label}")


def save(figure, path):
    """Writes a plot, without the date."""
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def plot(path, title, across, up, figures, scale="log"):
    """A plot of figures given as (summary, name, prefix, label), over a logarithmic axis."""
    figure, axes = pyplot.subplots(figsize=(6, 4))
    for arguments in figures:
        lines(axes, *arguments)
    axes.set(xscale="log", yscale=scale, title=title, xlabel=across, ylabel=up)
    if scale == "linear":
        axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    save(figure, path)


def bars(path, macro):
    """The macro benchmark: seconds of each variant."""
    figure, axes = pyplot.subplots(figsize=(7, 4))
    names = [name for name in macro if "sequential_s" in macro[name]]
    names.sort(key=lambda name: macro[name]["sequential_s"])
    for offset, what, color in ((-0.2, "sequential_s", OURS), (0.2, "parallel_s", "#7fb2d9")):
        places = [place + offset for place in range(len(names))]
        values = [macro[name].get(what, 0) for name in names]
        drawn = axes.barh(places, values, 0.38, color=color, label=what.removesuffix("_s"))
        axes.bar_label(drawn, fmt="%.2f", fontsize="small", padding=2)
    axes.set_yticks(range(len(names)), names)
    axes.set(title="20 000 accesses to files", xlabel="seconds")
    axes.legend(fontsize="small")
    save(figure, path)


def main():
    """Draws all that there are figures for."""
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} SUMMARY DIRECTORY")
    summary = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    directory = pathlib.Path(sys.argv[2])
    across = "SHA-256 digests in the list"
    plot(
        directory / "lookup.svg", "Looking a digest up", across, "nanoseconds",
        [(summary, f"lookup_{what}_ns", "n", what) for what in ("hit", "miss")],
    )
    plot(
        directory / "memory.svg", "Memory", across, "bytes a digest",
        [(summary, "bytes_per_digest", "n", "tables")], "linear",
    )
    plot(
        directory / "directory.svg", "Looking a digest up in a directory", "lists of 66 digests",
        "nanoseconds", [(summary, f"dir_{what}_ns", "lists", what) for what in ("hit", "miss")],
    )
    if "macro" in summary:
        bars(directory / "macro.svg", summary["macro"])


main()
