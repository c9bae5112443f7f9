"""Run the tests that talk to the simulator under the other answer of each of its switches that they touch.

    ./check switches              runs the tests as they are and notes which test asks which switch; then, for each
                                  switch, those that ask it under its other answer
    ./check switches NAME …       only these switches

A switch is asked only where its answers differ, so a test that never asks it can't tell them apart, and nothing is left
out. Ends with one line for each switch, and with 1 when a test failed under one.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import pytest

import xero_simulator.simulator
from xero_simulator.switches import SWITCHES, Switches

ROOT = Path(__file__).parents[1]
# Real processes that are killed tell nothing new about switches; the histories by chance need fewer examples.
PLACES = ["tests/sync", "tests/cli", "tests/desk/test_xero_panels.py"]
TESTS = [*PLACES, "--ignore=tests/sync/test_switches.py", "-m", "not kill and not browser"]
EXAMPLES = os.environ.get("PROTOCOL_EXAMPLES") or "4"
RECORD = "--record"


class Noting(Switches):
    """Switches that note which of them are asked."""

    asked: set[str] = set()

    def __getitem__(self, name: str) -> bool:
        self.asked.add(name)
        return super().__getitem__(name)


class Recorder:
    """A plug-in of pytest that learns which test, its fixtures included, asks which switches."""

    def __init__(self) -> None:
        self.askers: defaultdict[str, list[str]] = defaultdict(list)

    def pytest_runtest_logstart(self) -> None:
        Noting.asked.clear()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        for name in Noting.asked:
            self.askers[name].append(nodeid)


def record(file: Path) -> int:
    """Run the tests as they are, and write down for each switch which of them asked it."""
    xero_simulator.simulator.Switches = Noting  # type: ignore[attr-defined]
    recorder = Recorder()
    status = pytest.main([*TESTS, "-n", "0"], plugins=[recorder])
    file.write_text(json.dumps(recorder.askers))
    return int(status)


def run(arguments: list[str], **extra: str) -> tuple[bool, str]:
    """A run in a process of its own; whether it passed, and what it said."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"PROVENDER_HOME": home, "PROVENDER_TEST_DATABASE": f"{home}/test.sqlite3"}
        environment |= {"PROTOCOL_EXAMPLES": EXAMPLES} | extra
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
    return done.returncode == 0, done.stdout + done.stderr


def find_askers(folder: Path) -> dict[str, list[str]]:
    """For each switch that is asked, the tests that ask it."""
    file = folder / "askers.json"
    passed, said = run([__file__, RECORD, str(file)])
    if not passed:
        raise SystemExit(f"The tests fail even as they are:\n{said[-3000:]}")
    askers: dict[str, list[str]] = json.loads(file.read_text())
    return askers


def say(line: str) -> None:
    """A line on standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def passes_under_other(name: str, tests: list[str], folder: Path) -> bool:
    """Run these tests under the switch's other answer, and say how that went."""
    listed = folder / f"{name}.txt"
    listed.write_text("\n".join(tests))
    other, began = not SWITCHES[name].default, time.monotonic()
    passed, said = run(["-m", "pytest", "-n", "0", f"@{listed}"], XERO_SWITCHES=json.dumps({name: other}))
    took = time.monotonic() - began
    say(f"{'passed' if passed else 'FAILED'}  {name} = {str(other).lower()}: {len(tests)} tests, {took:.0f} s")
    for line in said.splitlines():
        if line.startswith(("FAILED", "ERROR", "E   ")) or " passed" in line:
            say(f"        {line}")
    return passed


def main() -> int:
    """Run under each; 1 when a test failed."""
    if sys.argv[1:2] == [RECORD]:
        return record(Path(sys.argv[2]))
    with tempfile.TemporaryDirectory() as temporary:
        folder, began = Path(temporary), time.monotonic()
        askers = find_askers(folder)
        say(f"{len(askers)} of {len(SWITCHES)} switches are asked; finding out took {time.monotonic() - began:.0f} s.")
        names = sys.argv[1:] or sorted(askers)
        verdicts = [passes_under_other(name, askers[name], folder) for name in names]
    return int(not all(verdicts))


if __name__ == "__main__":
    raise SystemExit(main())
