"""The places where a crash of the write protocol is tried, one name each.

`reach` costs one comparison unless PROVENDER_FAILPOINT names a place (`after-claim`, or `after-claim:3` for the third
time it is reached): then the process kills itself there, as a power cut would. A test checks that no commit and no
send of a drain lacks its failpoint, and another kills a real process at each.
"""

import os
import signal
from collections.abc import Callable
from enum import StrEnum


class Failpoint(StrEnum):
    LEASED = "leased"
    MIRROR_READ = "mirror-read"
    MIRRORED = "mirrored"
    MATCHED = "matched"
    PARKED = "parked"
    BUILT = "built"
    LOOKED = "looked"
    CLAIMED = "claimed"
    STAMPED = "stamped"
    ANSWERED = "answered"
    RECORDING = "recording"
    RECORDED = "recorded"
    SETTLED = "settled"
    LOOKED_UP = "looked-up"
    RECOVERING = "recovering"
    RECOVERED = "recovered"
    TOKEN_LEASED = "token-leased"  # noqa: S105 -- the name of a place, not a secret
    TOKEN_ANSWERED = "token-answered"  # noqa: S105
    TOKEN_SAVED = "token-saved"  # noqa: S105
    POLLED = "polled"
    NOTED = "noted"
    READ_ON = "read-on"
    RELEASED = "released"


class _Plan:
    def __init__(self) -> None:
        name, _, nth = os.environ.get("PROVENDER_FAILPOINT", "").partition(":")
        self.name, self.left = name, int(nth or 1)
        self.watch: Callable[[Failpoint], None] | None = None


plan = _Plan()


def reach(place: Failpoint) -> None:
    """Die here if this is the place; tests may watch instead."""
    if plan.watch is not None:
        plan.watch(place)
    if plan.name == place:
        plan.left -= 1
        if plan.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
