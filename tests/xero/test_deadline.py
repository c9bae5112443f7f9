"""Over real sockets: one deadline for the whole exchange, and nothing is ever sent twice."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from provender.xero import Endpoints, MemoryBudget, OutcomeUnknown, TryLater, deadline
from provender.xero.deadline import Exchange, carry, open_http
from provender.xero.faults import Fault, NotSent

GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"Invoices":[]}'
BRIEFLY = 0.4
AT_LENGTH = 30.0


class Server:
    """A server on a socket that treats each connection as it is told, and keeps what it received."""

    def __init__(self, serve: Callable[["Server", socket.socket], None]) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.closing = threading.Event()
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._attend, args=(line,), daemon=True).start()

    def _attend(self, line: socket.socket) -> None:
        with line:
            line.settimeout(10)
            try:
                self._serve(self, line)
            except OSError:
                return

    def receive(self, line: socket.socket) -> bytes:
        """One whole request, or nothing when the line was closed."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = line.recv(65536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(row[15:]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += line.recv(65536)
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    def close(self) -> None:
        self.closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def serving() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(serve: Callable[[Server, socket.socket], None]) -> Server:
        servers.append(Server(serve))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    with open_http() as client:
        yield client


@pytest.fixture
def over_tls(tmp_path, monkeypatch) -> Callable[..., Callable[[Server, socket.socket], None]]:
    """Puts what a server does behind TLS, with a certificate that the client trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = tmp_path / "pair.pem"
    file.write_bytes(certificate.public_bytes(pem) + key.private_bytes(pem, private, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    monkeypatch.setattr(deadline, "_trusted", lambda: ssl.create_default_context(cafile=str(file)))

    def wrap(serve: Callable[[Server, socket.socket], None]) -> Callable[[Server, socket.socket], None]:
        return lambda server, line: serve(server, context.wrap_socket(line, server_side=True))

    return wrap


def put(http, address, *, seconds=AT_LENGTH, content=b"{}", scheme="http", **kwargs):
    exchange = Exchange(seconds, **kwargs)
    request = http.build_request(
        "PUT", f"{scheme}://{address}/Invoices", content=content, extensions={"exchange": exchange}
    )
    return carry(http, request, exchange), exchange


def answer_all(server, line):
    while server.receive(line):
        line.sendall(GOOD)


def trickle(server, line, *, before=b"", after=GOOD):
    """Sends a byte now and then: never late for one operation, far too late for the whole."""
    server.receive(line)
    line.sendall(before)
    for byte in after:
        if server.closing.wait(0.05):
            return
        line.sendall(bytes([byte]))


def test_connection_is_kept_for_the_next_call(serving, http):
    server = serving(answer_all)
    for _ in range(3):
        reply, exchange = put(http, server.address)
        assert reply.json() == {"Invoices": []}
        assert exchange.began
    assert server.connections == 1


@pytest.mark.parametrize("before", [b"", GOOD[:-15]], ids=["headers", "body"])
def test_trickling_answer_ends_at_the_deadline(serving, http, before):
    server = serving(partial(trickle, before=before, after=GOOD[len(before) :] * 10))
    reply, _ = put(http, server.address, seconds=BRIEFLY)
    assert isinstance(reply, OutcomeUnknown)
    assert reply.reason == "timeout"


def test_tls_connection_is_kept_and_checked_after_its_handshake(serving, over_tls, http):
    server = serving(over_tls(answer_all))
    asked = []
    for _ in range(2):
        reply, _ = put(
            http,
            server.address,
            scheme="https",
            content=b"x" * 100_000,
            before_first_byte=lambda: asked.append(len(server.requests)) or True,
        )
        assert reply.json() == {"Invoices": []}
    assert (asked, server.connections) == ([0, 1], 1)
    assert [len(request.partition(b"\r\n\r\n")[2]) for request in server.requests] == [100_000, 100_000]


def test_trickling_answer_over_tls_ends_at_the_deadline(serving, over_tls, http):
    server = serving(over_tls(partial(trickle, after=GOOD * 10)))
    reply, _ = put(http, server.address, scheme="https", seconds=BRIEFLY)
    assert isinstance(reply, OutcomeUnknown)
    assert reply.reason == "timeout"


def test_silent_server_leaves_the_write_open(serving, http):
    server = serving(lambda server, line: server.receive(line) and server.closing.wait(10))
    reply, _ = put(http, server.address, seconds=BRIEFLY)
    assert isinstance(reply, OutcomeUnknown)


def test_server_that_takes_nothing_in_leaves_the_write_open(serving, http):
    server = serving(lambda server, _line: server.closing.wait(10))
    reply, exchange = put(http, server.address, seconds=BRIEFLY, content=b"x" * 20_000_000)
    assert isinstance(reply, OutcomeUnknown)
    assert reply.reason == "timeout"
    assert exchange.began


def test_server_that_hangs_up_on_a_kept_connection_gets_no_second_request(serving, http):
    def serve(server, line):
        server.receive(line)
        line.sendall(GOOD)
        server.receive(line)

    server = serving(serve)
    put(http, server.address)
    reply, _ = put(http, server.address)
    assert isinstance(reply, OutcomeUnknown)
    assert reply.reason == "dropped"
    assert (len(server.requests), server.connections) == (2, 1)


def test_kept_connection_that_was_closed_meanwhile_is_not_used(serving, http):
    hung_up = threading.Event()

    def serve(server, line):
        server.receive(line)
        line.sendall(GOOD)
        line.shutdown(socket.SHUT_WR)
        hung_up.set()
        server.closing.wait(10)

    server = serving(serve)
    put(http, server.address)
    assert hung_up.wait(10)
    reply, _ = put(http, server.address)
    assert not isinstance(reply, Fault)
    assert (len(server.requests), server.connections) == (2, 2)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-", GOOD[:-3]])
def test_cut_answer_leaves_the_write_open(serving, http, sent):
    server = serving(lambda server, line: server.receive(line) and line.sendall(sent))
    reply, _ = put(http, server.address)
    assert isinstance(reply, OutcomeUnknown)
    assert reply.reason == "dropped"
    assert len(server.requests) == 1


def test_early_refusal_of_a_large_body_is_heard(serving, http):
    def serve(server, line):
        line.recv(1000)
        line.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        while line.recv(65536):
            server.closing.wait(0)

    reply, _ = put(http, serving(serve).address, content=b"x" * 1_000_000)
    assert reply.status_code == 413


def test_server_that_is_not_there_was_never_reached(http):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    asked = []
    reply, exchange = put(http, address, before_first_byte=lambda: asked.append(1) or True)
    assert isinstance(reply, TryLater)
    assert reply.problem == "no-connection"
    assert (asked, exchange.began) == ([], False)


def test_name_without_address_was_never_reached(http, monkeypatch):
    def find_none(host, port, **_):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", find_none)
    reply, _ = put(http, "no-such-host.invalid")
    assert isinstance(reply, TryLater)
    assert reply.problem == "no-connection"


def test_handshake_that_fails_was_never_the_request(serving, http):
    server = serving(lambda _server, line: line.recv(1000) and line.sendall(b"this is no TLS"))
    reply, exchange = put(http, server.address, scheme="https")
    assert isinstance(reply, TryLater)
    assert not exchange.began


def test_last_check_comes_when_the_connection_stands(serving, http):
    server = serving(answer_all)
    seen = []

    def check():
        deadline = time.monotonic() + 10
        while not server.connections and time.monotonic() < deadline:
            time.sleep(0.001)
        seen.append((server.connections, len(server.requests)))
        return True

    put(http, server.address, before_first_byte=check)
    assert seen == [(1, 0)]


def test_last_check_that_says_no_sends_not_a_byte(serving, http):
    closed_with = []
    server = serving(lambda _server, line: closed_with.append(line.recv(1000)))
    with pytest.raises(NotSent):
        put(http, server.address, before_first_byte=lambda: False)
    deadline = time.monotonic() + 10
    while not closed_with and time.monotonic() < deadline:
        time.sleep(0.001)
    assert closed_with == [b""]


def test_last_check_that_takes_all_the_time_sends_nothing(serving, http):
    server = serving(answer_all)
    reply, exchange = put(http, server.address, seconds=0.1, before_first_byte=lambda: time.sleep(0.2) or True)
    assert isinstance(reply, TryLater)
    assert not exchange.began
    assert server.requests == []


def test_proxy_that_refuses_was_never_the_request(serving, http, monkeypatch):
    def serve(server, line):
        server.receive(line)
        line.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    server = serving(serve)
    monkeypatch.setenv("https_proxy", f"http://{server.address}")
    reply, exchange = put(http, "xero.invalid", scheme="https")
    assert isinstance(reply, TryLater)
    assert not exchange.began
    assert server.requests[0].startswith(b"CONNECT xero.invalid:443")


def test_five_threads_get_their_own_answers(serving, open_client):
    def echo(server, line):
        while request := server.receive(line):
            body = request.partition(b"\r\n\r\n")[2]
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    server = serving(echo)
    base = f"http://{server.address}"
    client = open_client(endpoints=Endpoints(base, base, base), transport=None, budget=MemoryBudget())

    def create(number):
        body = b'{"Invoices":[{"InvoiceNumber":"%d"}]}' % number
        (element,) = client.write("PUT", "Invoices", body, key=str(number), access_token="secret").elements
        return element.value.invoice_number

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(create, range(200))) == [str(number) for number in range(200)]
    client.close()
    assert len(server.requests) == 200
    assert server.connections <= 5
