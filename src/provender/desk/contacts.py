"""Which contact in Xero a customer is: see it, search for another, link, unlink."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers

from provender.customers.models import Customer
from provender.desk.choosing import as_uuid
from provender.desk.frame import DeskRequest, connected, member
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync import contact_actions
from provender.sync.models import CustomerPull
from provender.sync.previews import pulls_of
from provender.sync.standing import contact_standing, find_contacts, invoices_sent_for

ASK, MAKE = "ask", "make"


@member(Doing.BOOKS)
def contact(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Search among Xero's contacts, the customer's own name first; link the one that it is.

    Who came from a preview of customers (`pull`) goes back there.
    """
    customer = get_object_or_404(supplier.customers, pk=pk)
    connection = connected(supplier)
    pull = _pull(supplier, request.GET.get("pull", ""))
    if request.method == "POST":
        return _choose(request, customer, pull)
    text = request.GET.get("q", "").strip()
    found = find_contacts(connection, text or _first_word(customer.trading_name))
    context = {
        "customer": customer,
        "connection": connection,
        "standing": contact_standing(customer),
        "found": found,
        "text": text,
        "pull": pull,
        "query": f"?{urlencode({'pull': pull.pk})}" if pull else "",
    }
    template = "desk/xero/_contacts.html" if request.htmx else "desk/xero/contact.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _choose(request: DeskRequest, customer: Customer, pull: CustomerPull | None) -> HttpResponse:
    if request.POST.get("make"):
        contact_actions.make_contact(customer, request.user)
        messages.success(request, f"The next invoice of {customer} makes a contact in Xero.")
    else:
        contact, shown = request.POST.get("contact", ""), request.POST.get("seen")
        contact_actions.link_contact(customer, contact, request.user, shown=shown)
        messages.success(request, f"{customer} is linked. What waited for its contact is sent now.")
    if pull:
        return redirect("desk:xero-customer-pull", slug=request.supplier.slug, pk=pull.pk)
    return redirect("desk:customer", slug=request.supplier.slug, pk=customer.pk)


@member(Doing.BOOKS)
def unlink(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Ask what shall happen with the next invoice; then unlink the customer from its contact."""
    customer = get_object_or_404(supplier.customers, pk=pk)
    connected(supplier)
    if request.method == "POST":
        ask = request.POST.get("then", ASK) != MAKE
        contact_actions.unlink_contact(customer, request.user, ask=ask)
        then = (
            "You are asked with its next invoice."
            if ask
            else "Its next invoice makes a new contact, if none has its name."
        )
        messages.success(request, f"{customer} is unlinked. {then}")
        return redirect("desk:customer", slug=supplier.slug, pk=pk)
    standing = contact_standing(customer)
    if standing.state != "linked":
        raise Http404("Not linked.")
    context = {"customer": customer, "standing": standing, "invoices": invoices_sent_for(customer)}
    return render(request, "desk/xero/unlink.html", context)


def _pull(supplier: Supplier, text: str) -> CustomerPull | None:
    """The preview that the person came from."""
    pk = as_uuid(text)
    return pulls_of(CustomerPull, supplier).filter(pk=pk).first() if pk else None


def _first_word(name: str) -> str:
    """What is searched for before anything was typed: the name's longest word finds its like."""
    return max(name.split(), key=len, default="")
