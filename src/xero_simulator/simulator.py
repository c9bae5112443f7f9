"""The simulator's whole state, apart from HTTP."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, NamedTuple

import msgspec

from xero_simulator import seeds
from xero_simulator.bookkeeper import Bookkeeper
from xero_simulator.books import Books, Change
from xero_simulator.calls import Incoming
from xero_simulator.clock import Clock
from xero_simulator.faults import Faults
from xero_simulator.idempotency import LIFETIME_MS, Idempotency, Kept
from xero_simulator.limits import Limits
from xero_simulator.oauth import OAuth, OAuthState
from xero_simulator.persistence import Store
from xero_simulator.records import Settings
from xero_simulator.showing import show_books
from xero_simulator.stats import Stats
from xero_simulator.switches import Switches
from xero_simulator.webhooks import Event, Progress, Webhooks
from xero_simulator.wire import Answer

Act = Callable[[], object]
Watcher = Callable[[Incoming, Answer], None]
RECENT_CALLS = 50


class Kernel(msgspec.Struct):
    """What else a restart must find: the moved clock and the switches."""

    offset_ms: int = 0
    switches: dict[str, bool] = {}
    opened: dict[str, int] = {}
    organisations: list[str] = []


class Heard(NamedTuple):
    """A call of the API, for the page that shows the last ones."""

    at: int
    method: str
    url: str
    status: int


class Late(msgspec.Struct):
    """A request whose line dropped and whose commit is still to come."""

    due: int
    act: Act


class Simulator:
    """A Xero with its organisations, apps and clock.

    `organisation` is the template of the first organisation (`demo-au`, `demo-nz`, `demo-uk`, `empty-au`), `limits`
    whether Xero's limits hold, `state` a file in which everything survives, `switches` answers other than the
    defaults. One lock guards all state. `everywhere` are watchers that every new simulator of this process gets.
    """

    everywhere: ClassVar[list[Watcher]] = []

    def __init__(
        self,
        organisation: str = "demo-au",
        limits: bool = True,
        state: str | Path | None = None,
        client_id: str = "simulator",
        client_secret: str | None = "simulator-secret",  # noqa: S107 - everybody may know it
        webhook_url: str | None = None,
        webhook_key: str | None = None,
        redirects: tuple[str, ...] = (),
        switches: Mapping[str, bool] | None = None,
    ) -> None:
        if organisation not in seeds.TEMPLATES:
            raise ValueError(f"there is no organisation {organisation!r}; try {', '.join(seeds.TEMPLATES)}")
        self._template = organisation
        self._first_app = (client_id, client_secret, "Your app", redirects)
        self.lock = threading.RLock()
        self.clock = Clock()
        self.switches = Switches(switches)
        self.stats = Stats()
        self.faults = Faults()
        self.limits = Limits(self.clock, self.switches, self.stats, on=limits)
        self.idempotency = Idempotency(self.clock)
        self.oauth = OAuth(self.clock, self.switches)
        self.webhooks = Webhooks(self.clock, self.switches, webhook_url, webhook_key)
        self.webhooks.on_progress = self._keep_webhooks
        self.pause: Callable[[float], object] = time.sleep
        self.in_flight_keys: set[tuple[str, str]] = set()
        self.recent: deque[Heard] = deque(maxlen=RECENT_CALLS)
        self.watchers: list[Watcher] = [self._remember, *self.everywhere]
        self._late: list[Late] = []
        self._opened: dict[str, int] = {}
        self.organisations: dict[str, Books] = {}
        self._store = Store(Path(state)) if state else None
        if not self._load():
            self._start_afresh()
        self.clock.on_move.append(self._after_move)

    def organisation(self, number: int = 0) -> Bookkeeper:
        """A person with the books of the first organisation (or another, in the order of their opening)."""
        return Bookkeeper(self, list(self.organisations.values())[number])

    def add_organisation(self, template: str, name: str | None = None) -> Books:
        """Open another organisation. Raises KeyError for an unknown template."""
        with self.lock:
            number = self._opened.get(template, 0)
            books = seeds.open_books(template, name, number, self.clock, self.switches)
            self._opened[template] = number + 1
            self.organisations[books.organisation_id] = books
            first = [record for table in books.tables.values() for record in table]
            books.take_changes()
            if self._store:
                with self._writing() as store:
                    store.write_records(books.organisation_id, first)
                    self._write_kernel(store)
            return books

    def books(self) -> dict[str, object]:
        """The whole state as the API would show it: the JSON of `GET /_simulator/books`, with Decimals."""
        with self.lock:
            return {"organisations": [show_books(books) for books in self.organisations.values()]}

    def reset(self) -> None:
        """Back to the seed: books, connections, faults, counts, switches, limits and clock."""
        with self.lock:
            self.clock.offset_ms = 0
            self.switches.reset()
            self.faults.clear()
            self.stats.reset()
            self.limits.reset()
            self.idempotency.kept.clear()
            self.webhooks.reset()
            self._late.clear()
            if self._store:
                self._store.clear()
            self._start_afresh()

    def commit(self, books: Books | None = None, key: tuple[str, str] | None = None) -> None:
        """Make changes lasting and tell the webhook: those of books (with an idempotency key), or those of OAuth."""
        changes = books.take_changes() if books else []
        events = self._announce(books, changes) if books else []
        if self._store:
            with self._writing() as store:
                if books:
                    store.write_changes(books.organisation_id, changes)
                    store.write_events([(event.number, event) for event in events], self.webhooks.oldest)
                else:
                    store.write_blob("oauth", self.oauth.state)
                if key:
                    kept = self.idempotency.kept[key]
                    store.write_kept(*key, kept.since, kept, self.clock.now_ms() - LIFETIME_MS)
        if events:
            self.webhooks.wake()

    def later(self, seconds: float, act: Act) -> None:
        """Do this once the clock has moved on by so many seconds."""
        with self.lock:
            self._late.append(Late(due=self.clock.now_ms() + int(seconds * 1000), act=act))

    def deliver_due(self) -> int:
        """Commit the late requests whose time has come; answers how many."""
        return self._deliver(self.clock.now_ms())

    def deliver_late(self) -> int:
        """Commit all late requests now; answers how many."""
        return self._deliver(None)

    @property
    def has_late(self) -> bool:
        return bool(self._late)

    def close(self) -> None:
        self.webhooks.close()
        with self.lock:
            if self._store:
                self._store.close()
                self._store = None

    def save_kernel(self) -> None:
        """Write the clock's offset and the switches to the state file."""
        with self.lock:
            if self._store:
                with self._writing() as store:
                    self._write_kernel(store)

    def _remember(self, incoming: Incoming, answer: Answer) -> None:
        self.recent.appendleft(Heard(self.clock.now_ms(), incoming.method, incoming.url, answer.status))

    def _deliver(self, until: int | None) -> int:
        with self.lock:
            due = [late for late in self._late if until is None or late.due <= until]
            self._late = [late for late in self._late if late not in due]
            for late in sorted(due, key=lambda one: one.due):
                late.act()
            return len(due)

    def _after_move(self) -> None:
        self.deliver_due()
        self.save_kernel()

    def _announce(self, books: Books, changes: list[Change]) -> list[Event]:
        """The events for the webhook, if there is one and an app is connected to hear of these books."""
        connections = self.oauth.state.connections.values()
        if self.webhooks.is_set and any(one.tenant_id == books.organisation_id for one in connections):
            return self.webhooks.announce(books, changes)
        return []

    def _keep_webhooks(self) -> None:
        with self.lock:
            if self._store:
                with self._writing() as store:
                    store.write_events([], self.webhooks.oldest)
                    store.write_blob("webhooks", self.webhooks.progress)

    def _start_afresh(self) -> None:
        self.organisations = {}
        self._opened = {}
        self.oauth.state = OAuthState(key=self.oauth.state.key)
        self.oauth.register(*self._first_app)
        self.add_organisation(self._template)
        self.commit()

    @contextmanager
    def _writing(self) -> Iterator[Store]:
        assert self._store is not None  # noqa: S101 - callers have looked
        with self._store.transaction():
            yield self._store

    def _write_kernel(self, store: Store) -> None:
        switches = self.switches.as_dict()
        store.write_blob("kernel", Kernel(self.clock.offset_ms, switches, self._opened, list(self.organisations)))

    def _load(self) -> bool:
        """Everything from the state file; False when it is new."""
        if self._store is None or (kernel := self._store.read_blob("kernel", Kernel)) is None:
            return False
        self.clock.offset_ms = kernel.offset_ms
        self.switches.update(
            {name: value for name, value in kernel.switches.items() if name in self.switches.as_dict()}
        )
        self._opened = kernel.opened
        self.oauth.state = self._store.read_blob("oauth", OAuthState) or self.oauth.state
        self.oauth.register(*self._first_app)
        self._load_books(self._store, kernel.organisations)
        for app_id, key, kept in self._store.read_kept(Kept):
            self.idempotency.kept[app_id, key] = kept
        progress = self._store.read_blob("webhooks", Progress) or Progress()
        self.webhooks.restore(progress, list(self._store.read_events(Event)))
        return True

    def _load_books(self, store: Store, opened: list[str]) -> None:
        stored = list(store.read_records())
        for row in stored:
            if row.kind == "Settings":
                settings = msgspec.msgpack.decode(row.body, type=Settings)
                self.organisations[row.organisation] = Books(settings, self.clock, self.switches)
        self.organisations = {one: self.organisations[one] for one in opened}
        for row in stored:
            table = self.organisations[row.organisation].tables[row.kind]
            table.place(row.id, msgspec.msgpack.decode(row.body, type=table.kind))
