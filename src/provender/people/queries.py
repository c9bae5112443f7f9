"""Reading who works for a wholesaler, and who is invited."""

from django.db.models import QuerySet

from provender.basics import clock
from provender.people.models import Invitation, Membership, User
from provender.suppliers.models import Supplier


def memberships_of(user: User) -> QuerySet[Membership]:
    """Where that person may work, with the wholesaler, by its name; closed ones are left out."""
    return user.memberships.filter(supplier__closed_at=None).select_related("supplier").order_by("supplier__name")


def members_of(supplier: Supplier) -> QuerySet[Membership]:
    """Everybody with a role at the wholesaler, with the user."""
    return supplier.memberships.select_related("user")


def open_invitations(supplier: Supplier) -> QuerySet[Invitation]:
    """Links that still work, newest first, with who invited."""
    waiting = supplier.invitations.filter(used_at=None, expires_at__gt=clock.now())
    return waiting.select_related("invited_by").order_by("-made_at")
