"""A stand-in Xero server: OAuth, the accounting API and a page to play the bookkeeper. Imports nothing of `provender`.

`Simulator` is the state, `create_app` a WSGI app over it; `xero_simulator.testing` has what tests need around both.
"""

from xero_simulator.app import create_app
from xero_simulator.simulator import Simulator

__all__ = ["Simulator", "create_app"]
