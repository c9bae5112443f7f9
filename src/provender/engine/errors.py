"""What can be wrong when a worker starts."""

from provender.basics.errors import ProvenderError


class SlotTaken(ProvenderError):
    """Another worker has this slot. Two with one slot would run each other's live work."""

    code = "worker-slot-taken"

    def __init__(self, slot: int, silent_after: float) -> None:
        super().__init__(
            f"Worker slot {slot} is held by another process. Start this worker with another --slot, or stop the other "
            f"one first; a worker on another machine that died gives its slot up after {silent_after:.0f} seconds."
        )


class WorkerRunning(ProvenderError):
    """A process has one worker at most."""

    code = "worker-running"

    def __init__(self) -> None:
        super().__init__("This process runs a worker already. Start another process for another slot.")
