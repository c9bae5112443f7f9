"""Every address: the staff screens, and login."""

from django.urls import include, path

urlpatterns = [
    path("", include("provender.desk.urls")),
    path("account/", include("provender.desk.account_urls")),
]
