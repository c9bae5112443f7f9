"""Tracking categories (two active and two archived ones at most) and their options."""

from xero_simulator import messages
from xero_simulator.books import new_id
from xero_simulator.calls import Call, Listing, Route, Saving, Shown, answer_list, replaced, save_whole
from xero_simulator.errors import Invalid, NotFound
from xero_simulator.records import Tracking, TrackingCategory, TrackingOption, Wire
from xero_simulator.wire import ENCODER, Answer, envelope, guid_or_none

LONGEST_NAME = 100
MOST_OF_A_STATUS = 2
MOST_OPTIONS = 100


class OptionIn(Wire, frozen=True):
    name: str | None = None
    status: str | None = None
    tracking_option_id: str | None = None


class CategoryIn(Wire, frozen=True):
    name: str | None = None
    status: str | None = None
    tracking_category_id: str | None = None
    options: list[OptionIn] | None = None


def show(call: Call | None, category: TrackingCategory) -> Shown:
    everything = call is None or call.flag("includearchived") or category.status != "ACTIVE"
    return {
        "Name": category.name,
        "Status": category.status,
        "TrackingCategoryID": category.id,
        "Options": [show_option(o) for o in category.options if everything or o.status == "ACTIVE"],
    }


def show_option(option: TrackingOption) -> Shown:
    return {
        "TrackingOptionID": option.id,
        "Name": option.name,
        "Status": option.status,
        "HasValidationErrors": False,
        "IsDeleted": option.status == "DELETED",
        "IsArchived": option.status == "ARCHIVED",
        "IsActive": option.status == "ACTIVE",
    }


FIELDS = {
    "Name": lambda c: c.name,
    "Status": lambda c: c.status,
    "TrackingCategoryID": lambda c: c.id,
}
LISTING = Listing("TrackingCategories", FIELDS, show, modified_since=False)
SAVING = Saving("TrackingCategories", "TrackingCategoryID", show, flags=(), has_status=False)
OPTION_SAVING = Saving(
    "Options", "TrackingOptionID", lambda _call, option: show_option(option), flags=(), has_status=False
)


def get_all(call: Call) -> Answer:
    shown = {"ACTIVE", "ARCHIVED"} if call.flag("includearchived") else {"ACTIVE"}
    return answer_list(call, LISTING, [c for c in call.books.tracking if c.status in shown])


def get_one(call: Call) -> Answer:
    return envelope("TrackingCategories", [show(call, _find(call))], call.books.now())


def create(call: Call) -> Answer:
    return save_whole(call, SAVING, call.elements("TrackingCategories", CategoryIn)[0], add)


def update(call: Call) -> Answer:
    old = _find(call)
    element = call.elements("TrackingCategories", CategoryIn)[0]
    return save_whole(call, SAVING, element, lambda call, sent: edit(call, old, sent))


def delete(call: Call) -> Answer:
    return envelope("TrackingCategories", [show(call, remove(call, _find(call)))], call.books.now())


def create_option(call: Call) -> Answer:
    category = _find(call)
    element = call.elements("Options", OptionIn)[0]
    return save_whole(call, OPTION_SAVING, element, lambda call, sent: add_option(call, category, sent))


def update_option(call: Call) -> Answer:
    category = _find(call)
    old = _find_option(call, category)
    element = call.elements("Options", OptionIn)[0]
    return save_whole(call, OPTION_SAVING, element, lambda call, sent: edit_option(call, category, old, sent))


def delete_option(call: Call) -> Answer:
    category = _find(call)
    old = _find_option(call, category)
    option = TrackingOption(old.id, old.name, "DELETED")
    _put_option(call, category, option)
    return envelope("Options", [show_option(option)], call.books.now())


def _find(call: Call) -> TrackingCategory:
    category = call.books.tracking.get(guid_or_none(call.ids[0]))
    if category is None or category.status == "DELETED":
        raise NotFound(messages.NOT_FOUND)
    return category


def _find_option(call: Call, category: TrackingCategory) -> TrackingOption:
    wanted = guid_or_none(call.ids[1])
    for option in category.options:
        if option.id == wanted and option.status != "DELETED":
            return option
    raise NotFound(messages.NOT_FOUND)


def add(call: Call, sent: CategoryIn) -> TrackingCategory:
    name = _name(sent.name)
    _check_name(call, name, None)
    if sum(c.status == "ACTIVE" for c in call.books.tracking) >= MOST_OF_A_STATUS:
        raise Invalid(messages.TRACKING_LIMIT)
    options = tuple(TrackingOption(new_id(), _name(option.name)) for option in sent.options or [])
    category = TrackingCategory(id=new_id(), updated=call.books.now(), name=name, options=options)
    call.books.put(category)
    return category


def remove(call: Call, old: TrackingCategory) -> TrackingCategory:
    category = replaced(old, status="DELETED", updated=call.books.now())
    call.books.put(category)
    return category


def edit(call: Call, old: TrackingCategory, sent: CategoryIn) -> TrackingCategory:
    status = (sent.status or old.status).upper()
    if status not in {"ACTIVE", "ARCHIVED"}:
        raise Invalid(messages.STATUS_INVALID)
    if status != old.status and sum(c.status == status for c in call.books.tracking) >= MOST_OF_A_STATUS:
        raise Invalid(messages.TRACKING_LIMIT if status == "ACTIVE" else messages.TRACKING_ARCHIVE_LIMIT)
    name = _name(sent.name) if sent.name is not None else old.name
    _check_name(call, name, old.id)
    category = replaced(old, name=name, status=status, updated=call.books.now())
    call.books.put(category)
    for option in old.options if name != old.name else ():
        call.books.rewrite_lines(_on_lines(old, option), _on_lines(category, option))
    return category


def add_option(call: Call, category: TrackingCategory, sent: OptionIn) -> TrackingOption:
    name = _name(sent.name)
    live = [option for option in category.options if option.status != "DELETED"]
    if any(option.name.casefold() == name.casefold() for option in live):
        raise Invalid(messages.TRACKING_NAME_TAKEN)
    if call.switches["tracking_options_limited"] and len(live) >= MOST_OPTIONS:
        raise Invalid(messages.TRACKING_OPTION_LIMIT)
    option = TrackingOption(new_id(), name)
    _put_option(call, category, option)
    return option


def edit_option(call: Call, category: TrackingCategory, old: TrackingOption, sent: OptionIn) -> TrackingOption:
    status = (sent.status or old.status).upper()
    if status not in {"ACTIVE", "ARCHIVED"}:
        raise Invalid(messages.STATUS_INVALID)
    option = TrackingOption(old.id, _name(sent.name) if sent.name is not None else old.name, status)
    _put_option(call, category, option)
    if option.name != old.name:
        call.books.rewrite_lines(_on_lines(category, old), _on_lines(category, option))
    return option


def _on_lines(category: TrackingCategory, option: TrackingOption) -> str:
    """How an option stands on lines."""
    shown = Tracking(
        name=category.name, option=option.name, tracking_category_id=category.id, tracking_option_id=option.id
    )
    return ENCODER.encode(shown).decode()


def _put_option(call: Call, category: TrackingCategory, option: TrackingOption) -> None:
    others = {one.id: one for one in category.options}
    others[option.id] = option
    call.books.put(replaced(category, options=tuple(others.values()), updated=call.books.now()))


def _name(name: str | None) -> str:
    if not name or not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid(messages.TRACKING_NAME_REQUIRED)
    return name.strip()


def _check_name(call: Call, name: str, own: str | None) -> None:
    if any(c.id != own and c.status != "DELETED" for c in call.books.tracking.find("name", name.casefold())):
        raise Invalid(messages.TRACKING_NAME_TAKEN)


ROUTES = [
    Route("GET", ("TrackingCategories",), get_all),
    Route("GET", ("TrackingCategories", None), get_one),
    Route("PUT", ("TrackingCategories",), create),
    Route("POST", ("TrackingCategories", None), update),
    Route("DELETE", ("TrackingCategories", None), delete),
    Route("PUT", ("TrackingCategories", None, "Options"), create_option),
    Route("POST", ("TrackingCategories", None, "Options", None), update_option),
    Route("DELETE", ("TrackingCategories", None, "Options", None), delete_option),
]
