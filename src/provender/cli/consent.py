"""The simulator's consent page, gone through by HTTP as a browser would: read the form, send it back."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2

from provender.basics.errors import ProvenderError


class ConsentPageUnusable(ProvenderError):
    """The consent page isn't what the simulator's looks like, or refuses."""

    code = "consent-page-unusable"

    def __init__(self, why: str) -> None:
        super().__init__(f"The simulator's consent page can't be used: {why}.")


@dataclass(frozen=True)
class Answer:
    """What came back to the redirect address, and the organisation that was chosen."""

    params: dict[str, str]
    organisation: str


@dataclass
class _Form(HTMLParser):
    """The hidden fields of a page's form, and its organisations by name."""

    action: str = ""
    hidden: dict[str, str] = field(default_factory=dict)
    organisations: dict[str, str] = field(default_factory=dict)  # id → name

    def __post_init__(self) -> None:
        super().__init__()
        self._naming = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "input" and given.get("type") == "hidden":
            self.hidden[given["name"]] = given.get("value", "")
        elif given.get("name") == "organisation" or tag == "option":
            self._naming = given.get("value", "")
            self.organisations[self._naming] = ""
        elif tag == "button":
            self._naming = ""

    def handle_data(self, data: str) -> None:
        # The first text after an organisation's field is its name; what follows tells its country.
        if self._naming and data.strip():
            self.organisations[self._naming] = data.strip()
            self._naming = ""


def give_consent(address: str, organisation: str | None) -> Answer:
    """Allow access to the organisation of that name, or the first. Raises ConsentPageUnusable."""
    try:
        with httpx2.Client(timeout=30, follow_redirects=False) as browser:
            page = browser.get(address)
            form = _Form()
            form.feed(page.text)
            chosen = _choose(form, organisation)
            sent = {**form.hidden, "organisation": chosen, "decision": "allow"}
            back = browser.post(urljoin(address, form.action), data=sent)
    except httpx2.TransportError as error:
        raise ConsentPageUnusable(str(error) or type(error).__name__) from error
    if not back.is_redirect:
        raise ConsentPageUnusable(f"it answered {back.status_code} to the consent")
    return Answer(dict(parse_qsl(urlsplit(back.headers["Location"]).query)), chosen)


def _choose(form: _Form, organisation: str | None) -> str:
    if not form.organisations:
        raise ConsentPageUnusable("it offers no organisation; is the redirect address one that it allows?")
    if organisation is None:
        return next(iter(form.organisations))
    named = [key for key, name in form.organisations.items() if organisation in {name, key}]
    if not named:
        raise ConsentPageUnusable(f"it has no “{organisation}”, but {', '.join(form.organisations.values())}")
    return named[0]
