"""The engine's waits, shortened for tests: what is tested is their order, not their length."""

from collections.abc import Callable

from provender.engine import queue, worker

WAITS = {
    (queue, "POLL_SECONDS"): 0.05,
    (worker, "TICK_SECONDS"): 0.05,
    (worker, "BEAT_SECONDS"): 0.3,
    (worker, "REFUSED_SECONDS"): 0.2,
    (worker, "GRACE_SECONDS"): 0.3,
}


def hasten(put: Callable[[object, str, float], None]) -> None:
    """Shorten them with `setattr`, or with what takes it back."""
    for (module, name), seconds in WAITS.items():
        put(module, name, seconds)
