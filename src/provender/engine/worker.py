"""The worker of one slot: it has jobs queued when they are due or woken, and runs what the queue hands out.

Models are imported inside functions: the package is imported before Django has loaded them.
"""

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import DatabaseError, close_old_connections, connections

from provender.engine import jobs
from provender.engine.errors import SlotTaken, WorkerRunning
from provender.engine.queue import CutOff, Queue

if TYPE_CHECKING:
    from provender.engine.slots import HeldSlot

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
BEAT_SECONDS = 5.0
TIDY_SECONDS = 600.0
REFUSED_SECONDS = 1.0
LOOK_SECONDS = 60.0
AGAIN_SECONDS = 5.0
GRACE_SECONDS = 3.0
STOP_SECONDS = 15.0
CLOCK_SLACK_SECONDS = 1.0


class _Run:
    """One run of a job, on a thread of its own: a job that won't end can't keep the process from ending."""

    def __init__(self, job: jobs.Job) -> None:
        self.job = job
        self.outcome: str | None = None
        self.over = threading.Event()
        threading.Thread(target=self._work, name=f"job-{job.name}", daemon=True).start()

    def _work(self) -> None:
        try:
            self.job.function()
            self.outcome = "done"
        except Exception as error:  # the worker's loop: whatever a job raises is recorded, and its next run goes on
            log.exception("job %s failed", self.job.name)
            self.outcome = f"failed: {type(error).__name__}: {error}"
        finally:
            connections.close_all()
            self.over.set()


class Worker:
    """A running worker; `stop` ends it. Made by `start`."""

    def __init__(self, slot: "HeldSlot") -> None:
        self.fault: SlotTaken | None = None
        self._slot = slot
        self._queue: Queue | None = None
        self._stopping = threading.Event()
        self._nudge = threading.Event()
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self._wanted: dict[str, float] = {}
        self._look_at: dict[str, float] = {}
        self._beat_at = self._tidy_at = self._clock_ahead = 0.0
        self._thread = threading.Thread(target=self._live, name=f"engine-worker-{slot.number}", daemon=True)

    @property
    def alive(self) -> bool:
        """False once it stopped, be it by itself because its slot was lost (then `fault` says so)."""
        return self._thread.is_alive()

    def hurry(self, name: str) -> None:
        """Have the job run soon, and if it is running now, once more after that."""
        with self._lock:
            self._wanted[name] = 0.0
        self._nudge.set()

    def stop(self) -> None:
        """Take no more runs, let the open ones end within a few seconds, cut off the rest, and give the slot up.

        A run that was cut off is due again at once for any other worker, or at the next start.
        """
        self._stopping.set()
        self._nudge.set()
        self._thread.join(STOP_SECONDS)
        if self.alive:
            log.error("the worker could not be stopped in order: its database doesn't answer")

    def begin(self) -> None:
        """Start to work, in the background: loading and launching the engine takes a second or two."""
        jobs.marks().mkdir(parents=True, exist_ok=True)
        self._thread.start()

    # The worker's own thread.

    def _live(self) -> None:
        try:
            self._launch()
            while not self._stopping.is_set():
                self._tick_safely()
                self._nudge.wait(TICK_SECONDS)
                self._nudge.clear()
        except SlotTaken as lost:
            log.exception("the worker stops: its slot has another holder now")
            self.fault = lost
        finally:
            self._wind_up()

    def _launch(self) -> None:
        from provender.engine import slots

        name = slots.executor(self._slot.number)
        while self._queue is None and not self._stopping.is_set():
            try:
                self._queue = Queue(name, self._perform, at_once=max(1, len(jobs.scheduled)))
            except Exception:  # the worker's loop: the database may be away for a moment, at start as later
                log.exception("the job engine could not start; trying again in %s seconds", AGAIN_SECONDS)
                self._stopping.wait(AGAIN_SECONDS)

    def _tick_safely(self) -> None:
        try:
            if self._queue is not None:
                self._tick(self._queue)
        except SlotTaken:
            raise
        except Exception:  # the worker's loop: the next tick tries again
            log.exception("the job engine stumbled; trying again in %s seconds", AGAIN_SECONDS)
            self._stopping.wait(AGAIN_SECONDS)

    def _tick(self, queue: Queue) -> None:
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat_at = now + BEAT_SECONDS
            self._keep_alive(queue)
        for job in jobs.scheduled.values():
            if (job.hurried and jobs.take_mark(job.name)) or self._is_due(queue, job):
                self._wanted.setdefault(job.name, 0.0)
        self._ask_for_wanted(queue)
        if now >= self._tidy_at:
            self._tidy_at = now + TIDY_SECONDS
            queue.forget_old_runs(jobs.scheduled)

    def _keep_alive(self, queue: Queue) -> None:
        """Beat, and free what dead workers left; those jobs are due again."""
        from provender.engine import slots

        try:
            self._slot.beat()
            self._clock_ahead = self._slot.clock_ahead()
            for name in queue.drop_orphans(slots.executors_alive(), self._run_ids()):
                log.warning("job %s was left by a worker that is gone: it is run again", name)
                self._look_at.pop(name, None)
        finally:
            close_old_connections()

    def _is_due(self, queue: Queue, job: jobs.Job) -> bool:
        """Whether the period since the last run, whoever ran it, is over; the queue is read only when it may be."""
        now = time.monotonic()
        if now < self._look_at.get(job.name, 0.0):
            return False
        left = seconds_left(job.every, queue.last_asked(job.name), time.time() + self._clock_ahead)
        # Not much later, for this clock stands still while a laptop sleeps.
        self._look_at[job.name] = now + min(left or job.every, LOOK_SECONDS)
        return left == 0.0

    def _ask_for_wanted(self, queue: Queue) -> None:
        for name in self._ready_to_ask():
            asked = False
            try:
                asked = queue.ask(name)
            finally:
                if not asked:  # one runs somewhere, perhaps past the point where it would see what this is for
                    self._ask_later(name)

    def _ask_later(self, name: str) -> None:
        with self._lock:
            self._wanted.setdefault(name, time.monotonic() + REFUSED_SECONDS)

    def _run_ids(self) -> set[str]:
        with self._lock:
            return set(self._runs)

    def _ready_to_ask(self) -> list[str]:
        """Takes the names out before they are asked for, so that a wake meanwhile counts as a new one."""
        with self._lock:
            busy = {run.job.name for run in self._runs.values()}
            now = time.monotonic()
            names = [name for name, at in self._wanted.items() if at <= now and name not in busy]
            for name in names:
                del self._wanted[name]
        return names

    # DBOS's threads.

    def _perform(self, run_id: str, name: str) -> str:
        """Run the job and answer what came of it; raises CutOff when the worker stops first."""
        job = jobs.scheduled.get(name)
        if job is None:
            return "no such job any more"
        with self._lock:
            if self._stopping.is_set():
                raise CutOff(name)
            self._wanted.pop(name, None)  # whatever was committed before those wakes, this run sees
            run = self._runs[run_id] = _Run(job)
        run.over.wait()
        with self._lock:
            del self._runs[run_id]
        self._nudge.set()
        if run.outcome is None:
            raise CutOff(name)
        return run.outcome

    # The end.

    def _wind_up(self) -> None:
        jobs.detach(self)
        try:
            if self._queue is not None:
                self._queue.close(wait=3 if self._end_runs() else 0)
        finally:
            self._give_up_slot()

    def _give_up_slot(self) -> None:
        try:
            self._slot.release()
        except DatabaseError as error:
            log.warning("slot %s goes free by silence, its row could not be written: %s", self._slot.number, error)
        finally:
            connections.close_all()

    def _end_runs(self) -> bool:
        """Wait a moment for the open runs, then cut them off; whether any was."""
        with self._lock:
            self._stopping.set()
            open_runs = list(self._runs.values())
        deadline = time.monotonic() + GRACE_SECONDS
        for run in open_runs:
            if not run.over.wait(max(0.0, deadline - time.monotonic())):
                log.warning("job %s is cut off: the worker stops. It will be run again", run.job.name)
                run.over.set()
        return bool(open_runs)


def seconds_left(every: float, last: float | None, now: float) -> float:
    """How long until a job with this period is due, 0 if it is; `last` is when it was last run, None for never."""
    left = 0.0 if last is None else last + every - now
    # A last run that is still to come means that the clock was set back: don't wait for it to catch up.
    return left if 0.0 < left <= every + CLOCK_SLACK_SECONDS else 0.0


def start(slot: int = 0) -> Worker:
    """Take the slot and start its worker in the background of this process; raises SlotTaken or WorkerRunning."""
    from provender.engine.slots import HeldSlot

    held = HeldSlot(slot)
    worker = Worker(held)
    if not jobs.attach(worker):
        held.release()
        raise WorkerRunning
    worker.begin()
    return worker


def run(slot: int = 0, *, stop: threading.Event | None = None) -> None:
    """Be the worker of the slot until `stop` is set; without one, until SIGTERM or Ctrl-C. Raises SlotTaken."""
    with _signals(stop) as asked:
        worker = start(slot)
        try:
            while worker.alive and not asked.wait(0.5):
                continue
        finally:
            worker.stop()
    if worker.fault is not None:
        raise worker.fault


@contextmanager
def _signals(stop: threading.Event | None) -> Iterator[threading.Event]:
    """The event to wait for: the caller's, or one that a signal sets while the block lasts."""
    if stop is not None:
        yield stop
        return
    asked = threading.Event()
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
