"""Coming in: login and its limits, reset, second step, one-time links; and what the answers say to the browser."""

import errno
import re

import pytest
from django.core import mail
from django.db import OperationalError, ProgrammingError
from django.test import Client

import cast
from provender.people.actions import invite
from provender.people.models import User
from provender.people.roles import Role
from provender.timeline.queries import story

PASSWORD = "oat milk and rye"  # the cast's


@pytest.fixture
def mai(supplier):
    return cast.person("mai", supplier)


def log_in(client, email="mai@example.test", password=PASSWORD):
    return client.post("/account/login/", {"login": email, "password": password})


def test_login_leads_to_ones_only_wholesaler(client, mai):
    assert log_in(client, "Mai@Example.test").headers["location"] == "/"
    assert client.get("/").headers["location"] == "/w/harbour/"


def test_a_wrong_password_says_nothing_about_the_address(client, mai):
    wrong = log_in(client, password="guess").context["form"].errors
    unknown = log_in(client, "nobody@example.test", "guess").context["form"].errors
    assert wrong == unknown != {}


def test_guessing_is_stopped(client, mai):
    for _ in range(5):
        log_in(client, password="guess")
    stopped = log_in(client)
    assert stopped.status_code == 200
    assert "Too many failed login attempts" in stopped.text


def test_nobody_signs_up(client, db):
    page = client.post("/account/signup/", {"email": "eve@example.test", "password1": PASSWORD, "password2": PASSWORD})
    assert "By invitation only" in page.text
    assert not User.objects.exists()


def test_log_out_takes_a_form(client, mai):
    client.force_login(mai)
    assert "Log out?" in client.get("/account/logout/").text
    client.post("/account/logout/")
    assert client.get("/w/harbour/people").status_code == 302


def test_a_forgotten_password_is_reset_by_mail(client, mai, settings):
    settings.PUBLIC_URL = "https://desk.example.test"
    client.post("/account/password/reset/", {"email": mai.email}, headers={"host": "localhost"})
    link = re.search(r"https://desk\.example\.test(\S+)", mail.outbox[0].body)[1]
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": "barley and quince", "password2": "barley and quince"})
    mai.refresh_from_db()
    assert mai.check_password("barley and quince")


def test_a_reset_for_an_unknown_address_looks_the_same(client, db):
    answer = client.post("/account/password/reset/", {"email": "nobody@example.test"})
    assert answer.headers["location"] == "/account/password/reset/done/"
    assert "no login here has that address" in mail.outbox[0].body


def test_changing_the_password_keeps_this_session_and_ends_the_others(mai):
    here, elsewhere = Client(), Client()
    for browser in (here, elsewhere):
        browser.force_login(mai)
    new = {"oldpassword": PASSWORD, "password1": "barley and quince", "password2": "barley and quince"}
    here.post("/account/password/change/", new)
    assert here.get("/w/harbour/people").status_code == 200
    assert elsewhere.get("/w/harbour/people").status_code == 302


def test_the_second_step_is_asked_for_and_its_secret_is_encrypted(client, mai):
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time

    log_in(client)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    secret = client.get("/account/2fa/totp/activate/").context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    client.post("/account/2fa/totp/activate/", {"code": code})
    kept = Authenticator.objects.get(user=mai, type=Authenticator.Type.TOTP)
    assert secret not in str(kept.data)
    assert TOTP(kept).validate_code(format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[-1])))
    assert log_in(Client()).headers["location"].startswith("/account/2fa/authenticate/")


def test_a_newcomer_comes_in_by_the_link(client, supplier):
    address = f"/join/{invite(supplier, 'nora@example.test', Role.STAFF, None)}"
    assert "nora@example.test" in client.get(address).text
    short = client.post(address, {"name": "Nora", "password": "short"})
    assert "at least 10 characters" in short.text
    assert 'value="Nora"' in short.text  # what was typed stays
    entered = client.post(address, {"name": "Nora", "password": "barley and quince"})
    assert entered.headers["location"] == "/w/harbour/"
    assert client.get("/w/harbour/people").status_code == 200
    assert story(supplier, "supplier", supplier.pk)[0].what == "Nora joined as Order desk"
    assert client.get(address).status_code == 410


def test_somebody_with_a_login_joins_a_second_wholesaler(client, mai):
    southern = cast.supplier("southern")
    client.force_login(mai)
    address = f"/join/{invite(southern, mai.email, Role.READER, None)}"
    assert "Southern Larder" in client.get(address).text
    assert client.post(address).headers["location"] == "/w/southern/"
    client.get("/w/southern/people")
    assert client.get("/").headers["location"] == "/w/southern/"  # the one looked at last


def test_of_several_wholesalers_one_chooses(client, mai):
    cast.supplier("southern").memberships.create(user=mai, role=Role.READER)
    client.force_login(mai)
    page = client.get("/")
    assert page.status_code == 200
    assert "Southern Larder" in page.text


def test_a_login_without_a_wholesaler_is_told_so(client, db):
    client.force_login(User.objects.create_user("lone@example.test", PASSWORD))
    assert "belongs to no wholesaler" in client.get("/").text


def test_the_browser_is_told_to_run_only_our_own(client, db):
    answer = client.get("/account/login/")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("kind", ["style", "onclick", "onload", "onsubmit"])
def test_no_template_holds_what_the_policy_refuses(kind):
    from provender.config.settings import PACKAGE

    pages = {page: page.read_text() for page in PACKAGE.glob("desk/templates/**/*.html")}
    assert not [page.name for page, text in pages.items() if re.search(rf"<[^>]+\s{kind}=", text)]
    assert not [page.name for page, text in pages.items() if re.search(r"<script(?![^>]*\ssrc=)|<style", text)]


def test_a_form_from_elsewhere_is_refused(mai):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(mai)
    refused = browser.post("/account/logout/")
    assert refused.status_code == 403
    assert "Please send that again" in refused.text


def test_pages_of_a_wholesaler_are_kept_by_nobody_on_the_way(mai):
    browser = Client()
    browser.force_login(mai)
    assert browser.get("/w/harbour/").headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(("address", "size"), [("/account/login/", 4_000_000), ("/w/harbour/imports/new", 200_000_000)])
def test_what_is_too_large_is_refused_unread(client, db, address, size):
    refused = client.post(address, b"", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=size)
    assert refused.status_code == 413
    assert "That is too large" in refused.text


def test_errors_have_pages_of_ours(client, db):
    missing = client.get("/nothing")
    assert missing.status_code == 404
    assert "There is nothing here" in missing.text
    assert 'href="/account/login/"' in missing.text


def test_a_host_that_is_not_ours_is_told_what_to_set(client, db):
    refused = client.get("/", headers={"host": "elsewhere.example"})
    assert refused.status_code == 400
    assert "PROVENDER_PUBLIC_URL" in refused.text
    assert "elsewhere.example" not in refused.text


def test_what_no_form_of_ours_sends_is_refused_in_words(mai):
    browser = Client()
    browser.force_login(mai)
    many = {f"field-{number}": "" for number in range(6_001)}
    refused = browser.post("/account/password/change/", many)
    assert refused.status_code == 400
    assert "couldn’t be understood" in refused.text


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_an_address_that_takes_only_forms_says_so(mai, accept):
    browser = Client()
    browser.force_login(mai)
    answer = browser.get("/w/harbour/categories/1/move", headers={"accept": accept})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert ("nothing to look at" in answer.text) == (accept == "text/html")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (OperationalError("no such table: people_user"), 503, "provender doctor"),
        (OSError(errno.ENOSPC, "No space left on device"), 503, "its disk just now"),
        (ProgrammingError("syntax error"), 500, "written in the log"),
        (ValueError("a mistake of ours"), 500, "written in the log"),
    ],
)
def test_a_database_or_disk_that_is_away_is_no_mistake_of_ours(client, db, settings, monkeypatch, error, status, said):
    def fail(*_asked):
        raise error

    settings.XERO_WEBHOOK_KEY = "key"
    monkeypatch.setattr("provender.sync.webhooks.is_signed", fail)
    client.raise_request_exception = False
    answer = client.post("/webhooks/xero", b"{}", content_type="application/json")
    assert answer.status_code == status
    assert said in answer.text
    assert answer.headers.get("retry-after") == ("30" if status == 503 else None)
