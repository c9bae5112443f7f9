"""What a person does about tracking in Xero: read it, choose an option there, add or restore what is lacking.

What mends tracking lets all that waited for it be tried again.
"""

from uuid import uuid4

from django.db import transaction

from provender.people.models import User
from provender.properties.models import Option, Property
from provender.sync.actions import send_again
from provender.sync.errors import ProblemGone, TrackingRefused
from provender.sync.mirror import read_tracking
from provender.sync.models import Connection, Problem, TrackingOption
from provender.sync.session import Session, asking_for_a_person
from provender.sync.tracking import (
    ACTIVE,
    ADD_CATEGORY,
    ADD_OPTION,
    MISSING,
    RESTORE_CATEGORY,
    RESTORE_OPTION,
    Tracking,
    bind_anew,
    bind_option,
    make_properties,
)
from provender.timeline.actions import tell


def reload_tracking(connection: Connection) -> None:
    """Read the tracking categories again: one call. Raises XeroBusy, NeedsReconnecting."""
    with asking_for_a_person(connection) as session:
        read_tracking(session, person=True)


def properties_from_xero(connection: Connection, by: User | None) -> list[Property]:
    """Read the tracking categories, and make or refresh a property with its options for each: one call."""
    reload_tracking(connection)
    return make_properties(connection, by=by)


@transaction.atomic
def choose_option(
    connection: Connection, option: Option, xero_id: str, by: User | None, *, shown: str | None = None
) -> int:
    """This option of ours is that option in Xero; what waited for it is tried again. Returns how many.

    Raises what `bind_option` raises.
    """
    bind_option(connection, option, xero_id, by=by, shown=shown)
    return send_again(connection, MISSING, by)


def add_option(connection: Connection, option: Option, by: User | None) -> int:
    """Add our option to its tracking category in Xero, unless it is there by now; what waited is tried again.

    Returns how many. Two or three calls. Raises TrackingRefused (archived there), XeroBusy, XeroRefused.
    """
    its = option.property
    with asking_for_a_person(connection) as session:
        category, theirs = _twin_of(session, option)
        if theirs and theirs.status != ACTIVE:
            raise TrackingRefused(f"“{theirs.name}” is archived in Xero. Restore it, or choose another option.")
        if theirs is None:
            added = session.client.add_tracking_option(category, option.name, key=str(uuid4()))
            read_tracking(session, person=True)
            bind_option(connection, option, added.tracking_option_id or "", by=by)  # it may have been another, deleted
    tell(connection.supplier, "connection", connection.pk, f"Added {option.name} to {its.name} in Xero", who=by)
    return send_again(connection, MISSING, by)


def restore_option(connection: Connection, option: Option, by: User | None) -> int:
    """Make the archived option in Xero that ours stands for active again; what waited is tried again.

    Returns how many. Two or three calls. Raises TrackingRefused (not there any more), XeroBusy, XeroRefused.
    """
    its = option.property
    with asking_for_a_person(connection) as session:
        category, theirs = _twin_of(session, option)
        if theirs is None:
            raise TrackingRefused(f"{option.name} is no longer in Xero at all. Add it there, or choose another option.")
        if theirs.status != ACTIVE:
            session.client.restore_tracking_option(category, theirs.option_id, theirs.name, key=str(uuid4()))
            read_tracking(session, person=True)
    tell(connection.supplier, "connection", connection.pk, f"Restored {theirs.name} of {its.name} in Xero", who=by)
    return send_again(connection, MISSING, by)


def _twin_of(session: Session, option: Option) -> tuple[str, TrackingOption | None]:
    """The category of that option in Xero, and the option there that it stands for, as both are this moment."""
    read_tracking(session, person=True)
    its, state = option.property, Tracking.load(session.connection)
    if str(its.pk) not in state.bound:
        raise TrackingRefused(f"{its.name} is no tracking category. Bind it to one first.")
    if trouble := state.category_lacking(str(its.pk), its.name):
        raise TrackingRefused(f"Nothing was done: {trouble.what}. Mend that first.")
    category = state.bound[str(its.pk)]
    there = session.connection.tracking_options.filter(category_id=category)
    return category, there.filter(option_id=state.chosen.get(str(option.pk), "")).exclude(status="DELETED").first()


def add_category(connection: Connection, its: Property, by: User | None) -> int:
    """Add the tracking category that a property's tag asks for in Xero, with the options that are offered here.

    So is one in place of a category that was deleted there. Bound, it is in step, and what waited is tried again;
    returns how many. Three calls and one an option; cut off, the options that are missing are added one by one. Raises
    TrackingRefused (Xero has its two, or has that name), XeroBusy, XeroRefused.
    """
    with asking_for_a_person(connection) as session:
        read_tracking(session, person=True)
        if name := Tracking.load(connection).category_to_add(its):
            made = session.client.add_tracking_category(name, key=str(uuid4())).tracking_category_id or ""
            bind_anew(connection, its, made)
            for option in its.options.filter(active=True):
                session.client.add_tracking_option(made, option.name, key=str(uuid4()))
            read_tracking(session, person=True)
    tell(connection.supplier, "connection", connection.pk, f"Added the tracking category {name or its.name}", who=by)
    return send_again(connection, MISSING, by)


def restore_category(connection: Connection, its: Property, by: User | None) -> int:
    """Make the archived category in Xero that a property is active again; what waited is tried again.

    Returns how many. Two or three calls. Raises TrackingRefused (Xero has two active ones, or has it no more),
    XeroBusy, XeroRefused.
    """
    with asking_for_a_person(connection) as session:
        read_tracking(session, person=True)
        state = Tracking.load(connection)
        theirs = state.categories.get(state.bound.get(str(its.pk), ""))
        if theirs is None:
            raise TrackingRefused(f"The tracking category of {its.name} is no longer in Xero. Choose another category.")
        if theirs.status != ACTIVE:
            state.refuse_a_third()
            session.client.restore_tracking_category(theirs.category, theirs.name, key=str(uuid4()))
            read_tracking(session, person=True)
    tell(connection.supplier, "connection", connection.pk, f"Restored the tracking category {theirs.name}", who=by)
    return send_again(connection, MISSING, by)


OF_OPTIONS = {ADD_OPTION: add_option, RESTORE_OPTION: restore_option}
OF_CATEGORIES = {ADD_CATEGORY: add_category, RESTORE_CATEGORY: restore_category}


def mend_tracking(problem: Problem, by: User | None) -> None:
    """Add or restore in Xero what the problem says is lacking there; all that waited for tracking is tried again.

    Raises ProblemGone when the option or the property is no longer here, and what adding or restoring raises.
    """
    connection, do, which = problem.connection, problem.words.get("do"), problem.words.get("which")
    options = Option.objects.filter(property__supplier=connection.supplier_id).select_related("property")
    if do in OF_OPTIONS and (option := options.filter(pk=which).first()):
        OF_OPTIONS[do](connection, option, by)
    elif do in OF_CATEGORIES and (its := connection.supplier.properties.filter(pk=which).first()):
        OF_CATEGORIES[do](connection, its, by)
    else:
        raise ProblemGone
