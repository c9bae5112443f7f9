"""The simulator as a WSGI app."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response

from xero_simulator import api, messages
from xero_simulator.flasking import SIMULATOR, asked_simulator, read_request, respond
from xero_simulator.simulator import Simulator
from xero_simulator.views import controls, identity, page
from xero_simulator.wire import text_answer

LARGEST_BODY = 10 * 1024 * 1024
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def create_app(simulator: Simulator) -> WSGIApp:
    """The WSGI app over this state. What goes wrong leaves it as an exception, so a dropped line is no error page."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return ROUTES.wsgi_app(environ | {SIMULATOR: simulator}, start_response)

    return app


def _add_routes() -> Flask:
    """Made once, whichever simulator is asked: a process of tests has thousands of them."""
    app = Flask("xero_simulator", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    identity.add_routes(app)
    controls.add_routes(app)
    page.add_routes(app)

    @app.route("/api.xro/2.0/<path:rest>", methods=METHODS)
    def call_api(rest: str) -> Response:
        return respond(api.answer_call(asked_simulator(), read_request()))

    @app.errorhandler(404)
    @app.errorhandler(405)
    def not_there(_error: Any) -> Response:
        return respond(text_answer(messages.NOT_FOUND, 404))

    @app.errorhandler(413)
    def too_large(_error: Any) -> Response:
        return respond(text_answer("The request body is larger than 10 MB.", 413))

    return app


ROUTES = _add_routes()
