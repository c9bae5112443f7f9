"""Between Flask and the rest: reading its request, making its response."""

from flask import Response, request

from xero_simulator.calls import Incoming
from xero_simulator.simulator import Simulator
from xero_simulator.trouble import CUT_HEADER
from xero_simulator.wire import Answer

SIMULATOR = "xero_simulator"  # where a request's environment has it


def asked_simulator() -> Simulator:
    """The one that Flask's present request came to."""
    simulator: Simulator = request.environ[SIMULATOR]
    return simulator


def read_request() -> Incoming:
    """The facts of Flask's present request."""
    return Incoming(
        method=request.method,
        path=request.path,
        url=request.full_path.rstrip("?"),
        args={name.lower(): value for name, value in request.args.items()},
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(cache=False),
    )


def respond(answer: Answer) -> Response:
    """An answer as Flask wants it. One that is to be cut promises its whole length and brings half."""
    headers = dict(answer.headers)
    if headers.pop(CUT_HEADER, None):
        headers["Content-Length"] = str(len(answer.body))
        return Response(iter([answer.body[: len(answer.body) // 2]]), answer.status, headers)
    return Response(answer.body, answer.status, headers)
