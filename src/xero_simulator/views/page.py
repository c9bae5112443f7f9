"""The bookkeeper's page at /_simulator/: plain HTML, no JavaScript."""

from flask import Flask, render_template

from xero_simulator.simulator import Simulator


def add_routes(app: Flask, simulator: Simulator) -> None:
    @app.get("/_simulator/")
    def desk() -> str:
        return render_template("desk.html", organisations=list(simulator.organisations.values()))
