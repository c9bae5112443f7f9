"""Run the tests that talk to the simulator under the other answer of each of its switches that they touch.

    ./check switches              finds out which those are, then runs under each
    ./check switches NAME …       only under these

Ends with one line for each switch, and with 1 when a test failed under one.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from xero_simulator.switches import SWITCHES, Switches

ROOT = Path(__file__).parents[1]
# Real processes that are killed tell nothing new about switches; the histories by chance need fewer examples.
PLACES = ["tests/sync", "tests/cli", "tests/desk/test_xero_panels.py"]
TESTS = [*PLACES, "--ignore=tests/sync/test_switches.py", "-m", "not kill and not browser"]
EXAMPLES = "8"
RECORD = "--record"


class Noting(Switches):
    """Switches that note which of them are asked."""

    asked: set[str] = set()

    def __getitem__(self, name: str) -> bool:
        self.asked.add(name)
        return super().__getitem__(name)


def record(file: Path) -> int:
    """Run the tests as they are, and write down which switches were asked."""
    import xero_simulator.simulator

    xero_simulator.simulator.Switches = Noting  # type: ignore[attr-defined]
    status = pytest.main(TESTS)
    file.write_text(json.dumps(sorted(Noting.asked)))
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


def find_touched() -> list[str]:
    """The switches that the tests' calls ask for."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "asked.json"
        passed, said = run([__file__, RECORD, str(file)])
        if not passed:
            raise SystemExit(f"The tests fail even as they are:\n{said[-3000:]}")
        touched: list[str] = json.loads(file.read_text())
        return touched


def say(line: str) -> None:
    """A line on standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run under each; 1 when a test failed."""
    if sys.argv[1:2] == [RECORD]:
        return record(Path(sys.argv[2]))
    names = sys.argv[1:] or find_touched()
    failed = False
    for name in names:
        other, began = not SWITCHES[name].default, time.monotonic()
        passed, said = run(["-m", "pytest", *TESTS], XERO_SWITCHES=json.dumps({name: other}))
        failed |= not passed
        say(f"{'passed' if passed else 'FAILED'}  {name} = {str(other).lower()}, {time.monotonic() - began:.0f} s")
        for line in said.splitlines():
            if line.startswith(("FAILED", "ERROR", "E   ")) or " passed" in line:
                say(f"        {line}")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
