"""Every page of the desk in a real browser: accessible, inside its width, nothing refused by the content policy."""

from contextlib import contextmanager
from decimal import Decimal
from itertools import cycle

import pytest
from django.test import Client

import browsers
import cast
from desk.examples import EXAMPLES, Things, addresses
from provender.payments.surcharges import set_surcharges

WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}
HEIGHTS = dict(WIDTHS.values())
BEFORE_LOGIN = ["/account/login/", "/account/password/reset/", "/account/password/reset/done/", "/account/signup/"]
OF_ONES_LOGIN = ["/account/password/change/", "/account/2fa/", "/account/logout/", "/nothing-here"]
# Leads away from our pages, or has no page of its own.
NOT_PAGES = {"xero-callback", "join"}

pytestmark = [pytest.mark.browser, browsers.needs_browser]


@pytest.fixture
def things(transactional_db):
    """A wholesaler that has one of each."""
    made = Things(cast.supplier())
    set_surcharges(made.supplier, {"transfer": Decimal("1.5")})
    cast.person("mai", made.supplier)
    cast.person("theo", made.supplier)
    return made


@pytest.fixture
def session(things):
    """The owner's, once logged in."""
    client = Client()
    client.force_login(cast.person("priya", things.supplier))
    return client


def is_page(answer):
    """Whether it is a page of its own: no file, no part of a page."""
    html = answer["Content-Type"].startswith("text/html") and not answer.streaming
    return html and answer.text.lstrip().startswith("<!doctype html>")


def pages(things, session, part):
    """Every other address that answers the owner with a page, from the first or the second on."""
    inside = [
        a.url(things) for a in addresses() if a.name not in NOT_PAGES and (not a.needs_example or a.name in EXAMPLES)
    ]
    answers = {url: session.get(url) for url in inside[part::2]}
    shown = [url for url, answer in answers.items() if answer.status_code == 200 and is_page(answer)]
    assert len(shown) > 9
    paid = [f"/w/harbour/orders/{things.left_order.pk}/{page}" for page in ("edit", "cancel")]  # shown otherwise
    more = [*paid, *OF_ONES_LOGIN, "/w/harbour/search?q=cafe", "/w/harbour/people?q=nobody-like-that"]
    return shown + more[part::2]


@contextmanager
def window(size, cookies=(), **options):
    """A browser's page of that size, with what it complained about."""
    with browsers.browser() as started, browsers.window(started, WIDTHS[size], **options) as (page, complaints):
        page.context.add_cookies(list(cookies))
        yield page, complaints


# What only a colour can break; the rest is the same in the dark.
OF_COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}


def look_through(page, complaints, urls):
    """What is wrong with the pages at both widths, in sentences. The dark is looked at in either width in turn: its
    colours are the same, and what only one width shows is on every page.
    """
    return [
        line for url, dark in zip(urls, cycle(HEIGHTS)) for line in look(page, complaints, url, *HEIGHTS, dark=dark)
    ]


def look(page, complaints, url, *widths, dark=None):
    """What is wrong with one page at those widths, in the light and in the `dark` (at that width, or else at each of
    them), in sentences; it is loaded once.
    """
    from axe_playwright_python.base import AXE_SCRIPT

    complaints.clear()
    page.emulate_media(color_scheme="light")
    page.goto(url, wait_until="load")
    page.evaluate(AXE_SCRIPT)
    wrong = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        schemes = {"light": {}, "dark": OF_COLOURS} if dark in {None, width} else {"light": {}}
        for scheme, rules in schemes.items():
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate("rules => axe.run({resultTypes: ['violations'], ...rules})", rules)["violations"]
            wrong += [
                f"{url} {width} {scheme}: {rule['id']}: {node['html'][:160]}"
                for rule in found
                for node in rule["nodes"]
            ]
        reach = page.locator("html").evaluate("page => page.scrollWidth")
        if reach > width:
            wrong.append(f"{url}: reaches {reach} pixels, {reach - width} too many")
    return wrong + [f"{url}: {told}" for told in complaints if "status of 404" not in told]


def cookie(session, live_server):
    kept = session.cookies["provender_session"]
    return {"name": kept.key, "value": kept.value, "url": live_server.url}


@pytest.mark.parametrize("part", range(2))  # which may run at once
def test_every_page_is_accessible_and_fits(live_server, things, session, part):
    urls = [live_server.url + url for url in pages(things, session, part)]
    with window("desk", [cookie(session, live_server)]) as (page, complaints):
        wrong = look_through(page, complaints, urls)
    assert not wrong, "\n".join(wrong)


def test_the_doors_are_accessible_and_fit(live_server, things):
    doors = [*BEFORE_LOGIN, f"/join/{things.secret}"]
    with window("desk") as (page, complaints):
        wrong = look_through(page, complaints, [live_server.url + url for url in doors])
    assert not wrong, "\n".join(wrong)


def test_keys_lead_through_search_and_lists(live_server, session):
    from playwright.sync_api import expect

    with window("desk", [cookie(session, live_server)]) as (page, complaints):
        page.goto(f"{live_server.url}/w/harbour/people", wait_until="networkidle")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.locator("tbody tr").nth(1).locator("a.ref")).to_be_focused()
        page.keyboard.press("/")
        expect(page.get_by_role("searchbox").first).to_be_focused()
        page.goto(f"{live_server.url}/w/harbour/people", wait_until="networkidle")
        page.locator("#id_q").fill("theo")
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page).to_have_url(f"{live_server.url}/w/harbour/people?q=theo&role=")
        page.keyboard.press("Enter")
        expect(page.locator("tbody tr")).to_have_count(1)
        assert not [told for told in complaints if not told.startswith("htmx:")]  # a request that was replaced


def test_everything_works_without_scripts(live_server, session):
    from playwright.sync_api import expect

    with window("desk", [cookie(session, live_server)], java_script_enabled=False) as (page, _):
        page.goto(f"{live_server.url}/w/harbour/people")
        page.locator("#id_q").fill("theo")
        page.get_by_role("button", name="Filter").click()
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_role("button", name="Priya").click()
        page.get_by_role("button", name="Log out").click()
        expect(page).to_have_url(f"{live_server.url}/account/login/?next=/")
