"""Addresses of the frame: Today, search, people, the wholesaler's settings, invitations, and the chooser at `/`."""

from django.urls import URLPattern, URLResolver, path

from provender.desk import front, people, properties, search, settings, today

urlpatterns: list[URLPattern | URLResolver] = [
    path("", front.choose, name="choose"),
    path("join/<str:secret>", front.join, name="join"),
    path("w/<slug:slug>/", today.today, name="today"),
    path("w/<slug:slug>/search", search.search, name="search"),
    path("w/<slug:slug>/settings", settings.settings, name="settings"),
    path("w/<slug:slug>/settings/numbering", settings.numbering, name="settings-numbering"),
    path("w/<slug:slug>/settings/money", settings.money, name="settings-money"),
    path("w/<slug:slug>/settings/freight", settings.freight, name="freight"),
    path("w/<slug:slug>/settings/freight/new", settings.freight_new, name="freight-new"),
    path("w/<slug:slug>/settings/freight/<uuid:pk>", settings.freight_edit, name="freight-edit"),
    path("w/<slug:slug>/settings/properties", properties.properties, name="properties"),
    path("w/<slug:slug>/settings/properties/new", properties.new, name="property-new"),
    path("w/<slug:slug>/settings/properties/<uuid:pk>", properties.edit, name="property"),
    path("w/<slug:slug>/settings/properties/<uuid:pk>/option", properties.option, name="property-option"),
    path("w/<slug:slug>/settings/properties/<uuid:pk>/delete", properties.delete, name="property-delete"),
    path("w/<slug:slug>/properties/<slug:kind>/<uuid:pk>", properties.values, name="property-values"),
    path("w/<slug:slug>/people", people.people, name="people"),
    path("w/<slug:slug>/people/invite", people.invite, name="people-invite"),
    path("w/<slug:slug>/people/invitations/<int:pk>/withdraw", people.withdraw, name="invitation-withdraw"),
    path("w/<slug:slug>/people/<int:pk>", people.person, name="person"),
    path("w/<slug:slug>/people/<int:pk>/remove", people.remove, name="person-remove"),
]
