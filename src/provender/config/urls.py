"""Every address: the staff screens, login, and where Xero's webhook knocks; and what is said when one can't answer."""

from django.urls import include, path

from provender.desk import webhooks

urlpatterns = [
    path("", include("provender.desk.urls")),
    path("account/", include("provender.desk.account_urls")),
    path("webhooks/xero", webhooks.xero, name="webhook-xero"),
]
handler400 = "provender.desk.refusals.unreadable"
handler500 = "provender.desk.refusals.broken"
