"""Connecting an organisation, disconnecting it, and coming back: OAuth 2 from the person's side.

`begin` remembers what must come back; `finish` takes Xero's answer; `choose` makes the connection. The same
organisation again finds its links and settings as they were; another one starts empty, since ids are never reused.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from provender.basics import clock
from provender.people.models import User
from provender.suppliers.models import Supplier
from provender.sync.choices import propose
from provender.sync.connections import connection_of, live_connections
from provender.sync.errors import (
    AlreadyConnected,
    AppNotSetUp,
    AppRefused,
    CodeRefused,
    ConsentCancelled,
    NoOrganisation,
    OrganisationTaken,
    StateUnknown,
    XeroBusy,
)
from provender.sync.mirror import read_chart
from provender.sync.models import ConnectAttempt, Connection, Consent
from provender.sync.secrets import seal, unseal
from provender.sync.session import asking_for_a_person
from provender.sync.terms import keep_terms
from provender.sync.tokens import access_token, login, save_tokens
from provender.timeline.actions import tell
from provender.xero import Fault, NotConnected, Refused, Tenant, TokenSet, new_state, new_verifier

ATTEMPT_LIVES = timedelta(minutes=30)
STORY = "connection"


def begin(supplier: Supplier, by: User | None) -> str:
    """The address of Xero's consent page for this wholesaler. Raises AppNotSetUp."""
    if not settings.XERO_CLIENT_ID:
        raise AppNotSetUp
    state = new_state()
    verifier = None if settings.XERO_CLIENT_SECRET else new_verifier()
    ConnectAttempt.objects.filter(began_at__lt=clock.now() - timedelta(days=1)).delete()
    ConnectAttempt.objects.create(
        state=state,
        supplier=supplier,
        user=by,
        verifier=seal(verifier.encode()) if verifier else None,
        began_at=clock.now(),
    )
    with login() as xero:
        return xero.authorise_url(state, verifier)


def prove_app() -> None:
    """Ask Xero for tokens with what can't be any: it looks at the app first. Raises AppRefused, XeroBusy."""
    with login() as xero:
        try:
            xero.refresh("none")
        except NotConnected as fault:
            if fault.reason == "client":
                raise AppRefused from fault
        except Fault as fault:
            raise XeroBusy("it gave no answer about the app") from fault


def finish(params: Mapping[str, str], by: User | None) -> ConnectAttempt:
    """Take what came back from the consent page; the attempt then lists the organisations to choose from.

    Raises StateUnknown, ConsentCancelled, CodeRefused, AppRefused, NoOrganisation, XeroBusy. The state works once, for
    the person who began, within half an hour.
    """
    attempt = _attempt(params.get("state", ""), by)
    if error := params.get("error"):
        raise ConsentCancelled(error)
    if not params.get("code"):
        raise ConsentCancelled("no code")
    verifier = unseal(attempt.verifier).decode() if attempt.verifier else None
    token, tenants = _exchange(params["code"], verifier)
    attempt.consent = save_tokens(token)
    attempt.tenants = [_choice(tenant, attempt.supplier) for tenant in tenants if tenant.tenant_type == "ORGANISATION"]
    attempt.save(update_fields=["consent", "tenants"])
    if not attempt.tenants:
        raise NoOrganisation
    return attempt


def _attempt(state: str, by: User | None) -> ConnectAttempt:
    alive = ConnectAttempt.objects.filter(state=state, user=by, used_at=None, began_at__gt=clock.now() - ATTEMPT_LIVES)
    if not state or not alive.update(used_at=clock.now()):
        raise StateUnknown
    return ConnectAttempt.objects.select_related("supplier").get(state=state)


def _exchange(code: str, verifier: str | None) -> tuple[TokenSet, list[Tenant]]:
    try:
        with login() as xero:
            token = xero.exchange(code, verifier)
            tenants = xero.tenants(token.access_token, token.authentication_event_id)
            # A consent that was given before connects nothing new: then all of this user's organisations are offered.
            return token, tenants or xero.tenants(token.access_token)
    except NotConnected as fault:
        raise (AppRefused if fault.reason == "client" else CodeRefused) from fault
    except Refused as fault:
        raise CodeRefused from fault
    except Fault as fault:
        raise XeroBusy("the answer to the consent was lost") from fault


def _choice(tenant: Tenant, supplier: Supplier) -> dict[str, Any]:
    return {
        "tenant_id": tenant.tenant_id,
        "name": tenant.tenant_name,
        "connection_id": tenant.connection_id,
        "taken": _is_taken(tenant.tenant_id, supplier),
    }


def _is_taken(tenant_id: str, supplier: Supplier) -> bool:
    return live_connections().filter(tenant=tenant_id).exclude(supplier=supplier).exists()


def choose(attempt: ConnectAttempt, tenant_id: str, by: User | None) -> Connection:
    """Connect the wholesaler to that organisation and read its chart. Raises OrganisationTaken, AlreadyConnected."""
    tenant = next((one for one in attempt.tenants if one["tenant_id"] == tenant_id), None)
    if tenant is None or attempt.consent is None:
        raise NoOrganisation
    supplier = attempt.supplier
    other = connection_of(supplier)
    if other is not None and other.tenant != tenant_id:
        raise AlreadyConnected(other.organisation)
    try:
        connection = _connect(supplier, attempt.consent, tenant, by)
    except IntegrityError:
        raise OrganisationTaken(tenant["name"]) from None
    with asking_for_a_person(connection) as session:
        read_chart(session)
    if connection.settings_saved_at is None:
        _apply_proposals(connection)
    keep_terms(connection)
    return connection


@transaction.atomic
def _connect(supplier: Supplier, consent: Consent, tenant: Mapping[str, str], by: User | None) -> Connection:
    if _is_taken(tenant["tenant_id"], supplier):
        raise OrganisationTaken(tenant["name"])
    connection, new = Connection.objects.update_or_create(
        supplier=supplier,
        tenant=tenant["tenant_id"],
        defaults={
            "state": Connection.State.CONNECTED,
            "state_why": "",
            "consent": consent,
            "xero_connection": tenant["connection_id"],
            "organisation": tenant["name"],
            "connected_at": clock.now(),
            "connected_by": by,
            "contacts_read_at": None,  # what changed while we were away, deletions included, shows in a full read
            "app_refused_at": None,
            "drain_after": None,
            "drain_why": "",
            "parked_until": None,
        },
    )
    tell(supplier, STORY, connection.pk, "Connected to Xero" if new else "Reconnected to Xero", who=by)
    return connection


def _apply_proposals(connection: Connection) -> None:
    """What a new connection starts with, until somebody saves the settings."""
    proposed = propose(connection)
    for field, value in proposed.items():
        setattr(connection, field, value)
    connection.save(update_fields=list(proposed))


def disconnect(connection: Connection, by: User | None) -> None:
    """End the connection at Xero and here; links and settings stay for a reconnection to the same organisation.

    When Xero can't be asked, it is ended here all the same: nothing more is sent.
    """
    if connection.state == Connection.State.CONNECTED and connection.consent_id and connection.xero_connection:
        try:
            with login() as xero:
                xero.disconnect(access_token(connection.consent_id), connection.xero_connection)
        except Fault as fault:
            tell(
                connection.supplier, STORY, connection.pk, "Xero couldn't be told of the disconnection", why=str(fault)
            )
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(
            state=Connection.State.DISCONNECTED, state_why="", consent=None, xero_connection="", app_refused_at=None
        )
        if connection.consent_id is not None:
            Consent.objects.filter(pk=connection.consent_id, connections=None).delete()
        tell(connection.supplier, STORY, connection.pk, "Disconnected from Xero", who=by)
    connection.refresh_from_db()
    keep_terms(connection)
