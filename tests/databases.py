"""Databases for the tests that start real processes, which can't share the one of the test run."""

import os

from django.conf import settings


def own_database(request, name):
    """The environment that gives processes a database of their own, gone when `request`'s scope ends.

    On SQLite that is the one in their own PROVENDER_HOME, so nothing needs to be said.
    """
    if not settings.DATABASE_URL:
        return {}
    import psycopg

    name = f"{name}_{os.getpid()}"
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")

    def drop():
        with psycopg.connect(settings.DATABASE_URL, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    request.addfinalizer(drop)
    scheme, _, rest = settings.DATABASE_URL.partition("://")
    where, slash, tail = rest.partition("/")
    return {"DATABASE_URL": f"{scheme}://{where}{slash}{name}{tail[len(tail.split('?')[0]) :]}"}
