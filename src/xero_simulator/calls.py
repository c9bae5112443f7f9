"""One call of the API: what a resource is given, and the ways of reading and saving that resources share."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec

from xero_simulator import messages
from xero_simulator.books import Books
from xero_simulator.clock import from_ms
from xero_simulator.errors import BadCondition, BadRequest, Inside, Invalid, NothingPosted, Place, places_of
from xero_simulator.filters import Getter, compile_where, fields_asked, sort_records
from xero_simulator.records import Record, Wire
from xero_simulator.switches import Switches
from xero_simulator.wire import (
    ENCODER,
    PLAIN_DECODER,
    ZERO_ID,
    Answer,
    envelope,
    guid_or_none,
    json_answer,
    read_elements,
    read_flag,
    read_moment,
)

Shape = TypeVar("Shape", bound=Wire)
R = TypeVar("R", bound=msgspec.Struct)
Handler = Callable[["Call"], Answer]
Shown = dict[str, object]
FLAGGED_PARTS: dict[str | int, str] = {
    "Contact": "HasValidationErrors",
    "Invoice": "HasErrors",
    "CreditNote": "HasErrors",
}
LARGEST_PAGE = 1000
STANDARD_PAGE = 100
MOST_UNOPTIMISED = 100_000


@dataclass(slots=True)
class Incoming:
    """The facts of an HTTP request; header names in lower case, `url` as it was written with its query."""

    method: str
    path: str
    url: str
    args: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def wants_json(self) -> bool:
        return "json" in self.headers.get("accept", "").lower()


@dataclass(slots=True)
class Call:
    """A request that has passed OAuth and the limits. `args` and `headers` have their names in lower case."""

    books: Books
    app_id: str
    method: str = "GET"
    ids: tuple[str, ...] = ()
    args: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: str = "System Generated"

    @property
    def switches(self) -> Switches:
        return self.books.switches

    @property
    def places(self) -> int:
        """Places of unit prices: two, or four with `unitdp=4`."""
        return 4 if self.args.get("unitdp") == "4" else 2

    @property
    def summarises(self) -> bool:
        """Whether one bad element makes the whole call a 400: Xero's default."""
        return self.args.get("summarizeerrors", "true").strip().lower() not in {"false", "0"}

    def flag(self, name: str) -> bool:
        return read_flag(self.args.get(name))

    def listed(self, name: str) -> list[str]:
        """A comma-separated argument."""
        return [part.strip() for part in self.args.get(name, "").split(",") if part.strip()]

    def listed_ids(self, name: str) -> list[str]:
        ids = [guid_or_none(part) for part in self.listed(name)]
        if None in ids:
            raise BadRequest(f"{name} holds something that is not a guid")
        return [one for one in ids if one]

    def elements(self, key: str, shape: type[Shape]) -> list[Shape]:
        """What was posted, at least one. Raises BadPost or NothingPosted."""
        found = read_elements(self.body, key, shape, strict=not self.switches["strings_as_numbers"])
        if not found:
            raise NothingPosted(key)
        return found


@dataclass(frozen=True, slots=True)
class Route:
    """A verb on a path: names are compared without case, None stands for an id."""

    method: str
    path: tuple[str | None, ...]
    handler: Handler


@dataclass(frozen=True, slots=True)
class Listing:
    """How one resource is listed. `forces_pages` are arguments that bring pages even when none is asked for,
    `optimised` the fields that may be asked for among any number of records, where that is known.
    """

    key: str
    fields: dict[str, Getter]
    show: Callable[[Call, Any], Shown]
    show_short: Callable[[Call, Any], Shown] | None = None
    pages: bool = False
    forces_pages: tuple[str, ...] = ()
    modified_since: bool = True
    unpaged_is_short: bool = False
    optimised: frozenset[str] = frozenset()


def answer_list(call: Call, listing: Listing, records: Iterable[Record]) -> Answer:
    """Filter, order, cut to a page and show."""
    found = _modified_since(call, list(records)) if listing.modified_since else list(records)
    if found is None:
        return Answer(304)
    where, order = call.args.get("where", "").strip(), call.args.get("order", "").strip()
    if listing.optimised and len(found) > MOST_UNOPTIMISED:
        _refuse_slow(listing, where, order)
    if where:
        found = list(filter(compile_where(where, listing.fields), found))
    found = _ordered(listing, found, order)
    show = listing.show
    if not (listing.pages and _asks_for_page(call, listing)):
        if listing.unpaged_is_short and listing.show_short:
            show = listing.show_short
        return envelope(listing.key, [show(call, record) for record in found], call.books.now())
    if "summaryonly" in listing.forces_pages and call.flag("summaryonly") and listing.show_short:
        show = listing.show_short
    page, size = _page(call)
    pagination = {"page": page, "pageSize": size, "pageCount": -(-len(found) // size), "itemCount": len(found)}
    shown = [show(call, record) for record in found[(page - 1) * size : page * size]]
    return envelope(listing.key, shown, call.books.now(), pagination=pagination)


def _refuse_slow(listing: Listing, where: str, order: str) -> None:
    """Raises BadRequest for a query over more than the optimised fields."""
    slow = fields_asked(where, order, listing.fields) - {name.lower() for name in listing.optimised}
    if slow:
        raise BadRequest(messages.query_too_slow(sorted(slow)))


def _asks_for_page(call: Call, listing: Listing) -> bool:
    named = [name for name in ("page", "pagesize", *listing.forces_pages) if call.args.get(name)]
    return any(name != "summaryonly" or call.flag(name) for name in named)


def _page(call: Call) -> tuple[int, int]:
    try:
        page = int(call.args.get("page") or 1)
        size = int(call.args.get("pagesize") or STANDARD_PAGE)
    except ValueError:
        raise BadRequest("page and pageSize must be whole numbers") from None
    return max(1, page), min(max(1, size), LARGEST_PAGE)


def _modified_since(call: Call, records: list[Record]) -> list[Record] | None:
    """Those changed since; None when that is nothing and Xero says so with 304."""
    moment = _read_since(call)
    if moment is None:
        return records
    since = moment // 1000 * 1000
    found = [record for record in records if record.updated >= since]
    later = [record for record in found if record.updated >= since + 1000]
    if len(later) < len(found) and not call.switches["modified_since_inclusive"]:
        found = later
    return found if found or not call.switches["not_modified_304"] else None


def _read_since(call: Call) -> int | None:
    """The header's time in milliseconds, or None. Raises BadCondition for a header that is no time at all."""
    text = call.headers.get("if-modified-since", "").strip()
    if not text:
        return None
    if (moment := read_moment(text)) is not None:
        return moment
    try:
        moment = read_moment(parsedate_to_datetime(text).isoformat())
    except (ValueError, OverflowError):
        raise BadCondition(messages.CONDITION_INVALID) from None
    return moment if call.switches["rfc_dates_accepted"] else None


def _ordered(listing: Listing, records: list[Record], order: str) -> list[Record]:
    records.sort(key=lambda record: (record.updated, record.id))
    return sort_records(records, order, listing.fields) if order else records


@dataclass(frozen=True, slots=True)
class Saving:
    """How one resource is saved: its plural, the name of its id if it has one, and the flags it carries."""

    key: str
    id_name: str | None
    show: Callable[[Call, Any], Shown]
    flags: tuple[str, ...] = ("HasErrors",)
    has_status: bool = True


@dataclass(slots=True)
class Outcome:
    """What became of one element."""

    element: Any
    record: Any = None
    texts: list[Inside] = field(default_factory=list)


def save_each(call: Call, saving: Saving, elements: Sequence[Shape], save: Callable[[Call, Shape], Any]) -> Answer:
    """Save elements one by one, each wholly or not at all, and answer in the mode that was asked for."""
    start = call.books.mark()
    outcomes = [_save_one(call, element, save) for element in elements]
    failed = [outcome for outcome in outcomes if outcome.texts]
    if not call.summarises:
        return envelope(saving.key, [_show_outcome(call, saving, outcome) for outcome in outcomes], call.books.now())
    if not failed:
        return envelope(saving.key, [saving.show(call, outcome.record) for outcome in outcomes], call.books.now())
    if not call.switches["batch_400_saves_valid"]:
        call.books.rollback_to(start)
    return answer_invalid([_echo(saving, outcome) for outcome in failed])


def save_whole(call: Call, saving: Saving, element: Shape, save: Callable[[Call, Shape], Any]) -> Answer:
    """Save one element on an address that has no `summarizeErrors`."""
    outcome = _save_one(call, element, save)
    if outcome.texts:
        return answer_invalid([_echo(saving, outcome)])
    return envelope(saving.key, [saving.show(call, outcome.record)], call.books.now())


def _save_one(call: Call, element: Shape, save: Callable[[Call, Shape], Any]) -> Outcome:
    try:
        with call.books.as_a_whole():
            return Outcome(element, record=save(call, element))
    except Invalid as refusal:
        return Outcome(element, texts=[Inside(_worded(call, text), *places_of(text)) for text in refusal.texts])


def _worded(call: Call, text: str) -> str:
    if messages.is_from_memory(text) and not call.switches["uncertain_texts_known"]:
        return messages.in_other_words(text)
    return text


def _show_outcome(call: Call, saving: Saving, outcome: Outcome) -> Shown:
    if outcome.texts:
        shown = _echo(saving, outcome)
        return shown | {"StatusAttributeString": "ERROR"} if saving.has_status else shown
    shown = saving.show(call, outcome.record)
    return shown | {"StatusAttributeString": "OK"} if saving.has_status else shown


def _echo(saving: Saving, outcome: Outcome) -> Shown:
    """The element as it was sent, with all that is wrong with it; each part of it tells its own share once more."""
    shown: Shown = PLAIN_DECODER.decode(ENCODER.encode(outcome.element))
    for part in _parts(shown):
        part["ValidationErrors"] = []
    for text in outcome.texts:
        for place in text.places:
            _tell(shown, place, text)
    if saving.id_name:
        shown.setdefault(saving.id_name, ZERO_ID)
    shown.update(dict.fromkeys(saving.flags, True))
    shown["ValidationErrors"] = [{"Message": str(text)} for text in outcome.texts]
    return shown


def _parts(value: Any) -> list[Shown]:
    """Every object inside."""
    within = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [part for one in within for part in ([one] if isinstance(one, dict) else []) + _parts(one)]


def _tell(shown: Shown, place: Place, text: str) -> None:
    """The message inside the part that it is about, if that was sent."""
    part: Any = shown
    try:
        for step in place:
            part = part[step]
    except (LookupError, TypeError):
        return
    if isinstance(part, dict):
        part["ValidationErrors"].append({"Message": str(text)})
        if place[-1] in FLAGGED_PARTS:
            part[FLAGGED_PARTS[place[-1]]] = True


def answer_invalid(elements: list[Shown]) -> Answer:
    """400 with the elements that failed."""
    return json_answer(
        {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": messages.VALIDATION_HEADLINE,
            "Elements": elements,
        },
        400,
    )


def replaced(record: R, **changes: Any) -> R:
    return msgspec.structs.replace(record, **changes)


def moment_of(record: Record) -> datetime:
    """UpdatedDateUTC, for filters."""
    return from_ms(record.updated)
