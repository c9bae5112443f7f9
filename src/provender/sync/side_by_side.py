"""Several connections at once, so that a slow organisation doesn't keep the others waiting."""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from django.db import connections as databases

from provender.sync.models import Connection

AT_ONCE = 4  # each may have five calls in flight, and writes to the database only in short transactions


def side_by_side(due: Iterable[Connection], do: Callable[[Connection], None]) -> None:
    """Call `do`, which must not raise, for each of these, up to four at a time; returns when all are done.

    What `do` needs to be safe is the connection's lease. The threads end with the process: a drain may die anywhere.
    """
    waiting = deque(due)

    def work() -> None:
        while waiting:
            try:
                connection = waiting.popleft()
            except IndexError:  # another thread was quicker
                return
            do(connection)

    def work_apart() -> None:
        try:
            work()
        finally:
            databases.close_all()

    threads = [
        threading.Thread(target=work_apart, name=f"connection-{number}", daemon=True)
        for number in range(1, min(AT_ONCE, len(waiting)))
    ]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
