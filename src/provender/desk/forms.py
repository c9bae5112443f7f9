"""How a form looks: one template for every field, with its label, hint and errors tied together for screen readers."""

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """Renders each field by `forms/field.html` (`{{ field.as_field_group }}`)."""

    field_template_name = "forms/field.html"
