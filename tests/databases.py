"""Databases for the tests that start real processes, which can't share the one of the test run."""

import os
from urllib.parse import urlsplit

from django.conf import settings


def own_database(request, name, like=None):
    """The environment that gives processes a database of their own, gone when `request`'s scope ends.

    On SQLite that is the one in their own PROVENDER_HOME, so nothing needs to be said. `like` is what this answered for
    another database, which it then begins as a copy of; nobody may be connected to that one.
    """
    if not settings.DATABASE_URL:
        return {}
    import psycopg

    name = f"{name}_{os.getpid()}"
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {_name(like)}" if like else ""))

    def drop():
        with psycopg.connect(settings.DATABASE_URL, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    request.addfinalizer(drop)
    scheme, _, rest = settings.DATABASE_URL.partition("://")
    where, slash, tail = rest.partition("/")
    return {"DATABASE_URL": f"{scheme}://{where}{slash}{name}{tail[len(tail.split('?')[0]) :]}"}


def _name(environment):
    return urlsplit(environment["DATABASE_URL"]).path.lstrip("/")
