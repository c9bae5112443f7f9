"""Addresses of products from Xero: the pulls, one pull's preview and what came of it."""

from django.urls import URLPattern, URLResolver, path

from provender.desk import pull

urlpatterns: list[URLPattern | URLResolver] = [
    path("w/<slug:slug>/xero/products", pull.pulls, name="xero-products"),
    path("w/<slug:slug>/xero/products/<uuid:pk>", pull.show_pull, name="xero-pull"),
    path("w/<slug:slug>/xero/products/<uuid:pk>/undo", pull.undo, name="xero-pull-undo"),
    path("w/<slug:slug>/xero/products/<uuid:pk>/discard", pull.discard, name="xero-pull-discard"),
]
