"""What changes properties, their options and values. Each function is one transaction."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from provender.basics.errors import ProvenderError
from provender.basics.money import exact_price, read_number, show_quantity
from provender.basics.rows import ReadyRows
from provender.basics.texts import one_line
from provender.people.models import User
from provender.properties.errors import (
    OptionNameTaken,
    OptionRefused,
    PropertyNameTaken,
    PropertyNotThere,
    PropertyTypeFixed,
    ValueRefused,
)
from provender.properties.models import Kind, Option, Property, Value
from provender.suppliers.models import Supplier
from provender.timeline.actions import tell, tell_many
from provender.timeline.wording import what_changed

CHUNK = 500  # documents named in one statement


@transaction.atomic
def save_property(wanted: Property, *, by: User | None) -> Property:
    """Add a property, or keep what was changed on it. Raises PropertyNameTaken, PropertyTypeFixed, ValidationError."""
    wanted.full_clean(validate_unique=False, validate_constraints=False)
    others = Property.objects.filter(supplier=wanted.supplier).exclude(pk=wanted.pk)
    if others.filter(name__iexact=wanted.name).exists():
        raise PropertyNameTaken("name", wanted.name)
    if wanted.tag and others.filter(tag__iexact=wanted.tag).exists():
        raise PropertyNameTaken("tag", wanted.tag)
    before = Property.objects.filter(pk=wanted.pk).first()
    if before and before.type != wanted.type and wanted.values.exists():
        raise PropertyTypeFixed(before.name)
    changes = what_changed(before, wanted) if before else []
    if before and not changes:
        return wanted
    wanted.save()
    story = f"Changed the property {wanted.name}: {', '.join(changes)}" if before else f"Added the property {wanted}"
    tell(wanted.supplier, "supplier", wanted.supplier_id, story, who=by)
    return wanted


@transaction.atomic
def delete_property(gone: Property, *, by: User | None) -> None:
    """Delete a property with its options and values. Lines of documents keep what they carry."""
    tell(gone.supplier, "supplier", gone.supplier_id, f"Deleted the property {gone.name}", who=by)
    gone.delete()


@transaction.atomic
def save_option(option: Option, *, by: User | None) -> Option:
    """Add, rename, switch on or off an option of a dropdown. Raises OptionNameTaken, ValidationError."""
    option.full_clean(validate_unique=False, validate_constraints=False)
    its = option.property
    if its.options.filter(name__iexact=option.name).exclude(pk=option.pk).exists():
        raise OptionNameTaken(its.name, option.name)
    before = Option.objects.filter(pk=option.pk).first()
    changes = what_changed(before, option) if before else []
    if before and not changes:
        return option
    option.save()
    story = f"Changed the option {option.name} of {its.name}" if before else f"Added the option {option} to {its.name}"
    tell(its.supplier, "supplier", its.supplier_id, story, who=by)
    return option


def set_value(its: Property, kind: str, document: UUID, text: str, *, by: User | None) -> bool:
    """Note what the property is on one document: an option's id, or a text of its type; "" for nothing.

    Answers whether anything changed. Raises what `set_values` raises.
    """
    return set_values(its, kind, [document], text, by=by) > 0


def set_values(its: Property, kind: str, documents: Iterable[UUID], text: str, *, by: User | None) -> int:
    """`change_values`, answering on how many documents it changed."""
    return len(change_values(its, kind, documents, text, by=by))


@transaction.atomic
def change_values(
    its: Property, kind: str, documents: Iterable[UUID], text: str, *, by: User | None
) -> dict[UUID, str]:
    """The same for many documents of one kind, all this wholesaler's; answers what it was on those that changed.

    An inactive option stays where it was chosen, but can't be chosen anew. A handful of statements, however many
    documents. Raises PropertyNotThere, OptionRefused, ValueRefused.
    """
    if not getattr(its, f"on_{kind}s"):
        raise PropertyNotThere(its.name, Kind(kind).label.lower())
    ids = list(dict.fromkeys(documents))
    before = _values_there(its, kind, ids)
    option, text = _judge(its, text, {value for value, _ in before.values()})
    wanted = (option.pk if option else None, text)
    changed = [pk for pk in ids if before.get(pk, (None, "")) != wanted]
    if not changed:
        return {}
    _write(its, kind, changed, *wanted)
    after = option.name if option else text or "nothing"
    tell_many(its.supplier, kind, [(pk, f"{its.name}: {after}") for pk in changed], who=by)
    return {pk: _as_chosen(before.get(pk, (None, ""))) for pk in changed}


def _as_chosen(value: tuple[UUID | None, str]) -> str:
    """A value as `change_values` takes it."""
    option, text = value
    return str(option) if option else text


def _values_there(its: Property, kind: str, ids: list[UUID]) -> dict[UUID, tuple[UUID | None, str]]:
    there: dict[UUID, tuple[UUID | None, str]] = {}
    for start in range(0, len(ids), CHUNK):
        rows = Value.objects.filter(property=its, kind=kind, document__in=ids[start : start + CHUNK])
        there |= {pk: (option, text) for pk, option, text in rows.values_list("document", "option_id", "text")}
    return there


def _write(its: Property, kind: str, changed: list[UUID], option: UUID | None, text: str) -> None:
    if option is None and not text:
        for start in range(0, len(changed), CHUNK):
            Value.objects.filter(property=its, kind=kind, document__in=changed[start : start + CHUNK]).delete()
        return
    rows = [
        Value(supplier=its.supplier, property=its, kind=kind, document=pk, option_id=option, text=text)
        for pk in changed
    ]
    ReadyRows.of(rows, unique=["property", "kind", "document"], update=["option", "text"]).insert()


def _judge(its: Property, text: str, chosen: set[UUID | None]) -> tuple[Option | None, str]:
    """What was typed, as the property's type has it. `chosen` are the options that stand there already."""
    text = one_line(text)
    if not text:
        return None, ""
    if its.type == Property.Type.DROPDOWN:
        return _judge_option(its, text, chosen), ""
    if its.type == Property.Type.YES_NO and text not in ("yes", "no"):
        raise ValueRefused(its.name, "yes or no", text)
    if its.type == Property.Type.NUMBER:
        return None, _judge_number(its, text)
    if len(text) > 500:
        raise ValueRefused(its.name, "up to 500 characters", f"{text[:20]}…")
    return None, text


def _judge_option(its: Property, text: str, chosen: set[UUID | None]) -> Option:
    try:
        option = its.options.filter(pk=UUID(text)).first()
    except ValueError:
        option = None
    if option is None or not (option.active or option.pk in chosen):
        raise OptionRefused(its.name, option.name if option else text[:40])
    return option


def _judge_number(its: Property, text: str) -> str:
    try:
        return show_quantity(exact_price(read_number(text, places=4, what="number")))
    except ProvenderError as error:
        raise ValueRefused(its.name, "a number", text[:40]) from error


def sync_options(its: Property, names: Iterable[tuple[UUID | None, str, bool]], supplier: Supplier) -> list[Option]:
    """Bring options in line with a list kept elsewhere, given as (our option's id or None, name, active), in order.

    One that isn't known by id is found by its name, or added. Nothing is deleted, and nothing else is switched off.
    """
    there = list(its.options.filter(property__supplier=supplier))
    by_id = {option.pk: option for option in there}
    by_name = {option.name.casefold(): option for option in there}
    kept = []
    for pk, name, active in names:
        option = (by_id.get(pk) if pk else None) or by_name.get(name.casefold()) or Option(property=its)
        taken = by_name.get(name.casefold())
        if taken is None or taken.pk == option.pk:
            by_name.pop(option.name.casefold(), None)
            option.name = name
        option.active = active
        option.save()
        by_name[option.name.casefold()] = option
        kept.append(option)
    return kept
