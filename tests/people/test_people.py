"""One-time links, roles, and the owner who must stay."""

from datetime import timedelta

import pytest

import cast
from provender.basics import clock
from provender.people import actions, errors
from provender.people.models import Invitation, Membership, User
from provender.people.queries import open_invitations
from provender.people.roles import Doing, Role

PASSWORD = "quinces and thyme"


@pytest.fixture
def priya(supplier):
    return cast.person("priya", supplier)


def membership(user):
    return Membership.objects.get(user=user)


def test_a_link_lets_its_person_in_with_the_role(supplier, priya):
    secret = actions.invite(supplier, "nora@example.test", Role.STAFF, priya)
    nora = actions.accept(secret, "", "Nora", PASSWORD)
    assert (nora.email, nora.name, nora.check_password(PASSWORD)) == ("nora@example.test", "Nora", True)
    assert membership(nora).may(Doing.TRADE)
    assert not membership(nora).may(Doing.RUN)


def test_the_first_users_link_takes_the_address_they_type(supplier):
    secret = actions.invite(supplier, "", Role.OWNER, None)
    assert actions.accept(secret, "Priya@Example.test", "Priya", PASSWORD).email == "Priya@example.test"


def test_an_invitation_to_an_address_keeps_it(supplier, priya):
    secret = actions.invite(supplier, "nora@example.test", Role.STAFF, priya)
    assert actions.accept(secret, "thief@example.test", "Nora", PASSWORD).email == "nora@example.test"


def test_only_a_hash_of_the_secret_is_kept(supplier):
    secret = actions.invite(supplier, "", Role.OWNER, None)
    assert secret not in str(Invitation.objects.values().get())


def test_a_link_works_once(supplier):
    secret = actions.invite(supplier, "", Role.OWNER, None)
    actions.accept(secret, "a@example.test", "A", PASSWORD)
    with pytest.raises(errors.LinkUsed):
        actions.accept(secret, "b@example.test", "B", PASSWORD)


def test_a_link_expires(supplier):
    secret = actions.invite(supplier, "", Role.OWNER, None)
    with clock.moved(actions.LINK_LASTS - timedelta(minutes=1)):
        assert actions.find_invitation(secret).supplier == supplier
    with clock.moved(actions.LINK_LASTS), pytest.raises(errors.LinkExpired):
        actions.find_invitation(secret)


def test_a_made_up_link_is_refused(db):
    with pytest.raises(errors.LinkUnknown):
        actions.find_invitation("made-up")


def test_a_second_invitation_replaces_the_first(supplier, priya):
    first = actions.invite(supplier, "nora@example.test", Role.OWNER, priya)
    actions.invite(supplier, "Nora@example.test", Role.READER, priya)
    with pytest.raises(errors.LinkUnknown):
        actions.find_invitation(first)
    assert open_invitations(supplier).get().role == Role.READER


def test_a_withdrawn_link_is_unknown(supplier, priya):
    secret = actions.invite(supplier, "nora@example.test", Role.STAFF, priya)
    actions.withdraw(open_invitations(supplier).get())
    with pytest.raises(errors.LinkUnknown):
        actions.find_invitation(secret)


def test_somebody_with_a_login_joins_instead_of_accepting(supplier, priya):
    theo = User.objects.create_user("theo@example.test", PASSWORD)
    secret = actions.invite(supplier, "theo@example.test", Role.BOOKKEEPER, priya)
    with pytest.raises(errors.AddressTaken):
        actions.accept(secret, "", "Theo", PASSWORD)
    assert actions.join(secret, theo).may(Doing.BOOKS)


def test_an_invitation_is_nobody_elses(supplier, priya):
    mallory = User.objects.create_user("mallory@example.test", PASSWORD)
    secret = actions.invite(supplier, "nora@example.test", Role.OWNER, priya)
    with pytest.raises(errors.LinkForSomebodyElse):
        actions.join(secret, mallory)
    assert not mallory.memberships.exists()


def test_a_member_is_not_invited_again(supplier, priya):
    with pytest.raises(errors.AlreadyMember):
        actions.invite(supplier, priya.email.upper(), Role.STAFF, priya)
    secret = actions.invite(supplier, "", Role.STAFF, priya)
    with pytest.raises(errors.AlreadyMember):
        actions.join(secret, priya)


def test_the_last_owner_stays_owner(supplier, priya):
    with pytest.raises(errors.LastOwner):
        actions.change_role(membership(priya), Role.READER)
    with pytest.raises(errors.LastOwner):
        actions.remove(membership(priya))


def test_one_of_two_owners_may_go(supplier, priya):
    mai = cast.person("mai", supplier)
    actions.change_role(membership(mai), Role.OWNER)
    actions.remove(membership(priya))
    assert [m.user for m in supplier.memberships.all()] == [mai]
    assert User.objects.filter(pk=priya.pk).exists()
