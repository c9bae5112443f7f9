"""Addresses of payments, and of who owes what."""

from django.urls import URLPattern, URLResolver, path

from provender.desk import owed, payments

urlpatterns: list[URLPattern | URLResolver] = [
    path("w/<slug:slug>/payments", payments.payments, name="payments"),
    path("w/<slug:slug>/payments/<uuid:pk>/remove", payments.remove, name="payment-remove"),
    path("w/<slug:slug>/payments/<uuid:pk>/surcharge", payments.surcharge_back, name="payment-surcharge-back"),
    path("w/<slug:slug>/invoices/<uuid:pk>/pay", payments.record, name="invoice-pay"),
    path("w/<slug:slug>/invoices/<uuid:pk>/check", payments.check, name="invoice-check"),
    path("w/<slug:slug>/payments/owed", owed.owed, name="payments-owed"),
]
