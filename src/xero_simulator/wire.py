"""Xero's shapes on the wire: dates, decimals, the envelope, and reading what clients send."""

import gzip
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, get_args
from xml.sax.saxutils import escape

import msgspec

from xero_simulator import messages
from xero_simulator.clock import from_ms, to_ms
from xero_simulator.errors import BadPost, BadXml, Invalid
from xero_simulator.rounding import is_sane

T = TypeVar("T")

ENCODER = msgspec.json.Encoder(decimal_format="number")
PLAIN_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
ZERO_ID = "00000000-0000-0000-0000-000000000000"
MS_DATE = re.compile(r"^/Date\((-?\d{1,15})([+-]\d{4})?\)/$")
GUID = re.compile(r"^\{?([0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12})\}?$")
# A text that Decimal would take for a number which JSON has not.
NO_NUMBER = re.compile(rb'"\s*[+-]?(s?nan\d*|inf|infinity)\s*"', re.IGNORECASE)
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
EPOCH_DATE = date(1970, 1, 1)
SMALLEST_GZIP = 1400
OWN_IDS = (  # an element may hold others' ids too, so the first of these that it has is its own
    "PaymentID",
    "BatchPaymentID",
    "AllocationID",
    "BankTransactionID",
    "CreditNoteID",
    "InvoiceID",
    "ContactID",
    "ItemID",
    "AccountID",
)


@dataclass(slots=True)
class Answer:
    """An HTTP answer before it is one."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_json(self) -> bool:
        return self.headers.get("Content-Type", "").startswith("application/json")


def json_answer(value: object, status: int = 200) -> Answer:
    return Answer(status, encode(value), {"Content-Type": "application/json; charset=utf-8"})


def text_answer(text: str, status: int) -> Answer:
    return Answer(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})


def encode(value: object) -> bytes:
    r"""JSON as Xero writes it: decimals keep their scale, and `/Date()/` has its slashes escaped.

    Escaping the slashes by replacing is safe: `\/` and `/` are the same inside a JSON string.
    """
    return ENCODER.encode(value).replace(b'"/Date(', b'"\\/Date(').replace(b')/"', b')\\/"')


def json_text(text: str) -> str:
    """A text as it stands in JSON, quotes included."""
    return ENCODER.encode(text).decode()


def ms_date(day: date) -> str:
    return f"/Date({(day - EPOCH_DATE).days * 86_400_000}+0000)/"


def ms_time(milliseconds: int, zone: str = "+0000") -> str:
    return f"/Date({milliseconds}{zone})/"


def utc_string(milliseconds: int) -> str:
    """The same time as `UpdatedDateUTC`, readable, which some resources show beside it."""
    return from_ms(milliseconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def date_string(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"


def envelope(key: str, elements: Sequence[Any], now_ms: int, *, pagination: dict[str, int] | None = None) -> Answer:
    """The frame around every good answer."""
    frame: dict[str, object] = {
        "Id": str(uuid.uuid4()),
        "Status": "OK",
        "ProviderName": "Xero simulator",
        "DateTimeUTC": ms_time(now_ms, ""),
    }
    if pagination is not None:
        frame["pagination"] = pagination
    frame[key] = elements
    return json_answer(frame)


def present(**fields: object) -> dict[str, object]:
    """The fields that have a value: Xero leaves the others out."""
    return {name: value for name, value in fields.items() if value is not None}


def read_elements(body: bytes, key: str, shape: type[T], *, strict: bool) -> list[T]:
    """The elements of a post: `{"Invoices": [...]}`, a bare list, or one bare object.

    Raises BadPost for what is no JSON or has the wrong types.
    """
    raw = _envelope_content(body, key)
    found = _read_strictly(raw, shape) if strict else _read_numbers_and_texts(raw, shape)
    if NO_NUMBER.search(raw) and not _is_finite(msgspec.to_builtins(found, builtin_types=(Decimal,))):
        raise BadPost("a number is none")
    return found


def _read_numbers_and_texts(raw: bytes, shape: type[T]) -> list[T]:
    try:
        return _decode_list(raw, shape)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _read_leniently(raw, shape)


def _is_finite(value: Any) -> bool:
    """Whether every number inside is one."""
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, Decimal) or value.is_finite()


def _envelope_content(body: bytes, key: str) -> bytes:
    if not body.strip():
        raise BadPost("no content was sent")
    if body.lstrip().startswith((b"<", b"xml=")):
        raise BadXml("requests are read as JSON here")
    try:
        if body.lstrip()[:1] == b"[":
            return body
        frame = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadPost(str(error)) from None
    for name, content in frame.items():
        if name.lower() == key.lower():
            return bytes(content)
    return body


def _decode_list(raw: bytes, shape: type[T]) -> list[T]:
    try:
        if raw.lstrip()[:1] == b"[":
            return msgspec.json.decode(raw, type=list[shape], strict=False)  # type: ignore[valid-type]
        return [msgspec.json.decode(raw, type=shape, strict=False)]
    except RecursionError as error:
        raise BadPost(str(error)) from None


def _read_strictly(raw: bytes, shape: type[T]) -> list[T]:
    """Numbers as numbers only: a Decimal that stands in quotes is refused."""
    try:
        content = _with_decimals(PLAIN_DECODER.decode(raw), _decimal_names(shape))
        many = content if isinstance(content, list) else [content]
        return msgspec.convert(many, list[shape], builtin_types=(Decimal,))  # type: ignore[valid-type]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadPost(str(error)) from None


def _decimal_names(shape: Any) -> set[str]:
    """The names in this shape, and in those inside it, that stand for a Decimal."""
    names: set[str] = set()
    for part in msgspec.structs.fields(shape):
        for kind in _kinds(part.type):
            if kind is Decimal:
                names.add(part.encode_name)
            elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                names |= _decimal_names(kind)
    return names


def _kinds(annotation: Any) -> list[Any]:
    """What an annotation is made of: of `list[LineIn] | None` LineIn, too."""
    return [annotation, *(kind for part in get_args(annotation) for kind in _kinds(part))]


def _with_decimals(value: Any, names: set[str]) -> Any:
    """Whole numbers where a Decimal belongs are numbers too."""
    if isinstance(value, list):
        return [_with_decimals(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: Decimal(inner) if type(inner) is int and name in names else _with_decimals(inner, names)
        for name, inner in value.items()
    }


def _read_leniently(raw: bytes, shape: type[T]) -> list[T]:
    """Once more with every scalar as text, since Xero takes 17 where text belongs and "17" where a number does."""
    try:
        content = _texts(PLAIN_DECODER.decode(raw))
        many = content if isinstance(content, list) else [content]
        return msgspec.convert(many, list[shape], strict=False)  # type: ignore[valid-type]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadPost(str(error)) from None


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _texts(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    return value if value is None else str(value)


def read_date(text: str | None) -> date | None:
    """`2026-11-24`, with or without a time, or `/Date(…)/`, which is read as UTC."""
    if not text:
        return None
    if match := MS_DATE.match(text):
        return _from_ms_date(match[1])
    try:
        return datetime.fromisoformat(text.strip()).date()
    except ValueError:
        raise BadPost(f"'{text[:40]}' is not a date") from None


def _from_ms_date(milliseconds: str) -> date:
    try:
        return EPOCH_DATE + timedelta(milliseconds=int(milliseconds))
    except OverflowError:
        raise BadPost("the date is out of range") from None


def read_moment(text: str) -> int | None:
    """A time in a header, in milliseconds; a zone that is left out is UTC. None when it cannot be read."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def read_guid(text: str | None) -> str | None:
    """An id in lower case with dashes; None when there is none. Raises BadPost for something else."""
    if not text or text == ZERO_ID:
        return None
    if guid := guid_or_none(text):
        return guid
    raise BadPost(f"'{text[:60]}' is not a guid")


def guid_or_none(text: str) -> str | None:
    match = GUID.match(text.strip())
    return str(uuid.UUID(match[1])) if match else None


def read_number(value: Decimal | None) -> Decimal | None:
    """A number that can be an amount. Raises Invalid otherwise."""
    if value is None or is_sane(value):
        return value
    raise Invalid(messages.NUMBER_OUT_OF_RANGE)


def read_flag(text: str | None) -> bool:
    return (text or "").strip().lower() in {"true", "1"}


def compress(answer: Answer) -> Answer:
    """Gzip what is worth it."""
    if len(answer.body) < SMALLEST_GZIP or "Content-Encoding" in answer.headers:
        return answer
    packed = gzip.compress(answer.body, compresslevel=1, mtime=0)
    return Answer(answer.status, packed, answer.headers | {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})


def as_xml(body: bytes) -> bytes:
    """The same answer as XML, which is what Xero gives to whom does not ask for JSON."""
    content = PLAIN_DECODER.decode(body)
    root = "ApiException" if "ErrorNumber" in content else "Response"
    if root == "ApiException" and "Elements" in content:
        content["Elements"] = {"DataContractBase": content["Elements"]}
    return b'<?xml version="1.0" encoding="utf-8"?>' + _xml_element(root, content).encode()


def _xml_broken(element: Any) -> str:
    """An element that was refused, with its kind, which its own id tells."""
    kind = next((name.removesuffix("ID") for name in OWN_IDS if isinstance(element, dict) and name in element), None)
    typed = f' xsi:type="{kind}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' if kind else ""
    return f"<DataContractBase{typed}>{_xml_content(element)}</DataContractBase>"


def _xml_element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return f"<{name}>{''.join(_xml_element(_singular(name), inner) for inner in value)}</{name}>"
    return f"<{name}>{_xml_content(value)}</{name}>"


def _xml_content(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(
            "".join(map(_xml_broken, inner)) if key == "DataContractBase" else _xml_element(key, inner)
            for key, inner in value.items()
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and (match := MS_DATE.match(value)):
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(match[1]))).strftime("%Y-%m-%dT%H:%M:%S")
    return escape(NOT_IN_XML.sub("", str(value)))


def _singular(name: str) -> str:
    for plural, single in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("s", "")):
        if name.endswith(plural):
            return name.removesuffix(plural) + single
    return name + "Item"
