"""What the Xero parts of a page need: `{% offers_of row as offers %}` gives a problem's repairs as buttons."""

from django import template
from django.template import Context
from django.urls import reverse

from provender.desk.problems import PAGES, PLACES, Offer, offers
from provender.sync.queries import ProblemRow

register = template.Library()


@register.simple_tag(takes_context=True)
def offers_of(context: Context, row: ProblemRow, in_list: object = None) -> list[Offer]:
    """The repairs of `row` that the person looking may do; `in_list`: without those that stand at the cause."""
    membership = context["membership"]
    return offers(membership, row, leave_out=PLACES if in_list else ()) if membership else []


@register.simple_tag(takes_context=True)
def page_of(context: Context, row: ProblemRow) -> str:
    """The address of the document that a problem is told of, or "" when it has no page."""
    if row.subject is None or row.subject[0] not in PAGES:
        return ""
    return reverse(PAGES[row.subject[0]], args=[context["supplier"].slug, row.subject[1]])
