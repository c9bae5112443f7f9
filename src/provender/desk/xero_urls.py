"""Addresses of the link to Xero: connection and consent, settings, problems, activity, a customer's contact."""

from django.urls import URLPattern, URLResolver, path

from provender.desk import activity, contacts, problems, tracking, xero, xero_settings

urlpatterns: list[URLPattern | URLResolver] = [
    path("xero/callback", xero.callback, name="xero-callback"),
    path("w/<slug:slug>/integrations", xero.integrations, name="integrations"),
    path("w/<slug:slug>/xero", xero.xero, name="xero"),
    path("w/<slug:slug>/xero/connect", xero.connect, name="xero-connect"),
    path("w/<slug:slug>/xero/choose/<int:pk>", xero.choose, name="xero-choose"),
    path("w/<slug:slug>/xero/disconnect", xero.disconnect, name="xero-disconnect"),
    path("w/<slug:slug>/xero/reload", xero.reload_chart, name="xero-reload"),
    path("w/<slug:slug>/xero/check", xero.check, name="xero-check"),
    path("w/<slug:slug>/xero/skus", xero.skus, name="xero-skus"),
    path("w/<slug:slug>/xero/send", xero.send, name="xero-send"),
    path("w/<slug:slug>/xero/settings", xero_settings.settings, name="xero-settings"),
    path("w/<slug:slug>/xero/settings/mark/<slug:field>", xero_settings.mark, name="xero-settings-mark"),
    path("w/<slug:slug>/xero/tracking", tracking.tracking, name="xero-tracking"),
    path("w/<slug:slug>/xero/problems", problems.problems, name="problems"),
    path("w/<slug:slug>/xero/problems/again", problems.again_all, name="problems-again"),
    path("w/<slug:slug>/xero/problems/<int:pk>/again", problems.again, name="problem-again"),
    path("w/<slug:slug>/xero/problems/<int:pk>/<slug:do>", problems.repair, name="problem-repair"),
    path("w/<slug:slug>/xero/activity", activity.activity, name="activity"),
    path("w/<slug:slug>/customers/<uuid:pk>/contact", contacts.contact, name="customer-contact"),
    path("w/<slug:slug>/customers/<uuid:pk>/contact/unlink", contacts.unlink, name="customer-unlink"),
]
