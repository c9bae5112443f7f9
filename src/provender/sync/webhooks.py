"""What Xero's webhook tells: kept once each, and read soon. It says that something changed, never what.

An event may come twice, late, out of order, or not at all; all it does is make a reading (`poll`) come sooner.
"""

import base64
import hmac
import logging
from functools import partial
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction

from provender import engine
from provender.basics import clock
from provender.sync.models import Event
from provender.sync.poll import POLL

log = logging.getLogger(__name__)


def is_signed(body: bytes, signature: str) -> bool:
    """Whether these very bytes were signed with our webhook's key; as long for a wrong signature as for a right one."""
    right = base64.b64encode(hmac.digest(settings.XERO_WEBHOOK_KEY.encode(), body, "sha256"))
    return bool(settings.XERO_WEBHOOK_KEY) and hmac.compare_digest(right, signature.encode(errors="replace"))


def hear(body: bytes) -> int:
    """Keep the events of a signed body, of whatever kind, and wake the reading. Returns how many it names.

    Nothing in it can make this fail: Xero would send it again for a day, and then send nothing any more.
    """
    try:
        told = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        log.warning("A signed webhook body isn't JSON")
        return 0
    events = told.get("events") if isinstance(told, dict) else None
    rows = [_event(one) for one in events or [] if isinstance(one, dict)] if isinstance(events, list) else []
    if rows:
        with transaction.atomic():
            Event.objects.bulk_create(rows, ignore_conflicts=True, batch_size=200)
            transaction.on_commit(partial(engine.wake, POLL), robust=True)
    return len(rows)


def _event(one: dict[str, Any]) -> Event:
    return Event(
        tenant=_text(one, "tenantId", 36),
        category=_text(one, "eventCategory", 40).upper(),
        kind=_text(one, "eventType", 40).upper(),
        resource=_text(one, "resourceId", 36),
        happened=_text(one, "eventDateUtc", 40),
        received_at=clock.database_now(),
    )


def _text(one: dict[str, Any], name: str, longest: int) -> str:
    value = one.get(name)
    return "" if value is None else str(value).replace("\0", "")[:longest]
