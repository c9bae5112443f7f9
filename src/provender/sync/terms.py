"""Payment terms of contacts: as our days where they are days, and followed by customers where the setting says so."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from provender.basics.transactions import short_transaction
from provender.customers.actions import follow_terms_of
from provender.customers.models import Customer, FollowedTerms
from provender.customers.queries import LAST_DAY
from provender.sync.failpoints import Failpoint, reach
from provender.sync.models import Connection, Contact, Link

KINDS = {
    "DAYSAFTERBILLDATE": FollowedTerms.AFTER_INVOICE,
    "DAYSAFTERBILLMONTH": FollowedTerms.AFTER_MONTH,
    "OFCURRENTMONTH": FollowedTerms.THIS_MONTH,
    "OFFOLLOWINGMONTH": FollowedTerms.NEXT_MONTH,
}
OF_A_MONTH = frozenset({FollowedTerms.THIS_MONTH, FollowedTerms.NEXT_MONTH})
FOLLOW = "follow-terms"  # the engine's job; config registers it
LONGEST = 365  # days that terms of ours may have
BATCH = 200  # customers in a transaction, which must be short

Terms = tuple[str, int]  # (FollowedTerms, its day); ("", 0): none


def read_terms(kind: str, day: int | None) -> Terms | None:
    """A contact's terms as a customer can follow them, or None when there are none, or none that make sense."""
    terms = KINDS.get(kind)
    if terms is None or day is None:
        return None
    fits = 1 <= day <= LAST_DAY if terms in OF_A_MONTH else 0 <= day <= LONGEST
    return (terms.value, day) if fits else None


def as_days(terms: Terms | None) -> int | None:
    """The days that a customer's own terms can have, or None: only days after the invoice are that."""
    return terms[1] if terms and terms[0] == FollowedTerms.AFTER_INVOICE else None


def keep_terms(connection: Connection, customers: Collection[UUID] | None = None) -> int:
    """Bring the terms that customers follow in step with their contacts' in our mirror; answers how many changed.

    Of all customers unless some are named. With the setting off, or disconnected, none are followed.
    """
    theirs = _terms_of_contacts(connection, customers) if _follows(connection) else {}
    ours = Customer.objects.filter(supplier=connection.supplier_id)
    ours = ours.filter(pk__in=customers) if customers is not None else ours
    if not theirs:
        ours = ours.exclude(followed_terms="")
    moved: dict[Terms, list[UUID]] = defaultdict(list)
    for pk, terms, day in ours.values_list("pk", "followed_terms", "followed_day"):
        if (wanted := theirs.get(pk, ("", 0))) != (terms, day):
            moved[wanted].append(pk)
    for (terms, day), ids in moved.items():
        for start in range(0, len(ids), BATCH):
            with short_transaction():
                follow_terms_of(connection.supplier, ids[start : start + BATCH], terms, day)
            reach(Failpoint.MIRRORED)
    return sum(map(len, moved.values()))


def _follows(connection: Connection) -> bool:
    return connection.follow_terms and connection.state != Connection.State.DISCONNECTED


def _terms_of_contacts(connection: Connection, customers: Collection[UUID] | None) -> dict[UUID, Terms]:
    links = Link.objects.filter(connection=connection, kind="contact")
    links = links.filter(document__in=customers) if customers is not None else links
    linked = dict(links.values_list("xero_id", "document"))
    rows = Contact.objects.filter(connection=connection).exclude(terms="")
    rows = rows.filter(contact_id__in=list(linked)) if customers is not None else rows
    found = {}
    for contact, kind, day in rows.values_list("contact_id", "terms", "terms_day"):
        if contact in linked and (terms := read_terms(kind, day)):
            found[linked[contact]] = terms
    return found
