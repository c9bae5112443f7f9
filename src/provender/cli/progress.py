"""How far a command is, on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress_bar(what: str, *, say: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar; yields what takes how many are done, of how many. Where standard error is no terminal there is none, but
    with `say` a line at the beginning.
    """
    if not sys.stderr.isatty():
        if say:
            click.echo(f"{what} …", err=True)
        yield lambda _done, _of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of or None)
