"""Two people at one form: who saves second is told what the first changed, loses nothing, and chooses.

A form carries what its page showed (`seen`). When the row says something else by the time it is saved, nothing is
saved: the page comes back with all that was typed, with the first person's values where the second had typed nothing,
and with both ways on: save all the same, or leave it as it is now (`desk/parts/meanwhile.html`).

    class ProductForm(SharedForm): ...
    form = ProductForm.of(request, product)
    if form.may_be_kept() and form.keep(lambda: actions.save_product(form.instance, by=request.user)): ...

Forms that are more than fields of a row (an order's, an invoice's) carry a stamp of the row instead, and raise
`ChangedMeanwhile` where the row is locked.
"""

import json
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, cast

from django import forms
from django.db import models, transaction
from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404

from provender.basics.errors import ProvenderError
from provender.suppliers.models import Supplier
from provender.timeline.models import Entry
from provender.timeline.queries import story

TOLD = 3  # entries of the timeline that say what happened meanwhile


@dataclass(frozen=True)
class Moved:
    """A field that somebody else changed; `typed` is what this person wrote in it, or None."""

    label: str
    was: str
    now: str
    typed: str | None


class ChangedMeanwhile(ProvenderError):
    """Somebody saved the same document since the page was made."""

    code = "changed-meanwhile"

    def __init__(self, what: str) -> None:
        super().__init__(f"Somebody changed {what} while you were at it, so yours isn't saved yet.")


class SharedForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A form of one row that more than one person may have open.

    Fields that aren't the row's own count too, once the form has put their values into `initial`.
    """

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    moves_by_itself: tuple[str, ...] = ()  # fields that change without anybody's word: nobody is asked about them

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.meanwhile: list[Moved] = []

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        if field_name == "seen" and not self._is_new:
            return json.dumps(self._now)
        return super().get_initial_for_field(field, field_name)

    @classmethod
    def of(cls, request: HttpRequest, row: models.Model) -> Self:
        """The form of that row (which stays as it is), with what was typed if it was sent."""
        if request.method != "POST":
            return cls(instance=copy(row))
        form = cls(request.POST, instance=copy(row))
        return form._merged(copy(row)) if form._moved() else form

    def may_be_kept(self) -> bool:
        """Whether it was sent, is right, and nobody changed the row meanwhile."""
        return self.is_bound and not self.meanwhile and self.is_valid()

    def keep(self, save: Callable[[], object]) -> bool:
        """Call `save`, unless somebody saved the row at this very moment: then the form says so, and False."""
        with transaction.atomic():
            if not self._is_new:
                rows = type(self.instance)._default_manager.select_for_update(no_key=True)  # noqa: SLF001
                there = type(self)(instance=get_object_or_404(rows, pk=self.instance.pk))
                if there.words != self.words:
                    self.add_error(None, "Somebody saved it at the same moment. Look at it again, then save.")
                    return False
            save()
        return True

    @property
    def _is_new(self) -> bool:
        return bool(self.instance._state.adding)  # noqa: SLF001 -- the public way to know

    @cached_property
    def _now(self) -> dict[str, str]:
        """Each field's value as the page shows it."""
        names = [name for name in self.fields if name in self.initial]
        return {name: _text(self.fields[name].prepare_value(self.initial[name])) for name in names}

    @property
    def words(self) -> dict[str, str]:
        """Each value as the page shows it, of the fields that change by somebody's word alone."""
        return {name: now for name, now in self._now.items() if name not in self.moves_by_itself}

    @property
    def shown(self) -> dict[str, str]:
        """What the page that was sent had shown."""
        return _read(self.data.get(self.add_prefix("seen"), ""))

    def _moved(self) -> dict[str, Moved]:
        """By name, the fields that say something else now than the page that was sent had shown."""
        seen, moved = self.shown, {}
        for name, now in self.words.items():
            field, typed = self.fields[name], _text(self[name].data)
            if name not in seen or seen[name] == now or _same(now, typed):
                continue
            mine = None if _same(seen[name], typed) else _shown(field, typed)
            moved[name] = Moved(str(self[name].label), _shown(field, seen[name]), _shown(field, now), mine)
        return moved

    def _merged(self, row: models.Model) -> Self:
        """The form to come back with: typed values stay, the rest is as it is now."""
        moved, data = self._moved(), cast("QueryDict", self.data).copy()
        for name, one in moved.items():
            if one.typed is None:
                _put(data, self.add_prefix(name), self.fields[name], self._now[name])
        data[self.add_prefix("seen")] = json.dumps(self._now)
        form = type(self)(data, instance=row)
        form.meanwhile = list(moved.values())
        return form


def who_did(supplier: Supplier, kind: str, row: models.Model, *, begins: str = "") -> list[Entry]:
    """The newest lines of its story that a person wrote and that begin so: who it was, and what."""
    return list(story(supplier, kind, row.pk).filter(what__startswith=begins).exclude(who=None)[:TOLD])


def _read(text: str) -> dict[str, str]:
    """What the page had shown; nothing when the field is missing or was tampered with."""
    try:
        seen = json.loads(text)
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in seen.items()} if isinstance(seen, dict) else {}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _same(one: str, other: str) -> bool:
    """Whether two texts mean the same in a form: browsers write line ends in their own way."""
    return "\n".join(one.splitlines()).strip() == "\n".join(other.splitlines()).strip()


def _put(data: QueryDict, name: str, field: forms.Field, text: str) -> None:
    if not isinstance(field, forms.BooleanField):
        data[name] = text
    elif text == "True":
        data[name] = "on"
    else:
        data.pop(name, None)


def _shown(field: forms.Field, text: str) -> str:
    """A field's value in the words of its choices."""
    if isinstance(field, forms.BooleanField):
        return "yes" if text == "True" else "no"
    choices = cast("Iterable[tuple[Any, Any]]", field.choices) if isinstance(field, forms.ChoiceField) else ()
    return next((str(label) for value, label in choices if str(value) == text), text) or "nothing"
