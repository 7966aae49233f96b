# SPDX-License-Identifier: GPL-2.0-only
"""Under which conditions was measured: what must be known to compare."""

import datetime
import hashlib
import os
import pathlib
import platform
import re
import subprocess

import boot

# What of the configuration decides about speed and memory.
SYMBOLS = (
    "CC_VERSION_TEXT",
    "RUSTC_VERSION_TEXT",
    "CC_OPTIMIZE_FOR_PERFORMANCE",
    "CC_OPTIMIZE_FOR_SIZE",
    "SLUB",
    "SLUB_TINY",
    "SMP",
    "NR_CPUS",
    "HZ",
    "KASAN",
    "PROVE_LOCKING",
)


def gather(kernel, config, modes):
    """All that is known before the first machine is booted."""
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", cpuinfo, re.MULTILINE)
    return {
        "started": now(),
        "git_revision": _git("rev-parse", "HEAD"),
        "git_modified": bool(_git("status", "--porcelain")),
        "vehicle": "User Mode Linux",
        "kernel_sha256": hashlib.sha256(kernel.read_bytes()).hexdigest(),
        "kernel_config": {name: _symbol(config, name) for name in SYMBOLS},
        "host": {
            "cpu": model[1] if model else platform.machine(),
            "cpus": os.cpu_count(),
            "kernel": platform.release(),
            "load_average": os.getloadavg(),
        },
        "machine": {
            "memory": boot.MEMORY,
            "seccomp": "on",
            "disk": "ext4 with inodes of 512 bytes on a read-only ubd",
            "mount_options": "ro,noatime",
            "passes": boot.PASSES,
            "before_each_pass": "echo 3 > /proc/sys/vm/drop_caches",
            "discarded": "one pass after boot, before there is a policy",
        },
        "modes": {
            mode.name: {"processes": mode.processes, "ncpus": mode.cpus, "pinned_to_cpu": mode.pin} for mode in modes
        },
    }


def now():
    """The time, for people and programs."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def _git(*arguments):
    found = subprocess.run(["git", "-C", boot.ROOT, *arguments], capture_output=True, text=True, check=False)
    # A copy of the sources without their history has no revision.
    return found.stdout.strip() if found.returncode == 0 else None


def _symbol(config, name):
    found = re.search(rf'^CONFIG_{name}="?(.*?)"?$', config, re.MULTILINE)
    return found[1] if found else "n"
