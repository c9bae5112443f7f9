"""Tracking: which of our properties is which tracking category in Xero, and which option is which.

Both are known by Xero's ids from the first time on, so a rename there changes nothing here. A property tagged
`xero_Region` finds its category by that name, its options by theirs; anything else is bound by hand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from provender.basics import clock
from provender.people.models import User
from provender.properties.actions import save_option, save_property, sync_options
from provender.properties.models import TRACKING_TAG, Option, Property
from provender.properties.queries import Carried
from provender.suppliers.models import Supplier
from provender.sync.connections import connection_of
from provender.sync.errors import TooManyCategories, TrackingMoved, TrackingRefused
from provender.sync.models import CategoryBinding, Connection, OptionBinding, TrackingCategory
from provender.timeline.actions import tell

MISSING = "tracking-missing"  # the cause of the Problem
MOST = 2  # Xero has at most two active tracking categories, and takes two on a line
ACTIVE = "ACTIVE"


ADD_OPTION, RESTORE_OPTION = "add-option", "restore-option"  # what would mend it in Xero
ADD_CATEGORY, RESTORE_CATEGORY = "add-category", "restore-category"


class _Theirs(NamedTuple):
    name: str
    status: str
    category: str


class Lacking(NamedTuple):
    """What Xero lacks, in a phrase; what would mend it there, if anything; and of which option or property."""

    what: str
    do: str = ""
    which: str = ""

    @property
    def words(self) -> dict[str, str]:
        """As a problem keeps it."""
        return self._asdict()


@dataclass(frozen=True)
class Tracking:
    """What is bound to what, with the state of both in Xero; loaded once for many documents."""

    bound: Mapping[str, str] = field(default_factory=dict)  # our property's id -> category id
    chosen: Mapping[str, str] = field(default_factory=dict)  # our option's id -> Xero's option id
    categories: Mapping[str, _Theirs] = field(default_factory=dict)
    options: Mapping[str, _Theirs] = field(default_factory=dict)
    wanted: Mapping[str, str] = field(default_factory=dict)  # tagged, but bound to none: our id -> category's name

    @classmethod
    def load(cls, connection: Connection) -> "Tracking":
        """Two queries when nothing is tracked, else five."""
        bound = {str(pk): each for pk, each in connection.category_bindings.values_list("property", "category_id")}
        tagged = {str(its.pk): its.category_wanted for its in tagged_properties(connection)}
        wanted = {pk: name for pk, name in tagged.items() if name and pk not in bound}
        if not bound and not wanted:
            return cls()
        categories = connection.tracking_categories.values_list("category_id", "name", "status")
        options = connection.tracking_options.values_list("option_id", "name", "status", "category_id")
        return cls(
            bound,
            {str(pk): each for pk, each in connection.option_bindings.values_list("option", "xero_id")},
            {pk: _Theirs(name, status, pk) for pk, name, status in categories},
            {pk: _Theirs(name, status, category) for pk, name, status, category in options},
            wanted,
        )

    def choices(self, carried: Iterable[Carried]) -> list[dict[str, str]] | Lacking:
        """A line's options as Xero takes them; or what Xero lacks. What isn't bound isn't tracking."""
        found = []
        for one in carried:
            if one["property"] not in self.bound.keys() | self.wanted.keys():
                continue
            if lacking := self.lacking(one["property"], one["option"], one["property_name"], one["option_name"]):
                return lacking
            category = self.bound[one["property"]]
            found.append({"TrackingCategoryID": category, "TrackingOptionID": self.chosen[one["option"]]})
        return found

    def lacking(self, property_id: str, option_id: str, property_name: str, option_name: str) -> Lacking | None:
        """What Xero lacks for that option, if anything."""
        if trouble := self.category_lacking(property_id, property_name):
            return trouble
        category = self.categories[self.bound[property_id]]
        theirs = self.options.get(self.chosen.get(option_id, ""))
        if theirs is None or theirs.category != category.category:
            what = f"the tracking category {category.name} has no option “{option_name}” in Xero"
            return Lacking(what, ADD_OPTION, option_id)
        if theirs.status != ACTIVE:
            what = f"the option “{theirs.name}” of {category.name} is {theirs.status.lower()} in Xero"
            return Lacking(what, RESTORE_OPTION, option_id)
        return None

    def category_lacking(self, property_id: str, property_name: str) -> Lacking | None:
        """What is wrong with the category of a bound or tagged property, if anything."""
        if name := self.wanted.get(property_id):
            asked = f"the tracking category {name}, which the tag of {property_name} asks for,"
            if self.named(name):
                return Lacking(f"{asked} is another property’s in Xero already")
            return Lacking(f"{asked} isn’t there in Xero", ADD_CATEGORY, property_id)
        category = self.categories.get(self.bound[property_id])
        if category is None:
            what = f"the tracking category of {property_name} is no longer in Xero"
            return Lacking(what, ADD_CATEGORY, property_id)
        if category.status != ACTIVE:
            what = f"the tracking category {category.name} is {category.status.lower()} in Xero"
            return Lacking(what, RESTORE_CATEGORY, property_id)
        return None

    def named(self, name: str) -> bool:
        """Whether Xero has a category of that name, active or archived."""
        return name.casefold() in {one.name.casefold() for one in self.categories.values()}

    def category_to_add(self, its: Property) -> str:
        """The name of the category that Xero lacks for that property, or "". Raises TrackingRefused."""
        trouble = self.category_lacking(str(its.pk), its.name) if self.tracks(its) else None
        if trouble is None or trouble.do == RESTORE_CATEGORY:
            return ""
        name = self.wanted.get(str(its.pk)) or its.category_wanted or its.name
        if self.named(name):
            raise TrackingRefused(f"Xero has a tracking category {name} already. Choose it, or another name or tag.")
        self.refuse_a_third()
        return name

    def tracks(self, its: Property) -> bool:
        """Whether that property is a tracking category, or its tag asks for one."""
        return str(its.pk) in self.bound.keys() | self.wanted.keys()

    def refuse_a_third(self) -> None:
        """Raises TrackingRefused when Xero has as many active categories as it takes."""
        active = [one.name for one in self.categories.values() if one.status == ACTIVE]
        if len(active) >= MOST:
            raise TrackingRefused(
                f"Xero has two active tracking categories, {' and '.join(active)}, and takes no third. Archive one of"
                " them there, or choose another category for the property."
            )


def tagged_properties(connection: Connection) -> QuerySet[Property]:
    """The dropdowns whose tag asks for a tracking category."""
    dropdowns = Property.objects.filter(supplier=connection.supplier_id, type=Property.Type.DROPDOWN)
    return dropdowns.filter(tag__startswith=TRACKING_TAG)


def bind_by_name(connection: Connection) -> None:
    """Bind what isn't yet: tagged properties to the category of that name, options of bound ones to those of theirs.

    Runs inside the caller's transaction, each time the chart was read.
    """
    bound = {one.property_id: one.category_id for one in connection.category_bindings.all()}
    by_name = {one.name.casefold(): one for one in connection.tracking_categories.exclude(status="DELETED")}
    for each in tagged_properties(connection).exclude(pk__in=bound):
        category = by_name.get(each.category_wanted.casefold())
        if category and category.category_id not in bound.values() and len(bound) < MOST:
            _bind(connection, each, category.category_id)
            bound[each.pk] = category.category_id
    _bind_options(connection, bound)


def _bind_options(connection: Connection, bound: Mapping[UUID, str]) -> None:
    if not bound:
        return
    theirs = {
        (one.category_id, one.name.casefold()): one.option_id
        for one in connection.tracking_options.exclude(status="DELETED")
    }
    known = connection.option_bindings.values("option")
    for option in Option.objects.filter(property__in=bound).exclude(pk__in=known):
        if twin := theirs.get((bound[option.property_id], option.name.casefold())):
            _bind_option(connection, option, twin)


def _bind(connection: Connection, its: Property, category_id: str) -> None:
    CategoryBinding.objects.update_or_create(
        connection=connection,
        property=its,
        defaults={"category_id": category_id, "bound_at": clock.database_now()},
    )


def _bind_option(connection: Connection, option: Option, xero_id: str) -> None:
    OptionBinding.objects.update_or_create(
        connection=connection, option=option, defaults={"xero_id": xero_id, "bound_at": clock.database_now()}
    )


@transaction.atomic
def bind_anew(connection: Connection, its: Property, category_id: str) -> None:
    """This property is that new category, whose options are found by their names when the categories are read."""
    connection.option_bindings.filter(option__property=its).delete()
    _bind(connection, its, category_id)


# --- what a person does -------------------------------------------------------------------------------------------


@transaction.atomic
def save_tracked_property(its: Property, *, by: User | None) -> Property:
    """`save_property`, and bind it by its tag. Raises TooManyCategories, and what `save_property` raises."""
    before = Property.objects.filter(pk=its.pk).first()
    save_property(its, by=by)
    connection = connection_of(its.supplier)
    if connection and its.category_wanted and before and before.tag != its.tag:
        connection.category_bindings.filter(property=its).delete()
    _refuse_a_third(its, connection)
    if connection:
        bind_by_name(connection)
    return its


@transaction.atomic
def save_tracked_option(option: Option, *, by: User | None) -> Option:
    """`save_option`, and bind it when its category in Xero has an option of that name. Raises what that raises."""
    save_option(option, by=by)
    if connection := connection_of(option.property.supplier):
        bind_by_name(connection)
    return option


def _refuse_a_third(its: Property, connection: Connection | None) -> None:
    tagged = Property.objects.filter(supplier=its.supplier, tag__startswith=TRACKING_TAG, type=Property.Type.DROPDOWN)
    carriers = set(tagged.values_list("pk", flat=True))
    if connection:
        carriers |= set(connection.category_bindings.values_list("property", flat=True))
    if its.pk in carriers and len(carriers) > MOST:
        names = Property.objects.filter(pk__in=carriers - {its.pk}).values_list("name", flat=True)
        raise TooManyCategories(sorted(names))


@transaction.atomic
def bind_category(
    connection: Connection, its: Property, category_id: str, *, by: User | None, shown: str | None = None
) -> None:
    """This property is that tracking category from now on; "" for none.

    `shown`, if given, is which one it was when the person chose: raises TrackingMoved when it no longer is. Raises
    TrackingRefused (not a dropdown, no such category, or another property is that category), TooManyCategories.
    """
    _hold(connection)
    now = connection.category_bindings.filter(property=its).values_list("category_id", flat=True).first() or ""
    if category_id == now:
        return
    if shown not in {None, now}:
        there = connection.tracking_categories.filter(category_id=now).first()
        raise TrackingMoved(f"{its.name} is {there.name if there else 'no tracking category'} in Xero")
    if not category_id:
        connection.category_bindings.filter(property=its).delete()
        tell(connection.supplier, "connection", connection.pk, f"{its.name} is no tracking category", who=by)
        return
    category = connection.tracking_categories.filter(category_id=category_id, status=ACTIVE).first()
    if category is None:
        raise TrackingRefused("That tracking category is not active in Xero. Choose another one.")
    if its.type != Property.Type.DROPDOWN:
        raise TrackingRefused(f"{its.name} is no dropdown, and only a dropdown can be a tracking category.")
    other = connection.category_bindings.filter(category_id=category_id).exclude(property=its).first()
    if other:
        raise TrackingRefused(f"{category.name} is the category of {other.property.name} already.")
    _bind(connection, its, category_id)
    _refuse_a_third(its, connection)
    bind_by_name(connection)
    tell(
        connection.supplier, "connection", connection.pk, f"{its.name} is the tracking category {category.name}", who=by
    )


@transaction.atomic
def bind_option(
    connection: Connection, option: Option, xero_id: str, *, by: User | None, shown: str | None = None
) -> None:
    """This option of ours is that option in Xero from now on.

    `shown`, if given, is which one it was when the person chose: raises TrackingMoved when it no longer is, and
    TrackingRefused.
    """
    _hold(connection)
    now = connection.option_bindings.filter(option=option).values_list("xero_id", flat=True).first() or ""
    if shown not in {None, now} and xero_id != now:
        there = connection.tracking_options.filter(option_id=now).first()
        raise TrackingMoved(f"{option.name} is {f'“{there.name}”' if there else 'no option'} in Xero")
    theirs = connection.tracking_options.filter(option_id=xero_id, status=ACTIVE).first()
    bound = connection.category_bindings.filter(property=option.property_id).first()
    if theirs is None or bound is None or theirs.category_id != bound.category_id:
        raise TrackingRefused(f"That option isn't an active one of {option.property.name} in Xero. Choose another one.")
    _bind_option(connection, option, xero_id)
    story = f"{option.property.name} {option.name} is “{theirs.name}” in Xero"
    tell(connection.supplier, "connection", connection.pk, story, who=by)


def _hold(connection: Connection) -> None:
    """One person at a time says what is what in Xero."""
    Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)


@transaction.atomic
def make_properties(connection: Connection, *, by: User | None) -> list[Property]:
    """A property with its options for each active tracking category, made or brought up to date; bound by id.

    A category that a property carries already, or whose name a dropdown has, gets no second one.
    """
    made = []
    for category in connection.tracking_categories.filter(status=ACTIVE):
        its = _property_of(connection, category) or _new_property(connection.supplier, category, by)
        if not connection.category_bindings.filter(property=its).exists():
            _bind(connection, its, category.category_id)
        _take_options(connection, its, category)
        made.append(its)
    names = ", ".join(each.name for each in made) or "none"
    tell(connection.supplier, "connection", connection.pk, f"Properties made from Xero's tracking: {names}", who=by)
    return made


def _property_of(connection: Connection, category: TrackingCategory) -> Property | None:
    bound = connection.category_bindings.filter(category_id=category.category_id).select_related("property").first()
    if bound:
        return bound.property
    dropdowns = Property.objects.filter(supplier=connection.supplier_id, type=Property.Type.DROPDOWN)
    free = dropdowns.exclude(pk__in=connection.category_bindings.values("property"))
    tagged = free.filter(tag__iexact=f"{TRACKING_TAG}{category.name}").first()
    return tagged or free.filter(name__iexact=category.name).first()


def _new_property(supplier: Supplier, category: TrackingCategory, by: User | None) -> Property:
    taken = Property.objects.filter(supplier=supplier, name__iexact=category.name).exists()
    name = f"{category.name[:93]} (Xero)" if taken else category.name
    tag = f"{TRACKING_TAG}{category.name}"
    return save_property(Property(supplier=supplier, name=name, tag=tag), by=by)


def _take_options(connection: Connection, its: Property, category: TrackingCategory) -> None:
    theirs = list(connection.tracking_options.filter(category_id=category.category_id).exclude(status="DELETED"))
    ours = {one.xero_id: one.option_id for one in connection.option_bindings.filter(option__property=its)}
    wanted = [(ours.get(one.option_id), one.name, one.status == ACTIVE) for one in theirs]
    for option, one in zip(sync_options(its, wanted, connection.supplier), theirs, strict=True):
        if ours.get(one.option_id) != option.pk:
            _bind_option(connection, option, one.option_id)


# --- the pre-check ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OptionState:
    """One option of a bound property: Xero's name for it, and what Xero lacks."""

    option: Option
    xero_id: str
    name_in_xero: str
    lacking: Lacking | None


@dataclass(frozen=True)
class Carrier:
    """A bound property with its category and options, as our copy of Xero shows them.

    One that is tagged, with no such category in Xero, has no `category_id`.
    """

    its: Property
    category_id: str
    category: str
    lacking: Lacking | None
    options: list[OptionState]

    @property
    def ok(self) -> bool:
        """Whether every line that carries one of its options can be sent."""
        return not self.lacking and not any(one.lacking for one in self.options)


def check_tracking(connection: Connection) -> list[Carrier]:
    """What of our tracking Xero has, and what not. No calls: the mirror answers.

    Options that are inactive here are listed only while Xero lacks nothing for them, or some document has them.
    """
    tracking = Tracking.load(connection)
    carriers = Property.objects.filter(pk__in=[*tracking.bound, *tracking.wanted]).prefetch_related("options")
    return [_check_one(tracking, its) for its in carriers]


def _check_one(tracking: Tracking, its: Property) -> Carrier:
    key = str(its.pk)
    category_id = tracking.bound.get(key, "")
    category = tracking.categories.get(category_id)
    lacking = tracking.category_lacking(key, its.name)
    states = []
    for option in its.options.all():
        xero_id = tracking.chosen.get(str(option.pk), "")
        theirs = tracking.options.get(xero_id)
        trouble = tracking.lacking(key, str(option.pk), its.name, option.name)
        if option.active or (trouble and option.values.exists()):
            states.append(OptionState(option, xero_id, theirs.name if theirs else "", trouble))
    return Carrier(its, category_id, category.name if category else "", lacking, states)
