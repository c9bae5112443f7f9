"""Take away one rule of the write protocol after the other, and see which tests notice.

    python scripts/mutations.py              every rule of tests/sync/mutations.py
    python scripts/mutations.py NAME …       only these

For each rule the machine of chance tries up to HISTORIES histories, with people and calm, and the written tests run
once. Ends with a table, and with 1 when a rule is missed by nobody.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
HISTORIES = os.environ.get("HISTORIES", "300")
MACHINE = "tests/sync/test_protocol_machine.py"
WRITTEN = [
    "tests/sync/test_recovery.py",
    "tests/sync/test_sending.py",
    "tests/sync/test_problems.py",
    "tests/sync/test_protocol.py",
]


def rules() -> list[str]:
    """The names of the rules that can be taken away."""
    return re.findall(r"^def (\w+)\(patch, settings\)", (ROOT / "tests/sync/mutations.py").read_text(), re.MULTILINE)


def run(without: str, *arguments: str) -> str:
    """What pytest says of these tests without that rule."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"PROVENDER_HOME": home, "PROVENDER_TEST_DATABASE": f"{home}/test.sqlite3"}
        environment |= {"PROTOCOL_WITHOUT": without, "PROTOCOL_EXAMPLES": HISTORIES}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-n", "0", "-rA", "--tb=line", *arguments],
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
    return done.stdout + done.stderr


def machine(without: str, which: str) -> str:
    """After how many histories the machine noticed, and by what sentence."""
    said = run(without, f"{MACHINE}::test_the_protocol_holds_in_every_history[{which}]", "--hypothesis-seed=1")
    tried = re.search(r"^histories: (\d+)", said, re.MULTILINE)
    if tried is None:
        raise SystemExit(f"The machine said nothing:\n{said[-3000:]}")
    if " failed" not in said:
        return f"not in {tried[1]}"
    why = re.search(r"^FAILED .*? - (?:\w+Error: )?(.*)$", said, re.MULTILINE)
    return f"{tried[1]} ({why[1][:60] if why else '?'})"


def written(without: str) -> list[str]:
    """The written tests that fail."""
    said = run(without, *[each for each in WRITTEN if (ROOT / each).exists()])
    return re.findall(r"^FAILED \S+::(\S+)", said, re.MULTILINE)


def main() -> int:
    """A line for each rule; 1 when one is missed by nobody."""
    unnoticed = False
    for name in sys.argv[1:] or rules():
        people, calm, tests = machine(name, "with people"), machine(name, "calm"), written(name)
        unnoticed |= people.startswith("not") and calm.startswith("not") and not tests
        sys.stdout.write(f"{name}\n  with people: {people}\n  calm: {calm}\n  tests: {len(tests)} {', '.join(tests)}\n")
        sys.stdout.flush()
    return int(unnoticed)


if __name__ == "__main__":
    raise SystemExit(main())
