"""Tables made at once are those that one after another would be, in the database and in Django's picture of it."""

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from provender.basics.tables import CreateTables

BOOKS = "books"
KEY = ("id", models.BigAutoField(primary_key=True))
SHELF = models.ForeignKey("books.Shelf", models.CASCADE, related_name="books")
TABLES = [
    migrations.CreateModel("Shelf", [KEY, ("name", models.CharField(max_length=9))]),
    migrations.CreateModel(
        "Book",
        [KEY, ("shelf", SHELF), ("sequel", models.ForeignKey("self", models.CASCADE, null=True))],
        options={"constraints": [models.UniqueConstraint(fields=["shelf", "sequel"], name="one_sequel_a_shelf")]},
    ),
    migrations.CreateModel("Loan", [KEY, ("books", models.ManyToManyField("books.Book"))]),
]


def made(operations, *, looked_at):
    """The statements and the models that come of these operations; `looked_at`: the models were rendered before."""
    state = ProjectState()
    if looked_at:
        assert not list(state.apps.get_models())
    with connection.schema_editor(collect_sql=True) as editor:
        for operation in operations:
            before = state.clone()
            operation.state_forwards(BOOKS, state)
            operation.database_forwards(BOOKS, editor, before, state)
    reached = {model._meta.label: sorted(map(repr, model._meta.get_fields())) for model in state.apps.get_models()}
    return editor.collected_sql, reached


@pytest.mark.django_db(transaction=True)  # where SQLite changes tables at all
@pytest.mark.parametrize("looked_at", [True, False])
def test_at_once_is_the_same_as_one_after_another(looked_at):
    statements, reached = made([CreateTables(TABLES)], looked_at=looked_at)
    assert (statements, reached) == made(TABLES, looked_at=looked_at)
    assert set(reached) == {"books.Shelf", "books.Book", "books.Loan"}


@pytest.mark.django_db(transaction=True)
def test_it_is_taken_back_from_the_last_to_the_first():
    state = ProjectState()
    operation = CreateTables(TABLES)
    operation.state_forwards(BOOKS, state)
    with connection.schema_editor(collect_sql=True) as editor:
        operation.database_backwards(BOOKS, editor, state, ProjectState())
    dropped = [line.split('"')[1] for line in editor.collected_sql if line.startswith("DROP TABLE")]
    assert dropped == ["books_loan_books", "books_loan", "books_book", "books_shelf"]


def test_what_it_does_can_be_read():
    assert CreateTables(TABLES).describe() == "Create the tables of Shelf, Book, Loan"
