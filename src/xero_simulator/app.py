"""The simulator as a WSGI app."""

from typing import Any

from flask import Flask, Response

from xero_simulator import api, messages
from xero_simulator.errors import DroppedLine
from xero_simulator.flasking import read_request, respond
from xero_simulator.simulator import Simulator
from xero_simulator.views import controls, identity, page
from xero_simulator.wire import text_answer

LARGEST_BODY = 10 * 1024 * 1024
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]


class SimulatorApp(Flask):
    """A dropped line is not an error page: it leaves the app as DroppedLine, for the server to cut the socket."""

    def handle_exception(self, e: Exception) -> Response:
        if isinstance(e, DroppedLine):
            raise e
        return super().handle_exception(e)


def create_app(simulator: Simulator) -> Flask:
    """The WSGI app over this state."""
    app = SimulatorApp("xero_simulator", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.extensions["simulator"] = simulator
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    identity.add_routes(app, simulator)
    controls.add_routes(app, simulator)
    page.add_routes(app, simulator)

    @app.route("/api.xro/2.0/<path:rest>", methods=METHODS)
    def call_api(rest: str) -> Response:
        return respond(api.answer_call(simulator, read_request()))

    @app.errorhandler(404)
    @app.errorhandler(405)
    def not_there(_error: Any) -> Response:
        return respond(text_answer(messages.NOT_FOUND, 404))

    @app.errorhandler(413)
    def too_large(_error: Any) -> Response:
        return respond(text_answer("The request body is larger than 10 MB.", 413))

    return app
