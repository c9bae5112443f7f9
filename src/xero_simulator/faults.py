"""Faults that a test or a person asks for, by method and path, by count or by seeded chance."""

import fnmatch
import random
import threading
from dataclasses import dataclass, field
from typing import Any

KINDS = {
    "drop-before-commit",
    "drop-after-commit",
    "commit-late",
    "500",
    "500-after-commit",
    "503",
    "html",
    "cut-body",
    "slow",
    "429-minute",
    "429-day",
    "429-concurrent",
    "429-app",
}
LONGEST_WAIT = 31 * 86_400


class UnknownFault(ValueError):
    """The kind is none that we can make, or its numbers make no sense."""


@dataclass(slots=True)
class Fault:
    """One rule. It strikes the next `count` matching calls, or each with the given chance, or every one."""

    kind: str
    path: str = "*"
    methods: list[str] = field(default_factory=list)
    count: int | None = None
    chance: float | None = None
    seconds: float = 1.0
    struck: int = 0

    def matches(self, method: str, path: str) -> bool:
        if self.methods and method not in self.methods:
            return False
        return fnmatch.fnmatchcase(path.lower(), self.path.lower())

    def as_dict(self) -> dict[str, object]:
        shown: dict[str, object] = {"kind": self.kind, "path": self.path, "methods": self.methods}
        for name in ("count", "chance"):
            if (value := getattr(self, name)) is not None:
                shown[name] = value
        if self.kind in {"slow", "commit-late"}:
            shown["seconds"] = self.seconds
        return shown | {"struck": self.struck}


@dataclass(frozen=True, slots=True)
class Strike:
    """What one call meets: how long it waits before its commit, and what else goes wrong."""

    slow: float = 0.0
    kind: str | None = None
    seconds: float = 0.0


class Faults:
    """The rules that are set. Of the rules that strike a call `slow` combines with the first other one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.rules: list[Fault] = []
        self._random = random.Random(0)  # noqa: S311 - repeatable chances, not secrets
        self.seed = 0

    def set(self, rules: list[dict[str, Any]], seed: int = 0) -> None:
        """Replace all rules. Raises UnknownFault and then changes nothing."""
        made = [_read_rule(rule) for rule in rules]
        with self._lock:
            self.seed = seed
            self._random = random.Random(seed)  # noqa: S311
            self.rules = made

    def add(self, kind: str, **rule: Any) -> None:
        """Add one rule, in Python: `faults.add("drop-after-commit", methods=["PUT"], count=1)`."""
        made = _read_rule({"kind": kind, **rule})
        with self._lock:
            self.rules.append(made)

    def clear(self) -> None:
        with self._lock:
            self.rules = []

    def strike(self, method: str, path: str) -> tuple[Strike, list[str]]:
        """What this call meets, and the kinds that struck it."""
        with self._lock:
            struck: list[Fault] = []
            for rule in self.rules:
                if self._is_second(rule, struck) or not rule.matches(method, path) or not self._hits(rule):
                    continue
                rule.struck += 1
                struck.append(rule)
        slow = sum(rule.seconds for rule in struck if rule.kind == "slow")
        other = next((rule for rule in struck if rule.kind != "slow"), None)
        kinds = [rule.kind for rule in struck]
        return Strike(slow, other.kind if other else None, other.seconds if other else 0.0), kinds

    @staticmethod
    def _is_second(rule: Fault, struck: list[Fault]) -> bool:
        """Only one fault beside `slow` strikes a call, so a counted one is not used up unseen."""
        return rule.kind != "slow" and any(earlier.kind != "slow" for earlier in struck)

    def _hits(self, rule: Fault) -> bool:
        if rule.count is not None:
            return rule.struck < rule.count
        return rule.chance is None or self._random.random() < rule.chance

    def as_dict(self) -> dict[str, object]:
        with self._lock:
            return {"seed": self.seed, "faults": [rule.as_dict() for rule in self.rules]}


def _read_rule(rule: dict[str, Any]) -> Fault:
    kind = str(rule.get("kind"))
    if kind not in KINDS:
        raise UnknownFault(f"unknown kind of fault: {kind!r}; there are {', '.join(sorted(KINDS))}")
    methods = rule.get("methods") or []
    if not isinstance(methods, list):
        raise UnknownFault("methods is a list such as ['POST', 'PUT']")
    count, chance = rule.get("count"), rule.get("chance")
    try:
        made = Fault(
            kind=kind,
            path=str(rule.get("path") or "*"),
            methods=[str(method).upper() for method in methods],
            count=None if count is None else int(count),
            chance=None if chance is None else float(chance),
            seconds=float(rule.get("seconds", 1.0)),
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise UnknownFault(str(error)) from None
    if not 0 <= made.seconds <= LONGEST_WAIT:
        raise UnknownFault("seconds are between 0 and a month of 31 days")
    return made
