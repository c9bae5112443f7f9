"""Addresses of products and customers from Xero: the pulls, one pull's preview and what came of it."""

from django.urls import URLPattern, URLResolver, path

from provender.desk import customer_pull, pull

urlpatterns: list[URLPattern | URLResolver] = [
    path("w/<slug:slug>/xero/products", pull.pulls, name="xero-products"),
    path("w/<slug:slug>/xero/products/<uuid:pk>", pull.show_pull, name="xero-pull"),
    path("w/<slug:slug>/xero/products/<uuid:pk>/undo", pull.undo, name="xero-pull-undo"),
    path("w/<slug:slug>/xero/products/<uuid:pk>/discard", pull.discard, name="xero-pull-discard"),
    path("w/<slug:slug>/xero/customers", customer_pull.pulls, name="xero-customers"),
    path("w/<slug:slug>/xero/customers/<uuid:pk>", customer_pull.show_pull, name="xero-customer-pull"),
    path("w/<slug:slug>/xero/customers/<uuid:pk>/undo", customer_pull.undo, name="xero-customer-pull-undo"),
    path("w/<slug:slug>/xero/customers/<uuid:pk>/discard", customer_pull.discard, name="xero-customer-pull-discard"),
]
