"""Addresses of credit notes and refunds."""

from django.urls import URLPattern, URLResolver, path

from provender.desk import credit_notes, papers, refunds

urlpatterns: list[URLPattern | URLResolver] = [
    path("w/<slug:slug>/credit-notes", credit_notes.credit_notes, name="credit-notes"),
    path("w/<slug:slug>/customers/<uuid:pk>/credit", credit_notes.new, name="credit-note-new"),
    path("w/<slug:slug>/invoices/<uuid:pk>/credit", credit_notes.of_invoice, name="credit-note-of-invoice"),
    path("w/<slug:slug>/credit-notes/<uuid:pk>", credit_notes.credit_note, name="credit-note"),
    path("w/<slug:slug>/credit-notes/<uuid:pk>/pdf", papers.credit_note, name="credit-note-pdf"),
    path("w/<slug:slug>/credit-notes/<uuid:pk>/edit", credit_notes.edit, name="credit-note-edit"),
    path("w/<slug:slug>/credit-notes/<uuid:pk>/void", credit_notes.void, name="credit-note-void"),
    path("w/<slug:slug>/credit-notes/<uuid:pk>/allocate", credit_notes.allocate, name="credit-note-allocate"),
    path("w/<slug:slug>/credit-notes/<uuid:pk>/itself", credit_notes.apply_itself, name="credit-note-itself"),
    path("w/<slug:slug>/allocations/<uuid:pk>/undo", credit_notes.undo, name="allocation-undo"),
    path("w/<slug:slug>/payments/<uuid:pk>/refund", refunds.refund, name="payment-refund"),
]
