"""How a form looks: one template for every field, with its label, hint and errors tied together for screen readers.

A long form is drawn in parts: `sections` of the form (made by `sections_of`) and `desk/parts/form_sections.html`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.forms import BoundField
from django.forms.forms import BaseForm
from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """Renders each field by `forms/field.html` (`{{ field.as_field_group }}`)."""

    field_template_name = "forms/field.html"


@dataclass(frozen=True)
class Section:
    """A part of a long form: its heading and its fields."""

    heading: str
    fields: list[BoundField]


def sections_of(form: BaseForm, *parts: tuple[str, Sequence[str]]) -> list[Section]:
    """The parts by heading and names of fields."""
    return [Section(heading, [form[name] for name in names]) for heading, names in parts]
