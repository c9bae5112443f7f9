"""What pulls share: previews that are kept, go from state to state, and are applied and undone in short batches."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from provender.suppliers.models import Supplier
from provender.sync.errors import PullGone
from provender.sync.models import Connection, CustomerPull, Preview, Pull

Row = TypeVar("Row", bound=Model)
Kept = TypeVar("Kept", Pull, CustomerPull)
Told = Callable[[int, int], None]  # rows done, of how many
State = Preview.State
BATCH = 120  # a batch is one transaction, short enough for those who read meanwhile
FORGOTTEN_AT_ONCE = 500  # rows
KEPT = 10  # pulls whose rows can still be looked at


def pulls_of(kind: type[Kept], supplier: Supplier) -> QuerySet[Kept]:
    """The wholesaler's pulls of that kind that can be looked at, newest first."""
    pulls = kind.objects.filter(connection__supplier=supplier).exclude(state=State.READING)
    return pulls.select_related("connection__supplier", "by", "applied_by", "undone_by")


def silent(_done: int, _of: int) -> None:
    """Nobody watches."""


def forget_old(kind: Any, connection: Connection) -> None:
    """Delete the previews of that kind that nobody applied, and all but the newest of the others."""
    pulls = kind.objects.filter(connection=connection)
    for pull in pulls.filter(state__in=[State.READING, State.PREVIEW]):
        _forget(pull)
    for pull in pulls[KEPT:]:
        _forget(pull)


def discard(pull: Any) -> None:
    """Forget a preview that nobody applied."""
    if type(pull).objects.filter(pk=pull.pk, state=State.PREVIEW).update(state=State.READING):
        _forget(pull)


def _forget(pull: Any) -> None:
    """Its rows first, some at a time: one statement for thousands would keep others from writing too long."""
    while some := list(pull.rows.order_by().values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        pull.rows.filter(pk__in=some).delete()
    pull.delete()


def can_undo(pull: Any) -> bool:
    """Whether this is the last pull of its kind that was applied, and hasn't been undone."""
    applied = type(pull).objects.filter(connection=pull.connection_id).exclude(applied_at=None)
    last = applied.order_by("-applied_at").first()
    return last is not None and last.pk == pull.pk and pull.state in {State.APPLIED, State.UNDOING}


def batches(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows in parts that one transaction may hold."""
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def note(rows: Iterable[Model], *columns: str) -> None:
    """Save these columns. Most rows fare alike, so one update for each way to fare is few."""
    alike: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        alike[repr([getattr(row, column) for column in columns])].append(row)
    for same in alike.values():
        values = {column: getattr(same[0], column) for column in columns}
        type(same[0]).objects.filter(pk__in=[row.pk for row in same]).update(**values)


def must_be(pull: Any, state: Preview.State) -> None:
    """Raises PullGone unless the pull is in that state."""
    if not type(pull).objects.filter(pk=pull.pk, state=state).exists():
        raise PullGone


def lock(pull: Any, state: Preview.State) -> None:
    """Hold the pull for this transaction: of two people who press a button, one waits and finds the work done."""
    if not type(pull).objects.select_for_update().filter(pk=pull.pk, state=state).exists():
        raise PullGone


def move(pull: Any, states: Sequence[Preview.State], to: Preview.State, **stamps: Any) -> None:
    """From one of these states to that one. Raises PullGone."""
    if not type(pull).objects.filter(pk=pull.pk, state__in=states).update(state=to, **stamps):
        raise PullGone
    pull.refresh_from_db()
