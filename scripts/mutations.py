"""Take away one rule of the write protocol after the other, and see which tests notice.

    python scripts/mutations.py              every rule of tests/sync/mutations.py
    python scripts/mutations.py NAME …       only these

For each rule the written tests run, then the machine of chance, calm and with people, until one history fails or
HISTORIES were tried. Says which noticed, and ends with 1 when a rule is missed by nobody.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
HISTORIES = os.environ.get("HISTORIES", "100")
LONGEST = 1800  # seconds; without a rule a drain may go round for ever
MACHINE = "tests/sync/test_protocol_machine.py"
WRITTEN = [f"tests/sync/test_{name}.py" for name in ("recovery", "sending", "problems", "protocol")]


def rules() -> list[str]:
    """The names of the rules that can be taken away."""
    return re.findall(r"^def (\w+)\(patch, settings\)", (ROOT / "tests/sync/mutations.py").read_text(), re.MULTILINE)


def run(without: str, *arguments: str) -> str:
    """What pytest says of these tests without that rule."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"PROVENDER_HOME": home, "PROVENDER_TEST_DATABASE": f"{home}/test.sqlite3"}
        environment |= {"PROTOCOL_WITHOUT": without, "PROTOCOL_EXAMPLES": HISTORIES}
        command = [sys.executable, "-m", "pytest", "-n", "0", "-rA", "--tb=line", *arguments]
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=os.environ | environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=LONGEST,
            )
        except subprocess.TimeoutExpired:
            return f"FAILED {arguments[0]}::never-ends - it goes round for ever\nhistories: 0\n failed"
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
    said = run(without, *WRITTEN)
    return re.findall(r"^FAILED \S+::(\S+)", said, re.MULTILINE)


def main() -> int:
    """Some lines for each rule, as they are known; 1 when one is missed by nobody."""
    unnoticed = False
    for name in sys.argv[1:] or rules():
        say(name)
        tests = written(name)
        say(f"  tests: {len(tests)} {', '.join(tests)}")
        noticed = bool(tests)
        for which in ("calm", "with people"):
            found = machine(name, which)
            say(f"  {which}: {found}")
            noticed |= not found.startswith("not")
        unnoticed |= not noticed
    return int(unnoticed)


def say(line: str) -> None:
    """A line on standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
