"""The token set of a consent: refreshed by one at a time under a committed lease, outside any transaction.

A refresh rotates the refresh token. If the answer is lost, or we die before it is saved, the token that we hold is the
previous one at Xero, which works for 30 minutes more: the next try costs nothing. Should the newest be refused, the
one before it is tried once, within its grace.

When Xero refuses our app itself, by its id or its secret, the consent is as good as before: nothing ends, its
connections are marked (`Connection.app_refused_at`), and the next try with the right ones heals them.
"""

import os
import secrets
import time
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import msgspec
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from provender.basics import clock
from provender.sync.failpoints import Failpoint, reach
from provender.sync.models import ConnectAttempt, Connection, Consent
from provender.sync.secrets import seal, seal_again, unseal
from provender.xero import App, Endpoints, Login, NotConnected, OutcomeUnknown, TokenSet, TryLater

EARLY = timedelta(seconds=90)  # refreshed so long before it ends that a call of 30 seconds can't outlive it
REFRESH_LEASE = timedelta(seconds=60)
GRACE = timedelta(minutes=30)
APP_REFUSED = "app-refused"  # the problem of a TryLater: it lies at our settings, and not at any consent
APP_RESTS = timedelta(seconds=60)
CALLBACK_PATH = "/xero/callback"


class TokensUnreadable(NotConnected):
    """None of our keys opens the tokens that are kept: to Xero we are still welcome, but have nothing to show."""

    def __init__(self) -> None:
        super().__init__("invalid_grant", "no key opens its tokens")


class _RefusedApp:
    """The id and secret that Xero refused last, and when, in this process: started with others it asks at once."""

    what: tuple[str, str] | None = None
    at = datetime.min.replace(tzinfo=UTC)


class Tokens(msgspec.Struct):
    """What is encrypted in `Consent.tokens`."""

    access: str
    refresh: str
    previous: str = ""
    rotated_at: datetime | None = None


def endpoints() -> Endpoints:
    """Where Xero (or the simulator) is."""
    return Endpoints(settings.XERO_LOGIN_URL, settings.XERO_IDENTITY_URL, settings.XERO_API_URL)


def login() -> AbstractContextManager[Login]:
    """Our app at Xero, ready to log in; closed at the end of the block."""
    from provender.sync.session import transport

    app = App(
        settings.XERO_CLIENT_ID,
        settings.XERO_CLIENT_SECRET or None,
        settings.PUBLIC_URL + CALLBACK_PATH,
        settings.XERO_SCOPES,
    )
    return closing(Login(endpoints(), app, transport=transport(), now=clock.now))


def save_tokens(token: TokenSet) -> Consent:
    """Keep a new consent's tokens; the same user's earlier set is replaced, since it fights with this one."""
    sealed = seal(msgspec.json.encode(Tokens(token.access_token, token.refresh_token or "")))
    consent, _ = Consent.objects.update_or_create(
        client_id=settings.XERO_CLIENT_ID,
        xero_user=token.user_id,
        defaults={
            "tokens": sealed,
            "expires_at": token.expires_at,
            "scopes": token.scope,
            "refresh_owner": "",
            "refresh_until": None,
            "ended_at": None,
        },
    )
    return consent


def access_token(consent_id: int, *, not_this: str = "") -> str:
    """A token that works for the next minute; refreshes when needed, or when `not_this` is what Xero just refused.

    Raises NotConnected when the consent has ended, TryLater while another is refreshing, the answer was lost, or Xero
    refuses our app.
    """
    for _ in range(20):
        consent = Consent.objects.get(pk=consent_id)
        if consent.ended_at:
            raise NotConnected("invalid_grant", "the consent has ended")
        held = _open(consent)
        now = clock.database_now()
        if consent.expires_at - EARLY > now and held.access != not_this:
            return held.access
        if _app_rests(consent):
            _note_app_refused(consent, now)
        owner = f"{os.getpid()}:{secrets.token_hex(8)}"
        if _take_refresh_lease(consent_id, owner, now):
            reach(Failpoint.TOKEN_LEASED)
            return _refresh(consent, held, owner)
        time.sleep(0.25)  # another worker is at it: its answer will do for us
    raise TryLater(5, "token")


def _open(consent: Consent) -> Tokens:
    try:
        return msgspec.json.decode(unseal(consent.tokens), type=Tokens)
    except InvalidToken as error:
        raise TokensUnreadable from error


def _take_refresh_lease(consent_id: int, owner: str, now: datetime) -> bool:
    free = Consent.objects.filter(Q(refresh_until=None) | Q(refresh_until__lte=now), pk=consent_id)
    return bool(free.update(refresh_owner=owner, refresh_until=now + REFRESH_LEASE))


def _refresh(consent: Consent, held: Tokens, owner: str) -> str:
    try:
        token = _ask(held, clock.database_now())
    except OutcomeUnknown as fault:
        _give_back(consent, owner)
        raise TryLater(10, "token") from fault
    except TryLater:
        _give_back(consent, owner)
        raise
    except NotConnected as fault:
        if fault.reason == "invalid_grant":
            end_consent(consent.pk, owner)
        _give_back(consent, owner)
        if fault.reason == "client":
            _RefusedApp.what, _RefusedApp.at = _our_app(), clock.now()
            _note_app_refused(consent, clock.database_now())
        raise
    reach(Failpoint.TOKEN_ANSWERED)
    fresh = Tokens(token.access_token, token.refresh_token or held.refresh, held.refresh, clock.database_now())
    saved = Consent.objects.filter(pk=consent.pk, refresh_owner=owner).update(
        tokens=seal(msgspec.json.encode(fresh)),
        expires_at=token.expires_at,
        scopes=token.scope or consent.scopes,
        refresh_owner="",
        refresh_until=None,
    )
    reach(Failpoint.TOKEN_SAVED)
    Connection.objects.filter(consent=consent.pk).exclude(app_refused_at=None).update(app_refused_at=None)
    if not saved:  # a new consent replaced this one meanwhile, or our lease ran out: what is stored now counts
        return access_token(consent.pk)
    return token.access_token


def _ask(held: Tokens, now: datetime) -> TokenSet:
    """Refresh with the newest token, and with the one before it while Xero still honours that."""
    with login() as xero:
        try:
            return xero.refresh(held.refresh)
        except NotConnected as fault:
            graced = held.previous and held.rotated_at and now - held.rotated_at < GRACE
            if fault.reason != "invalid_grant" or not graced:
                raise
        return xero.refresh(held.previous)


def _our_app() -> tuple[str, str]:
    return settings.XERO_CLIENT_ID, settings.XERO_CLIENT_SECRET


def _app_rests(consent: Consent) -> bool:
    """Whether asking would be in vain: it isn't the app that was consented to, or Xero has just refused it."""
    if consent.client_id != settings.XERO_CLIENT_ID:
        return True
    return _RefusedApp.what == _our_app() and timedelta(0) <= clock.now() - _RefusedApp.at < APP_RESTS


def _note_app_refused(consent: Consent, now: datetime) -> NoReturn:
    """Mark what stands on the consent; it heals by itself. Raises TryLater."""
    Connection.objects.filter(consent=consent.pk, app_refused_at=None).update(app_refused_at=now)
    raise TryLater(APP_RESTS.total_seconds(), APP_REFUSED)


def _give_back(consent: Consent, owner: str) -> None:
    Consent.objects.filter(pk=consent.pk, refresh_owner=owner).update(refresh_owner="", refresh_until=None)


@transaction.atomic
def end_consent(consent_id: int, owner: str) -> None:
    """Xero no longer honours it: its connections need a person. Only the holder of the refresh lease may say so."""
    now = clock.database_now()
    if not Consent.objects.filter(pk=consent_id, refresh_owner=owner).update(ended_at=now):
        return
    Connection.objects.filter(consent=consent_id, state=Connection.State.CONNECTED).update(
        state=Connection.State.NEEDS_RECONNECTING,
        state_why="Xero no longer accepts the consent; it ended or was revoked",
    )


def forget_unused() -> None:
    """Forget the tokens of consents that no connection stands on, nor anybody on the way to one."""
    underway = ConnectAttempt.objects.filter(consent=OuterRef("pk"))
    Consent.objects.filter(~Exists(underway), connections=None).delete()


def rotate_keys() -> int:
    """Encrypt every stored token under the newest key. Returns how many."""
    count = 0
    for consent in Consent.objects.only("tokens"):
        sealed = bytes(consent.tokens)
        count += Consent.objects.filter(pk=consent.pk, tokens=sealed).update(tokens=seal_again(sealed))
    return count
