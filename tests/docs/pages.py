"""The documentation as the tests read it: pages, their headings, and what stands under each."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSED_BY = {".git", ".venv", ".provender", ".hypothesis", "build", "dist", "node_modules", "__pycache__"}
HEADING = re.compile(r"^(#+) (.*)$")


def page(name):
    """The text of one page, named from the project's folder."""
    return (ROOT / name).read_text(encoding="utf-8")


def pages():
    """Every page, by its name."""
    found = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in found}


def sections(name):
    """Heading → the text under it, marks for code taken off the heading."""
    found, current, fenced = {}, "", False
    for line in page(name).splitlines():
        fenced ^= line.startswith("```")
        if not fenced and (match := HEADING.match(line)):
            current = match[2].replace("`", "")
            found[current] = ""
        elif current:
            found[current] += line + "\n"
    return found


def anchors(text):
    """The names under which links reach a page's headings."""
    headings = [match[2] for line in text.splitlines() if (match := HEADING.match(line))]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tracked():
    """The project's files; without git, whatever lies in its folder."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        names = [ROOT / name for name in listed.split("\0") if name]
    except (FileNotFoundError, subprocess.CalledProcessError):
        names = [path for path in ROOT.rglob("*") if not PASSED_BY & set(path.relative_to(ROOT).parts)]
    return [path for path in names if path.is_file()]


def texts():
    """The project's files that are text, by name."""
    found = {}
    for path in tracked():
        try:
            found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found
