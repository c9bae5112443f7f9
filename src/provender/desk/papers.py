"""Invoices and credit notes as PDF, each made when somebody asks for it."""

from collections.abc import Callable
from uuid import UUID

from csp.decorators import csp_exempt
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header

from provender.desk.frame import DeskRequest, member
from provender.invoicing.errors import PaperNotPrinted
from provender.invoicing.printing import file_name, print_credit_note, print_invoice
from provender.people.roles import Doing
from provender.suppliers.models import Supplier

# A browser's viewer draws a PDF as an object, which our pages may hold none of; a PDF runs nothing, so it goes without.
no_policy = csp_exempt()


@no_policy
@member(Doing.LOOK)
def invoice(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """An invoice in its newest version, or in the one that is asked for."""
    row = get_object_or_404(supplier.invoices.select_related("supplier"), pk=pk)
    versions = list(row.versions.all())
    asked = request.GET.get("version", "")
    shown = next((each for each in versions if str(each.version) == asked), versions[0])
    name = file_name(row.number, shown.version if shown != versions[0] else None)
    return _answer(request, "invoice", pk, name, lambda: print_invoice(row, shown))


@no_policy
@member(Doing.LOOK)
def credit_note(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """A credit note as it is now."""
    row = get_object_or_404(supplier.credit_notes.select_related("customer", "invoice", "supplier"), pk=pk)
    return _answer(request, "credit-note", pk, file_name(row.number), lambda: print_credit_note(row))


def _answer(request: DeskRequest, page: str, pk: UUID, name: str, make: Callable[[], bytes]) -> HttpResponse:
    """The PDF, to be looked at in the browser; back on the document's page with a sentence if there is none."""
    try:
        pdf = make()
    except PaperNotPrinted as error:
        messages.error(request, error.sentence)
        return redirect(f"desk:{page}", slug=request.supplier.slug, pk=pk)
    disposition = content_disposition_header(as_attachment=False, filename=name) or "inline"
    return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": disposition})
