"""Paying a payment back, in full or in part."""

from datetime import date as Date  # noqa: N812 -- a field is named date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from provender.basics import clock
from provender.basics.clock import in_words
from provender.basics.errors import ProvenderError
from provender.basics.money import show_amount
from provender.desk.choosing import date_input
from provender.desk.frame import DeskRequest, member
from provender.payments.models import Payment
from provender.payments.queries import payments_of
from provender.payments.refunds import refund_payment, refundable_of
from provender.people.roles import Doing
from provender.suppliers.models import Supplier


class RefundForm(forms.Form):
    """How much goes back, when and how."""

    amount = forms.DecimalField(
        label="Amount",
        max_digits=12,
        decimal_places=2,
        min_value=Decimal("0.01"),
        error_messages={"min_value": "Write an amount above zero."},
    )
    date = forms.DateField(label="Date", widget=date_input())
    method = forms.ChoiceField(label="How", choices=Payment.Method.choices)
    reference = forms.CharField(label="Reference", max_length=200, required=False)
    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="It stands on the credit note.")

    def __init__(self, payment: Payment, left: Decimal, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.payment, self.left = payment, left

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount > self.left:
            raise forms.ValidationError(f"At most {show_amount(self.left)} can be paid back.")
        return amount

    def clean_date(self) -> Date:
        day: Date = self.cleaned_data["date"]
        if day < self.payment.date:
            raise forms.ValidationError(f"The payment came on {in_words(self.payment.date)}; it goes back after that.")
        return day


@member(Doing.BOOKS)
def refund(request: DeskRequest, supplier: Supplier, pk: UUID) -> HttpResponse:
    """Ask how much, then raise the credit note and note the refund."""
    payment = get_object_or_404(payments_of(supplier).filter(invoice__isnull=False), pk=pk)
    left = refundable_of(payment)
    initial = {"amount": left, "date": clock.today(supplier.time_zone), "method": payment.method}
    form = RefundForm(payment, left, request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        kept = form.cleaned_data
        try:
            made = refund_payment(payment, **{**kept, "method": Payment.Method(kept["method"])}, by=request.user)
        except ProvenderError as error:
            form.add_error(None, error.sentence)
        else:
            number = made.credit_note.number if made.credit_note else ""
            messages.success(request, f"{show_amount(made.amount)} is paid back, with credit note {number}.")
            return redirect("desk:credit-note", slug=supplier.slug, pk=made.credit_note_id)
    return render(request, "desk/credit_notes/refund.html", {"payment": payment, "form": form, "left": left})
