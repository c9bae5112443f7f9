"""Letting people in, changing their roles, letting them go.

What is told to the timeline about it is told by the screen: the timeline's room stands above this one.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta

from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.db.models import QuerySet

from provender.basics import clock
from provender.people.errors import (
    AddressTaken,
    AlreadyMember,
    LastOwner,
    LinkExpired,
    LinkForSomebodyElse,
    LinkUnknown,
    LinkUsed,
)
from provender.people.models import Invitation, Membership, User
from provender.people.roles import Role
from provender.suppliers.errors import SupplierClosed
from provender.suppliers.models import Supplier

LINK_LASTS = timedelta(days=7)


@transaction.atomic
def invite(supplier: Supplier, email: str, role: Role, by: User | None) -> str:
    """Make a one-time link and return its secret, which is kept nowhere: `/join/<secret>` is the address to open.

    `email` may be empty (the first user's link): then whoever opens it says who they are. An earlier link to the same
    address stops working. Raises AlreadyMember.
    """
    email = User.objects.normalize_email(email.strip())
    if email and supplier.memberships.filter(user__email__iexact=email).exists():
        raise AlreadyMember(email, supplier.name)
    if email:
        supplier.invitations.filter(email__iexact=email, used_at=None).delete()
    secret = secrets.token_urlsafe(32)
    Invitation.objects.create(
        supplier=supplier,
        email=email,
        role=Role(role),
        secret_hash=_hash(secret),
        invited_by=by,
        expires_at=clock.now() + LINK_LASTS,
    )
    return secret


def find_invitation(secret: str) -> Invitation:
    """The invitation that this link opens. Raises LinkUnknown, LinkUsed, LinkExpired, SupplierClosed."""
    invitation = Invitation.objects.select_related("supplier", "invited_by").filter(secret_hash=_hash(secret)).first()
    if invitation is None:
        raise LinkUnknown
    if invitation.used_at is not None:
        raise LinkUsed
    if invitation.expires_at <= clock.now():
        raise LinkExpired
    if invitation.supplier.closed_at:
        raise SupplierClosed(invitation.supplier.name)
    return invitation


@transaction.atomic
def accept(secret: str, email: str, name: str, password: str) -> User:
    """Take up an invitation as a new user, who gets the role. An invitation to an address keeps that address.

    The password is the caller's to check against the rules. Raises AddressTaken and what `find_invitation` raises.
    """
    invitation = find_invitation(secret)
    email = invitation.email or User.objects.normalize_email(email.strip())
    if User.objects.filter(email__iexact=email).exists():
        raise AddressTaken(email)
    _use(invitation)
    user = User.objects.create_user(email, password, name=name.strip())
    Membership.objects.create(supplier=invitation.supplier, user=user, role=invitation.role)
    return user


@transaction.atomic
def join(secret: str, user: User) -> Membership:
    """Take up an invitation as somebody who has a login. Raises LinkForSomebodyElse, AlreadyMember."""
    invitation = find_invitation(secret)
    if invitation.email and invitation.email.lower() != user.email.lower():
        raise LinkForSomebodyElse(invitation.email, user.email)
    if invitation.supplier.memberships.filter(user=user).exists():
        raise AlreadyMember(user.email, invitation.supplier.name)
    _use(invitation)
    return Membership.objects.create(supplier=invitation.supplier, user=user, role=invitation.role)


@transaction.atomic
def change_role(membership: Membership, role: Role) -> None:
    """Give a person another role. Raises LastOwner."""
    if role != Role.OWNER:
        _keep_an_owner(membership)
    membership.role = Role(role)
    membership.save(update_fields=["role"])


@transaction.atomic
def remove(membership: Membership) -> None:
    """End a person's work at the wholesaler; the login and what they did stay. Raises LastOwner."""
    _keep_an_owner(membership)
    membership.delete()


@transaction.atomic
def remove_everybody(supplier: Supplier, keep: Callable[[QuerySet[User]], QuerySet[User]]) -> int:
    """End everybody's work at a wholesaler that goes; answers how many logins go with it.

    A login stays if its person works elsewhere, or if `keep` names it of those who don't.
    """
    here = User.objects.filter(memberships__supplier=supplier, is_superuser=False)
    only_here = here.exclude(memberships__in=Membership.objects.exclude(supplier=supplier))
    leaving = list(only_here.exclude(pk__in=keep(only_here).values("pk")).values_list("pk", flat=True))
    supplier.memberships.all().delete()
    User.objects.filter(pk__in=leaving).delete()
    return len(leaving)


def forget_sessions() -> None:
    """Let go of log-ins that have run out."""
    SessionStore.clear_expired()


def withdraw(invitation: Invitation) -> None:
    """Make a link that wasn't used yet stop working."""
    Invitation.objects.filter(pk=invitation.pk, used_at=None).delete()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _use(invitation: Invitation) -> None:
    """Mark it used; of two who open the link at once, one gets in."""
    if not Invitation.objects.filter(pk=invitation.pk, used_at=None).update(used_at=clock.now()):
        raise LinkUsed


def _keep_an_owner(leaving: Membership) -> None:
    # Owners are locked where the database can, so that two owners can't remove each other at the same moment.
    owners = Membership.objects.select_for_update().filter(supplier=leaving.supplier, role=Role.OWNER)
    if [owner.pk for owner in owners.order_by("pk")] == [leaving.pk]:
        raise LastOwner(leaving.supplier.name)
