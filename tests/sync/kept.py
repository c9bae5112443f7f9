"""What many tests of a file begin with, traded and sent once, and then put in place again.

`once` keeps what came of it from the first time: our rows, and the records in the simulator's books. For another test
the same are put there under its own wholesaler and connection, with their times moved on, as long as that test began
alike. `test_kept.py` compares the two.
"""

import re
from datetime import timedelta

from django.apps import apps
from django.db.models import DateTimeField
from msgspec.structs import replace

from provender.basics import clock
from provender.sync.models import Connection, Link
from sync.connected import move_times

OWN = {"id", "supplier_id", "consent_id", "xero_connection"}
MILLISECOND = timedelta(milliseconds=1)


def once(make, connection, simulator):
    """What `make()` returns, read anew: a row, or rows by their names."""
    began = beginning(connection, simulator)
    for one in kept:
        if one.of == make.__code__ and one.began == began:
            one.put(connection, simulator)
            return one.read()
    made = Kept(make, began, connection, simulator)
    kept.append(made)
    return made.read()


def beginning(connection, simulator):
    """What decides what comes of the making: the day, the settings, the switches, what there is in Xero."""
    settings = {
        field.attname: getattr(connection, field.attname)
        for field in Connection._meta.concrete_fields
        if field.attname not in OWN and not isinstance(field, DateTimeField)
    }
    there = [list(table.rows) for table in tables(simulator)]
    return clock.today(connection.supplier.time_zone), settings, simulator.switches.as_dict(), there


def tables(simulator):
    return next(iter(simulator.organisations.values())).tables.values()


class Kept:
    def __init__(self, make, began, connection, simulator):
        ours, theirs = our_rows(), [dict(table.rows) for table in tables(simulator)]
        made = make()
        self.of, self.began = make.__code__, began
        self.at = clock.now()
        rows = our_rows()
        assert all(rows[key] == was for key, was in ours.items() if key[0] is not Connection), "more was changed"
        self.rows = {}
        for (model, key), row in rows.items():
            if (model, key) not in ours:
                self.rows.setdefault(model, []).append(model(**row))
        self.connection = Connection.objects.get(pk=connection.pk)
        self.ids = [connection.supplier_id, connection.pk]
        self.records = [
            [record for key, record in table.rows.items() if before.get(key) is not record]
            for table, before in zip(tables(simulator), theirs, strict=True)
        ]
        self.made = made

    def put(self, connection, simulator):
        passed = (clock.now() - self.at) // MILLISECOND
        self.at += passed * MILLISECOND
        ids = [connection.supplier_id, connection.pk]
        ours = dict(zip(self.ids, ids, strict=True))
        self.ids = ids
        for model, rows in self.rows.items():
            for row in rows:
                move(row, passed)
                point_to(row, ours)
            model.objects.bulk_create(rows)
        move(self.connection, passed)
        own = {name: getattr(connection, name) for name in OWN}
        for field in Connection._meta.concrete_fields:
            setattr(connection, field.attname, own.get(field.attname, getattr(self.connection, field.attname)))
        connection.save()
        for number, table in enumerate(tables(simulator)):
            moved = [replace(record, updated=record.updated + passed) for record in self.records[number]]
            self.records[number] = moved
            for record in moved:
                table.place(record.id, record)

    def read(self):
        if isinstance(self.made, dict):
            return {name: fresh(row) for name, row in self.made.items()}
        return fresh(self.made)


def our_rows():
    """Every row of our tables, by its table and its id."""
    return {
        (model, row["id"]): row
        for model in apps.get_models()
        if model.__module__.startswith("provender.") and model._meta.pk.name == "id"
        for row in model._default_manager.order_by("pk").values(*(each.attname for each in model._meta.concrete_fields))
    }


def move(row, by):
    """Move its times on by so many milliseconds, and Xero's own that a link carries as it was written."""
    move_times(row, by * MILLISECOND)
    if isinstance(row, Link):
        row.updated = re.sub(r"\d+", lambda found: str(int(found[0]) + by), row.updated, count=1)


def point_to(row, ours):
    """Have it point to another wholesaler and connection; a number of its own is given anew."""
    for field in row._meta.concrete_fields:
        if field.primary_key:
            if field.db_returning:
                row.pk = None
        elif (field.is_relation or field.name == "subject") and (value := getattr(row, field.attname)) in ours:
            setattr(row, field.attname, ours[value])


def fresh(row):
    return type(row)._default_manager.get(pk=row.pk)


kept = []
