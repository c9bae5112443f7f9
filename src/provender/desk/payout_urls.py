"""Addresses of payouts and of payment providers' files."""

from django.urls import URLPattern, URLResolver, path

from provender.desk import payout_files, payouts

urlpatterns: list[URLPattern | URLResolver] = [
    path("w/<slug:slug>/payouts", payouts.payouts, name="payouts"),
    path("w/<slug:slug>/payouts/file", payout_files.upload, name="payout-file-new"),
    path("w/<slug:slug>/payouts/<uuid:pk>", payouts.payout, name="payout"),
    path("w/<slug:slug>/payouts/<uuid:pk>/match", payouts.match, name="payout-match"),
    path("w/<slug:slug>/payouts/<uuid:pk>/close", payouts.close, name="payout-close"),
    path("w/<slug:slug>/payouts/<uuid:pk>/undo", payouts.undo, name="payout-undo"),
    path("w/<slug:slug>/payouts/<uuid:pk>/lines/<int:position>", payouts.line, name="payout-line"),
    path("w/<slug:slug>/payout-files/<uuid:pk>", payout_files.look, name="payout-file"),
    path("w/<slug:slug>/payout-files/<uuid:pk>/take", payout_files.take, name="payout-file-take"),
    path("w/<slug:slug>/payout-files/<uuid:pk>/discard", payout_files.discard, name="payout-file-discard"),
]
