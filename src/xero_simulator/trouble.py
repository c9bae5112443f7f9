"""Carrying out a request under the fault that strikes it."""

from collections.abc import Callable
from dataclasses import dataclass

from xero_simulator.errors import DroppedLine
from xero_simulator.faults import Strike
from xero_simulator.refusals import limit_answer
from xero_simulator.simulator import Simulator
from xero_simulator.wire import Answer, text_answer

PROBLEMS = {
    "429-minute": "minute",
    "429-day": "day",
    "429-concurrent": "concurrent",
    "429-app": "appminute",
}
CUT_HEADER = "X-Simulator-Cut"
PAGE = b"<!DOCTYPE html><html><head><title>Xero</title></head><body><h1>We'll be right back</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Act:
    """A request that is ready: `run` carries it out and commits, `keep` remembers another answer for its key."""

    run: Callable[[], Answer]
    keep: Callable[[Answer], None]
    app_id: str = ""
    tenant_id: str = ""


def strike(simulator: Simulator, method: str, path: str) -> Strike:
    """Which fault this call meets; counted as struck."""
    struck, kinds = simulator.faults.strike(method, path)
    for kind in kinds:
        simulator.stats.strike(kind)
    return struck


def carry_out(simulator: Simulator, struck: Strike, act: Act) -> Answer:
    """The answer, or what the fault makes of it. Raises DroppedLine."""
    if struck.slow:
        simulator.pause(struck.slow)
    if early := _instead(simulator, struck, act):
        return early
    answer = act.run()
    if struck.kind == "drop-after-commit":
        raise DroppedLine("the line was cut after the commit")
    if struck.kind == "500-after-commit":
        broken = _server_error()
        act.keep(broken)
        return broken
    if struck.kind == "cut-body":
        return Answer(answer.status, answer.body, answer.headers | {CUT_HEADER: "1"})
    return answer


def _instead(simulator: Simulator, struck: Strike, act: Act) -> Answer | None:
    """The answer of a fault that keeps the request from being carried out (now)."""
    match struck.kind:
        case "drop-before-commit":
            raise DroppedLine("the line was cut before the commit")
        case "commit-late":
            simulator.later(struck.seconds, act.run)
            raise DroppedLine("the line was cut, the commit comes later")
        case "500":
            broken = _server_error()
            act.keep(broken)
            return broken
        case "503":
            return text_answer("The organisation is offline. Please try again later.", 503)
        case "html":
            return Answer(200, PAGE, {"Content-Type": "text/html; charset=utf-8"})
        case "429-minute" | "429-day" | "429-concurrent" | "429-app":
            problem = PROBLEMS[struck.kind]
            wait = simulator.limits.retry_after(problem, act.app_id, act.tenant_id)
            return limit_answer(simulator.switches, problem, wait)
    return None


def _server_error() -> Answer:
    return text_answer("An error occurred in Xero. Check the API Status page for current service status.", 500)
