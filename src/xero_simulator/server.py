"""Serving over sockets: waitress with 16 threads, lines that can really be cut, and a clean end."""

import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, Self

from waitress import wasyncore
from waitress.server import create_server

from xero_simulator.app import WSGIApp, create_app
from xero_simulator.errors import DroppedLine
from xero_simulator.simulator import Simulator

THREADS = 16
TICK_SECONDS = 0.05


def cutting_lines(app: WSGIApp) -> WSGIApp:
    """Wrap the app so that a dropped line cuts the client's socket, without a byte of an answer."""

    def serve_or_cut(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            return app(environ, start_response)
        except DroppedLine:
            _cut(environ)
            start_response("500 Line dropped", [("Content-Length", "0")])
            return [b""]

    return serve_or_cut


def _cut(environ: dict[str, Any]) -> None:
    """Waitress gives no socket to apps, but its way of asking whether the client is gone belongs to the channel."""
    line: socket.socket = environ["waitress.client_disconnected"].__self__.socket
    try:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client went first


class Server:
    """A simulator on a socket, in a thread of its own: `with Server(simulator) as server: server.url`.

    Port 0 takes a free one. Late commits are delivered while it runs.
    """

    def __init__(self, simulator: Simulator, host: str = "127.0.0.1", port: int = 0) -> None:
        self.simulator = simulator
        app = cutting_lines(create_app(simulator))
        self._sockets: dict[int, Any] = {}
        self._server = create_server(app, map=self._sockets, listen=f"{host}:{port}", threads=THREADS)
        self.host = host
        self.port: int = self._server.effective_port
        self._stopping = threading.Event()
        self._asked_to_end = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """The address that clients on this machine use; Xero's rules want `localhost` in redirects only."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        for act in (self._serve, self._tick):
            thread = threading.Thread(target=act, daemon=True)
            thread.start()
            self._threads.append(thread)
        self.simulator.webhooks.address = self.url
        self.simulator.webhooks.start()

    def stop(self) -> None:
        """Let running requests end, then stop listening and close every line."""
        self._server.task_dispatcher.shutdown()
        self._stopping.set()
        self._server.pull_trigger()
        for thread in self._threads:
            thread.join(timeout=5)
        wasyncore.close_all(self._sockets)

    def interrupt(self) -> None:
        """Ask it to end, from a signal handler."""
        self._asked_to_end.set()

    def wait(self) -> None:
        """Until somebody stops it."""
        self._asked_to_end.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def _serve(self) -> None:
        """One turn of the socket loop after another until the end; the trigger wakes it for that."""
        while not self._stopping.is_set():
            wasyncore.loop(timeout=1, use_poll=True, map=self._sockets, count=1)

    def _tick(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            if self.simulator.has_late:
                self.simulator.deliver_due()


def serve(host: str, port: int, simulator: Simulator) -> None:
    """Serve until Ctrl-C or a termination signal, then close the state file. Only the main thread may call this."""
    run_until_interrupted(Server(simulator, host, port))


def run_until_interrupted(server: Server) -> None:
    """Serve until the process is asked to end."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.interrupt()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    with server:
        server.wait()
    server.simulator.close()
