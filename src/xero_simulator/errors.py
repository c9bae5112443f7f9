"""What can go wrong with a request, one class per situation."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Self

Place = tuple[str | int, ...]


class DroppedLine(ConnectionError):
    """The line is cut and no answer goes out: the server cuts the socket, a test's transport says so."""


class Inside(str):
    """A validation message about a part of an element: it stands there too, at each of its `places`.

    A place is a path in Xero's names: `("Contact",)`, `("LineItems", 0)`.
    """

    __slots__ = ("places",)
    places: tuple[Place, ...]

    def __new__(cls, text: str, *places: Place) -> Self:
        made = super().__new__(cls, text)
        made.places = places
        return made


class Invalid(Exception):
    """One element breaks Xero's rules; `texts` are the validation messages, in order, each once with all its places."""

    def __init__(self, *texts: str) -> None:
        super().__init__("; ".join(texts))
        places: dict[str, list[Place]] = {}
        for text in texts:
            places.setdefault(text, []).extend(places_of(text))
        self.texts = [Inside(text, *dict.fromkeys(where)) for text, where in places.items()]


def places_of(text: str) -> tuple[Place, ...]:
    """Where else a message stands, beside the element as a whole."""
    return text.places if isinstance(text, Inside) else ()


def placed(texts: Iterable[str], *place: str | int) -> list[str]:
    """The same messages, which are about the part at this place (those placed already are further in)."""
    return [Inside(text, *((*place, *inner) for inner in places_of(text) or ((),))) for text in texts]


@contextmanager
def inside(*place: str | int) -> Iterator[None]:
    """What is refused in here is about the part at this place."""
    try:
        yield
    except Invalid as refusal:
        raise Invalid(*placed(refusal.texts, *place)) from None


class RequestRefused(Exception):
    """The request as a whole is refused, with an answer that is not about one element."""


class BadPost(RequestRefused):
    """400: the body could not be read."""


class BadXml(BadPost):
    """400: the body is XML, which is not read here."""


class BadQuery(RequestRefused):
    """400: `where` or `order` could not be understood."""


class NothingPosted(RequestRefused):
    """400: the body held no element."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class BadRequest(RequestRefused):
    """400: another reason, told as a validation exception without elements."""


class BadCondition(RequestRefused):
    """412: a conditional header could not be understood."""


class NotFound(RequestRefused):
    """404: there is no document of this id, or no such endpoint."""


class NotImplementedHere(RequestRefused):
    """501: the endpoint is there, this verb is not."""


class Unauthorised(RequestRefused):
    """401: the token is missing, unknown, expired, or its scopes do not reach this endpoint."""


class TenantRefused(RequestRefused):
    """403: the organisation of the header is not connected."""


class LimitReached(RequestRefused):
    """429: which limit, after how many seconds it may be tried again (None is not told), and what is left of each."""

    def __init__(self, problem: str, retry_after: int | None, remaining: dict[str, str]) -> None:
        super().__init__(problem)
        self.problem = problem
        self.retry_after = retry_after
        self.remaining = remaining
