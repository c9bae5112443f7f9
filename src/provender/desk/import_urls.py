"""Addresses of imports: files of invoices on their way in."""

from django.urls import URLPattern, URLResolver, path

from provender.desk import imports

urlpatterns: list[URLPattern | URLResolver] = [
    path("w/<slug:slug>/imports", imports.imports, name="imports"),
    path("w/<slug:slug>/imports/new", imports.upload, name="import-new"),
    path("w/<slug:slug>/imports/<uuid:pk>", imports.show_import, name="import"),
    path("w/<slug:slug>/imports/<uuid:pk>/columns", imports.columns, name="import-columns"),
    path("w/<slug:slug>/imports/<uuid:pk>/apply", imports.apply, name="import-apply"),
    path("w/<slug:slug>/imports/<uuid:pk>/discard", imports.discard, name="import-discard"),
    path("w/<slug:slug>/imports/<uuid:pk>/documents", imports.documents, name="import-documents"),
    path("w/<slug:slug>/imports/<uuid:pk>/rejects.csv", imports.rejects, name="import-rejects"),
]
