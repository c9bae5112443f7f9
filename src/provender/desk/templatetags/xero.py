"""What the Xero parts of a page need: `{% offers_of row as offers %}` gives a problem's repairs as buttons."""

from django import template
from django.template import Context

from provender.desk.problems import Offer, offers
from provender.sync.queries import ProblemRow

register = template.Library()


@register.simple_tag(takes_context=True)
def offers_of(context: Context, row: ProblemRow) -> list[Offer]:
    """The repairs of `row` that the person looking may do."""
    membership = context["membership"]
    return offers(membership, row) if membership else []
