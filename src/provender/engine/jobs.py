"""The jobs of this deployment, and how any process asks for one to be run soon."""

import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

log = logging.getLogger(__name__)

NAME = re.compile(r"[a-z][a-z0-9._-]{0,60}\Z")


@dataclass(frozen=True)
class Job:
    """A function to run every so many seconds; a hurried one may be woken to run sooner."""

    name: str
    function: Callable[[], None]
    every: float
    hurried: bool = False


class Hurrier(Protocol):
    """What a worker in this process offers to `wake`."""

    def hurry(self, name: str) -> None: ...


scheduled: dict[str, Job] = {}
_here: list[Hurrier] = []
_lock = threading.Lock()


def schedule(name: str, function: Callable[[], None], *, every: float, hurried: bool = False) -> None:
    """Register a job: `function` is run every `every` seconds by one worker of the deployment at a time.

    Called once per job while Django starts; does no I/O. `name` is small letters, digits, dots and hyphens. The period
    counts from the start of the last run, whoever ran it, also over restarts; a `hurried` job can be woken in between.
    """
    if not NAME.match(name):
        raise ValueError(f"not a name for a job: {name!r}")
    if every <= 0:
        raise ValueError(f"{name}: a job is run every so many seconds, more than 0")
    if name in scheduled:
        raise ValueError(f"there is a job named {name} already")
    scheduled[name] = Job(name, function, every, hurried)


def wake(name: str) -> None:
    """Ask for a run of a hurried job soon, after the commit that gave it something to do. Cheap; never raises.

    A run that starts after this call will see what was committed before it. Where no worker can be reached (another
    machine, none started) nothing is lost but time: the job's own period is the guarantee.
    """
    job = scheduled.get(name)
    if job is None or not job.hurried:
        log.warning("no hurried job is named %s: nothing woken", name)
    elif _here:
        _here[0].hurry(name)
    else:
        leave_mark(name)


def leave_mark(name: str) -> None:
    """Tell the workers that share this machine's folder: they look for the file a few times a second."""
    try:
        (marks() / name).touch()
    except OSError as error:
        log.debug("no worker to wake for %s: %s", name, error)


def take_mark(name: str) -> bool:
    """Whether some process left a mark for the job; only one worker gets it."""
    try:
        (marks() / name).unlink()
    except OSError:
        return False
    return True


def marks() -> Path:
    """The folder of the marks; a worker makes it."""
    folder: Path = settings.PROVENDER_HOME / "wake"
    return folder


def attach(hurrier: Hurrier) -> bool:
    """Let `wake` reach the worker of this process; False if there is one already."""
    with _lock:
        if not _here:
            _here.append(hurrier)
        return _here[0] is hurrier


def detach(hurrier: Hurrier) -> None:
    """Undo `attach`."""
    with _lock:
        if hurrier in _here:
            _here.remove(hurrier)
