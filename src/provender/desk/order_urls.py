"""Addresses of orders and invoices."""

from django.urls import URLPattern, URLResolver, path

from provender.desk import amending, choosing, invoices, orders, papers

urlpatterns: list[URLPattern | URLResolver] = [
    path("w/<slug:slug>/orders", orders.orders, name="orders"),
    path("w/<slug:slug>/orders/new", orders.new, name="order-new"),
    path("w/<slug:slug>/orders/customers", choosing.customers, name="order-customers"),
    path("w/<slug:slug>/orders/products", choosing.products, name="order-products"),
    path("w/<slug:slug>/orders/<uuid:pk>", orders.order, name="order"),
    path("w/<slug:slug>/orders/<uuid:pk>/edit", orders.edit, name="order-edit"),
    path("w/<slug:slug>/orders/<uuid:pk>/amend", amending.amend, name="order-amend"),
    path("w/<slug:slug>/orders/<uuid:pk>/place", orders.place, name="order-place"),
    path("w/<slug:slug>/orders/<uuid:pk>/deliver", orders.deliver, name="order-deliver"),
    path("w/<slug:slug>/orders/<uuid:pk>/duplicate", orders.duplicate, name="order-duplicate"),
    path("w/<slug:slug>/orders/<uuid:pk>/cancel", orders.cancel, name="order-cancel"),
    path("w/<slug:slug>/orders/<uuid:pk>/delete", orders.delete, name="order-delete"),
    path("w/<slug:slug>/invoices", invoices.invoices, name="invoices"),
    path("w/<slug:slug>/invoices/<uuid:pk>", invoices.invoice, name="invoice"),
    path("w/<slug:slug>/invoices/<uuid:pk>/edit", invoices.edit, name="invoice-edit"),
    path("w/<slug:slug>/invoices/<uuid:pk>/void", invoices.void, name="invoice-void"),
    path("w/<slug:slug>/invoices/<uuid:pk>/pdf", papers.invoice, name="invoice-pdf"),
    path("invoice/<uuid:pk>", invoices.by_link, name="invoice-link"),
]
