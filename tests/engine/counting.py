"""A job that can be watched, and patience to watch it with."""

import threading
import time
from collections.abc import Callable

PATIENCE = 30  # for machines that are busy with something else; nothing here takes longer than a few seconds


class Job:
    """A job that counts its runs, and can be held inside one."""

    def __init__(self) -> None:
        self.runs = 0
        self.at_once = self.most_at_once = 0
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(self) -> None:
        self.runs += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.may_end.wait(PATIENCE)
        self.at_once -= 1

    def has_run(self, times: int) -> bool:
        return holds(lambda: self.runs >= times)


def holds(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true before patience ends."""
    end = time.monotonic() + PATIENCE
    while not (true := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return true
