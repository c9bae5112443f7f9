"""Which contact in Xero a customer is: see it, search for another, link."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers

from provender.desk.frame import DeskRequest, member
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync import actions, queries


@member(Doing.BOOKS)
def contact(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Search among Xero's contacts, the customer's own name first; link the one that it is."""
    customer = get_object_or_404(supplier.customers, pk=pk)
    connection = queries.connection_of(supplier)
    if connection is None:
        raise Http404("Not connected.")
    if request.method == "POST":
        actions.link_contact(customer, request.POST.get("contact", ""), request.user)
        messages.success(request, f"{customer} is linked. What waited for its contact is sent now.")
        return redirect("desk:customer", slug=supplier.slug, pk=pk)
    text = request.GET.get("q", "").strip()
    found = queries.find_contacts(connection, text or _first_word(customer.trading_name))
    context = {
        "customer": customer,
        "connection": connection,
        "standing": queries.contact_standing(customer),
        "found": found,
        "text": text,
    }
    template = "desk/xero/_contacts.html" if request.htmx else "desk/xero/contact.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _first_word(name: str) -> str:
    """What is searched for before anything was typed: the name's longest word finds its like."""
    return max(name.split(), key=len, default="")
