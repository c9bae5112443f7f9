"""What each role may do. Screens and actions ask `may(membership, Doing.…)`; nothing else decides."""

from django.db import models


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    STAFF = "staff", "Order desk"
    BOOKKEEPER = "bookkeeper", "Bookkeeper"
    READER = "reader", "Read-only"


class Doing(models.TextChoices):
    """The kinds of thing a person does here."""

    LOOK = "look", "look at everything"
    TRADE = "trade", "take orders, edit customers, products and prices"
    BOOKS = "books", "connect Xero, change its settings, send and repair documents"
    RUN = "run", "change the wholesaler's record and its people"


MAY: dict[str, frozenset[Doing]] = {
    Role.OWNER: frozenset(Doing),
    Role.STAFF: frozenset({Doing.LOOK, Doing.TRADE}),
    Role.BOOKKEEPER: frozenset({Doing.LOOK, Doing.TRADE, Doing.BOOKS}),
    Role.READER: frozenset({Doing.LOOK}),
}
