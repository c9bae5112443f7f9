"""Debian's Chromium, for the tests that go through pages in a real browser."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

# The build without windows starts in half the processor time.
CHROMIUM = next(
    (path for path in map(Path, ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")) if path.exists()), None
)
# Nothing of the browser's own may call out, and in CI it is started by root.
SWITCHES = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
needs_browser = pytest.mark.skipif(
    not CHROMIUM and os.environ.get("CI") != "true",
    reason="no Chromium on this machine (Debian: apt-get install chromium-headless-shell)",
)


@contextmanager
def browser():
    """One that is just started."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        started = player.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield started
        started.close()


@contextmanager
def window(browser, size=(1280, 900), **options):
    """A page of that size, with what its console complained about."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **options)
    page, complaints = context.new_page(), []
    page.on("console", lambda told: complaints.append(told.text) if told.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page, complaints
    context.close()
