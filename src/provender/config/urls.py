"""Every address: the staff screens, login, and where Xero's webhook knocks."""

from django.urls import include, path

from provender.desk import webhooks

urlpatterns = [
    path("", include("provender.desk.urls")),
    path("account/", include("provender.desk.account_urls")),
    path("webhooks/xero", webhooks.xero, name="webhook-xero"),
]
