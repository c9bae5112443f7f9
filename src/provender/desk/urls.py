"""All staff screens under the one name space `desk`; each list below belongs to one part of the screens."""

from django.urls import URLPattern, URLResolver

from provender.desk import (
    credit_urls,
    frame_urls,
    import_urls,
    order_urls,
    payment_urls,
    payout_urls,
    pull_urls,
    trade_urls,
    xero_urls,
)

app_name = "desk"
urlpatterns: list[URLPattern | URLResolver] = [
    *frame_urls.urlpatterns,
    *order_urls.urlpatterns,
    *payment_urls.urlpatterns,
    *trade_urls.urlpatterns,
    *xero_urls.urlpatterns,
    *import_urls.urlpatterns,
    *pull_urls.urlpatterns,
    *payout_urls.urlpatterns,
    *credit_urls.urlpatterns,
]
