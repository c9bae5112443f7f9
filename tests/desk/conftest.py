"""Everybody at the desk, and the browser's stand-in."""

import pytest
from django.test import Client

import cast
from sync.conftest import books, connection, later, order, sync, xero  # noqa: F401 -- a connected wholesaler


@pytest.fixture(autouse=True)
def _plain_cache(settings):
    """Login limits count in memory, apart for each test."""
    from django.core.cache import cache

    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


@pytest.fixture
def desk(supplier):
    """A browser in which a person of the wholesaler is logged in: `desk("mai").get("/w/harbour/orders")`."""

    def sit_down(name, wholesaler=supplier):
        client = Client()
        client.force_login(cast.person(name, wholesaler))
        return client

    return sit_down


@pytest.fixture
def priya(desk):
    """The owner's browser."""
    return desk("priya")
