"""How a form looks: one template for every field, with its label, hint and errors tied together for screen readers.

A long form is drawn in parts: `sections` of the form (made by `sections_of`) and `desk/parts/form_sections.html`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.forms import BoundField, CharField, DateField, TextInput, ValidationError
from django.forms.forms import BaseForm
from django.forms.renderers import TemplatesSetting

from provender.basics import clock
from provender.basics.clock import in_words
from provender.basics.errors import ProvenderError
from provender.basics.money import HUNDRED, read_number, show_percent


class PercentField(CharField):
    """A percentage on a price as people write it: -10, +2.5 %; empty is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=TextInput(attrs={"inputmode": "text", "autocomplete": "off"}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return show_percent(value) if isinstance(value, Decimal) else value

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value).replace("−", "-").removesuffix("%").strip()
        if not text:
            return None
        try:
            percent = read_number(text, places=4, what="percentage")
        except ProvenderError as error:
            raise ValidationError(error.sentence) from error
        if not -HUNDRED <= percent <= 10 * HUNDRED:
            raise ValidationError("Write a percentage from −100 to +1,000.")
        return percent


class NearDateField(DateField):
    """A day of these times: at most a year from today, so that a mistyped year is seen while it can be mended.

    `stays` is the day that the document has already, which may be older.
    """

    stays: date | None = None

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day and day != self.stays and abs(day - clock.now().date()) > timedelta(days=366):
            raise ValidationError(f"{in_words(day)} is more than a year from today. Is the year right?")
        return day


class FormRenderer(TemplatesSetting):
    """Renders each field by `forms/field.html` (`{{ field.as_field_group }}`)."""

    field_template_name = "forms/field.html"


def only_shown(form: BaseForm) -> None:
    """Let the form be read and not changed: for those who may not."""
    for field in form.fields.values():
        field.disabled = True


@dataclass(frozen=True)
class Section:
    """A part of a long form: its heading and its fields."""

    heading: str
    fields: list[BoundField]


def sections_of(form: BaseForm, *parts: tuple[str, Sequence[str]]) -> list[Section]:
    """The parts by heading and names of fields."""
    return [Section(heading, [form[name] for name in names]) for heading, names in parts]
