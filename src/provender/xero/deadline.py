"""Connections that keep to one deadline for a whole exchange, and know whether its first byte has left.

An HTTP library's timeouts are for each operation: a server that trickles a byte every few seconds is never late. Here
all the operations of an exchange (connecting, sending, reading) draw on the same time. Nothing is ever sent twice.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from provender.xero.faults import Fault, NotSent, judge_lost

WRITE_SECONDS = 30.0
READ_SECONDS = 45.0
CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 10.0
"""Short, since each call on a connection that the server is closing leaves its outcome open."""

SLICE = 16 * 1024
"""Bytes sent in one operation: a TLS record, which goes whole or not at all, so that the deadline is seen between."""


@dataclass
class Exchange:
    """One request and its answer: the time it may take, and what happened on the line."""

    seconds: float
    before_first_byte: Callable[[], bool] = lambda: True
    began: bool = False
    started: float = field(default_factory=time.monotonic)

    def begin(self, late: type[Exception]) -> None:
        """Ask the caller for the last time, just before the first byte.

        Raises NotSent when the answer is no, `late` when asking took the rest of the time.
        """
        if self.began:
            return
        if not self.before_first_byte():
            raise NotSent
        self.left(late)
        self.began = True

    def left(self, late: type[Exception]) -> float:
        """Seconds left of the deadline; raises `late` when there are none."""
        left = self.started + self.seconds - time.monotonic()
        if left <= 0:
            raise late(f"the exchange took longer than {self.seconds:g} s")
        return left


class DeadlineClient(httpx2.Client):
    """An HTTP client whose transport keeps the exchange's deadline and asks before its first byte."""

    def __init__(self) -> None:
        super().__init__(transport=DeadlineTransport(), trust_env=False, cookies=_no_cookies())


def open_http(transport: httpx2.BaseTransport | None = None) -> httpx2.Client:
    """Open an HTTP client that many XeroClients and threads may share; with a transport of one's own (in tests), the
    deadline is that transport's business.
    """
    if transport is None:
        return DeadlineClient()
    return httpx2.Client(transport=transport, timeout=WRITE_SECONDS, cookies=_no_cookies())


def carry(http: httpx2.Client, request: httpx2.Request, exchange: Exchange) -> httpx2.Response | Fault:
    """Send a request once; gives the answer whatever its status, or the fault of having none."""
    try:
        if not isinstance(http, DeadlineClient):
            exchange.begin(httpx2.ConnectTimeout)
        return http.send(request, follow_redirects=False)
    except _NEVER_REACHED:
        reached, reason = False, "no-connection"
    except httpx2.TimeoutException:
        reached, reason = True, "timeout"
    except httpx2.DecodingError:
        reached, reason = True, "unreadable"
    except httpx2.TransportError:
        reached, reason = True, "dropped"
    # Outside the except blocks, so that no fault drags the library's error along, whose request holds the token.
    return judge_lost(request.method, reached=reached, reason=reason)


class DeadlineTransport(httpx2.BaseTransport):
    """Sends each request once, within the deadline of the `exchange` in its extensions.

    Raises httpx2.ConnectError when the first byte had not left, httpx2.ReadTimeout when the time ran out after it,
    httpx2.ReadError when the line broke after it. Proxies are taken from the environment.
    """

    def __init__(self) -> None:
        self._pools: dict[tuple[str, str, int | None], httpcore2.ConnectionPool] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send and read whole; the answer's body is in memory when this returns."""
        exchange = request.extensions.get("exchange") or Exchange(WRITE_SECONDS)
        token = _current.set((exchange, request.url.scheme == "https"))
        try:
            return self._carry(request, exchange)
        except (httpcore2.TimeoutException, *_BROKEN) as error:
            raise _name_failure(error, exchange) from None
        finally:
            _current.reset(token)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()

    def _carry(self, request: httpx2.Request, exchange: Exchange) -> httpx2.Response:
        wait = {"pool": exchange.left(httpcore2.PoolTimeout)}
        sent = httpcore2.Request(
            method=request.method,
            url=_core_url(request.url),
            headers=request.headers.raw,
            content=request.read(),
            extensions={"timeout": wait},
        )
        answer = self._pool_for(request.url).handle_request(sent)
        try:
            body = answer.read()
        finally:
            answer.close()
        return httpx2.Response(answer.status, headers=answer.headers, stream=httpx2.ByteStream(body))

    def _pool_for(self, url: httpx2.URL) -> httpcore2.ConnectionPool:
        key = (url.scheme, url.host, url.port)
        with self._lock:
            if key not in self._pools:
                self._pools[key] = httpcore2.ConnectionPool(
                    ssl_context=_trusted() if url.scheme == "https" else None,
                    proxy=_find_proxy(url),
                    max_connections=100,
                    max_keepalive_connections=20,
                    keepalive_expiry=KEEP_ALIVE_SECONDS,
                    retries=0,
                    network_backend=_BoundedNetwork(),
                )
            return self._pools[key]


_NEVER_REACHED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
_current: ContextVar[tuple[Exchange, bool]] = ContextVar("exchange")
_BROKEN = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
)


class _BoundedNetwork(httpcore2.NetworkBackend):
    """Opens connections within the time that is left of the current exchange."""

    def __init__(self) -> None:
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the exchange knows its own
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        exchange, _ = _current.get()
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        # One address at a time: left to itself, the socket library gives each of them the whole time.
        for address in _find_addresses(host, port):
            left = min(CONNECT_SECONDS, exchange.left(httpcore2.ConnectTimeout))
            try:
                return _BoundedStream(
                    self._inner.connect_tcp(address, port, left, local_address, socket_options), tls=False
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


class _BoundedStream(httpcore2.NetworkStream):
    """A connection whose operations end when the current exchange's time does."""

    def __init__(self, inner: httpcore2.NetworkStream, *, tls: bool) -> None:
        self._inner = inner
        self._tls = tls

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        exchange, _ = _current.get()
        return self._inner.read(max_bytes, exchange.left(httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        exchange, https = _current.get()
        exchange.left(httpcore2.WriteTimeout)
        # What goes to a proxy in the clear before an https request is not yet the request.
        if self._tls or not https:
            exchange.begin(httpcore2.WriteTimeout)
        for start in range(0, len(buffer), SLICE):
            self._inner.write(buffer[start : start + SLICE], exchange.left(httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        exchange, _ = _current.get()
        left = min(CONNECT_SECONDS, exchange.left(httpcore2.ConnectTimeout))
        return _BoundedStream(self._inner.start_tls(ssl_context, server_hostname, left), tls=True)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


@cache
def _trusted() -> ssl.SSLContext:
    # Reading the certificates takes tens of milliseconds, and clients come and go.
    return httpx2.create_ssl_context()


def _no_cookies() -> CookieJar:
    # One client serves many organisations; what one answer sets must not ride along with another's call.
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def _find_addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore2.ConnectError(f"{host}: {error}") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _find_proxy(url: httpx2.URL) -> httpcore2.Proxy | None:
    proxies = getproxies()
    address = proxies.get(url.scheme) or proxies.get("all")
    if not address or proxy_bypass(url.host):
        return None
    proxy = httpx2.Proxy(address)
    return httpcore2.Proxy(_core_url(proxy.url), auth=proxy.raw_auth, headers=proxy.headers.raw)


def _core_url(url: httpx2.URL) -> httpcore2.URL:
    return httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _name_failure(error: Exception, exchange: Exchange) -> httpx2.TransportError:
    if not exchange.began:
        return httpx2.ConnectError(str(error))
    if isinstance(error, httpcore2.TimeoutException):
        return httpx2.ReadTimeout(str(error))
    return httpx2.ReadError(str(error))
