"""Transactions that many follow each other of, each short enough for those who write meanwhile."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def short_transaction() -> Iterator[None]:
    """`atomic`, with the garbage collector kept out: looking through all that a large piece of work holds in memory
    takes it longer than the transaction itself. What another thread switches on again is only a chance missed.
    """
    gc.disable()
    try:
        with transaction.atomic():
            yield
    finally:
        gc.enable()
