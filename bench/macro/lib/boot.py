# SPDX-License-Identifier: GPL-2.0-only
"""Boots a machine for one variant, and returns what it reported."""

import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess

import report

ROOT = pathlib.Path(__file__).resolve().parents[3]
PASSES = 2
MEMORY = "1G"


class Failed(Exception):
    """A machine did not come to its end."""


@dataclasses.dataclass(frozen=True)
class Mode:
    """How the files are read."""

    name: str
    processes: int
    cpus: int
    pin: int | None  # CPU of the host

    def command(self):
        """What is put before a command."""
        return [] if self.pin is None else ["taskset", "-c", str(self.pin)]


@dataclasses.dataclass(frozen=True)
class Machine:
    """What all machines have in common."""

    kernel: pathlib.Path
    guest: pathlib.Path  # the program
    image: pathlib.Path  # directory of disk images
    work: pathlib.Path
    fsuuid: str
    limit: float  # seconds

    def boot(self, variant, mode):
        """Boots and returns the report."""
        directory = self.work / f"{variant.name}-{mode.name}"
        self._prepare(directory, variant)
        # The disk is opened read-only: several machines can have it, and none
        # can change what the next one reads.
        words = [
            f"ubd0r={self.image / variant.image}.img",
            "seccomp=on",
            f"init={self.guest}",
            f"payload={directory}",
            "disk=/dev/ubda",
            "report=/dev/tty1",
            f"processes={mode.processes}",
            f"passes={PASSES}",
        ]
        if variant.default_path:
            words.append(f"default_path={variant.default_path}")
        command = [*mode.command(), str(ROOT / "scripts/guest-um"), str(directory), str(self.kernel), "-", *words]
        environment = os.environ | {"GUEST_CPUS": str(mode.cpus), "GUEST_MEM": MEMORY}
        self._run(command, environment, directory)
        try:
            result = report.parse((directory / "report").read_text().replace("\r", ""))
        except report.Malformed as error:
            raise Failed(f"{error}; see {directory / 'console.log'}") from error
        self._check_log(directory)
        return result

    def _prepare(self, directory, variant):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        shutil.copy(self.image / "accesses", directory)
        rules = variant.policy(self.fsuuid)
        if rules:
            (directory / "policy").write_text("\n".join(rules) + "\n")
        (directory / "report").touch()

    def _run(self, command, environment, directory):
        with open(directory / "uml.log", "wb") as log:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            status = process.wait(self.limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"not done after {self.limit:.0f} s, see {directory}; BENCH_LIMIT= allows more") from None
        finally:
            # Also what it has started, and also after Ctrl-C.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        if status != 0:
            raise Failed(f"the machine ended with status {status}, see {directory / 'console.log'}")

    @staticmethod
    def _check_log(directory):
        found = subprocess.run(
            [ROOT / "scripts/check-log", directory / "console.log"], capture_output=True, text=True, check=False
        )
        if found.returncode != 0:
            raise Failed(f"the kernel complained: {(found.stdout + found.stderr).strip()}")
