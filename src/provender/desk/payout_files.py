"""A payment provider's file of payouts: upload it, see what it holds and how it is read, take its payouts in."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from provender.basics.errors import ProvenderError
from provender.basics.money import ZERO
from provender.basics.wording import counted
from provender.desk.frame import DeskRequest, member
from provender.desk.imports import date_choices, pick_list
from provender.importing.errors import FaultyFile
from provender.importing.models import PayoutFile
from provender.importing.payouts import FIELDS, Layout, Taken, choose_layout, keep_file, look_at_file, take_file
from provender.importing.reading import KINDS
from provender.payments.queries import payouts_of
from provender.people.roles import Doing
from provender.suppliers.models import Supplier

LARGEST = 10 * 1024 * 1024


class PayoutFileForm(forms.Form):
    """One file of one provider."""

    provider = forms.CharField(
        label="Payment provider",
        max_length=60,
        help_text="Whose file it is. The next file of the same provider is read the same way.",
        widget=forms.TextInput(attrs={"list": "providers", "autocomplete": "off"}),
    )
    file = forms.FileField(
        label="File",
        error_messages={"required": "Choose a file."},
        help_text="A .csv, .csv.gz or .xlsx file with headings in its first row, a line for each payment.",
        widget=forms.ClearableFileInput(attrs={"accept": ",".join([*KINDS, ".gz"])}),
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if file.size and file.size > LARGEST:
            raise forms.ValidationError("The file is larger than 10 MB. Split it.")
        return file


@member(Doing.BOOKS)
def upload(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Take a file; what it holds comes next."""
    form = PayoutFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            kept = keep_file(supplier, form.cleaned_data["provider"], file, file.name, by=request.user)
        except FaultyFile as error:
            form.add_error("file", [fault.sentence(error.file) for fault in error.faults])
        else:
            return redirect("desk:payout-file", slug=supplier.slug, pk=kept.pk)
    providers = payouts_of(supplier).order_by("provider").values_list("provider", flat=True).distinct()
    return render(request, "desk/payouts/upload.html", {"form": form, "providers": providers})


class ColumnsForm(forms.Form):
    """Which column is which: a pick-list for each field, and what dates look like."""

    date_format = forms.ChoiceField(label="Dates look like", choices=date_choices, required=False)

    def __init__(self, file: PayoutFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        columns = [(column, column) for column in dict.fromkeys(file.columns) if column]
        self.fields = {field.name: pick_list(field, columns) for field in FIELDS} | self.fields
        self.initial = {**file.mapping, "date_format": file.date_format}

    def layout(self) -> Layout:
        """What was chosen."""
        chosen = self.cleaned_data
        return Layout({each.name: chosen[each.name] for each in FIELDS if chosen[each.name]}, chosen["date_format"])


@member(Doing.BOOKS)
def look(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The file's payouts as they would come in, and the columns they are read by."""
    file = _find(supplier, pk)
    form = ColumnsForm(file, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        choose_layout(file, form.layout())
        return redirect("desk:payout-file", slug=supplier.slug, pk=pk)
    taken: list[Taken] = []
    faults: list[str] = []
    try:
        taken = look_at_file(file)
    except FaultyFile as error:
        faults = [fault.sentence(error.file) for fault in error.faults]
    except ProvenderError as error:
        faults = [error.sentence]
    context = {
        "file": file,
        "form": form,
        "taken": taken,
        "faults": faults,
        "new": sum(each.new for each in taken),
        "refused": sum(bool(each.why) for each in taken),
        "net": sum((each.source.net for each in taken), ZERO),
    }
    return render(request, "desk/payouts/file.html", context)


@require_POST
@member(Doing.BOOKS)
def take(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """The one button: the new payouts come in, those that are here already stay."""
    taken = take_file(_find(supplier, pk), by=request.user)
    new = [each.payout for each in taken if each.new and each.payout]
    messages.success(request, f"{counted(len(new), 'payout')} taken in. Look at each and close it.")
    for each in taken:
        if each.why:
            messages.warning(request, each.why)
    if len(new) == 1:
        return redirect("desk:payout", slug=supplier.slug, pk=new[0].pk)
    return redirect("desk:payouts", slug=supplier.slug)


@require_POST
@member(Doing.BOOKS)
def discard(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Forget a file that isn't wanted after all."""
    file = _find(supplier, pk)
    file.delete()
    messages.success(request, f"{file.file_name} is discarded. Nothing of it was taken in.")
    return redirect("desk:payouts", slug=supplier.slug)


def _find(supplier: Supplier, pk: UUID) -> PayoutFile:
    return get_object_or_404(supplier.payout_files.select_related("supplier"), pk=pk)
