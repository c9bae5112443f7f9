"""A worker in a process of its own, to be killed.

`prepare` makes the tables, `work SLOT` works, `silence` makes every worker look as if it had not been heard for long.
The one job, run once a day, writes a line to the file `runs` in PROVENDER_HOME and then takes a minute. The database
is the one of DATABASE, a JSON object as in Django's settings; it needs no tables but the engine's.
"""

import json
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

HOME = Path(os.environ["PROVENDER_HOME"])


def write_a_line() -> None:
    with (HOME / "runs").open("a") as runs:
        runs.write(f"{os.getpid()}\n")
    time.sleep(60)


def main(command: str, slot: str = "0") -> None:
    settings.configure(
        PROVENDER_HOME=HOME,
        DATABASE_URL=os.environ.get("DATABASE_URL", ""),
        DATABASES={"default": json.loads(os.environ["DATABASE"])},
        INSTALLED_APPS=["provender.engine"],
        USE_TZ=True,
    )
    django.setup()
    if command == "prepare":
        call_command("migrate", verbosity=0)
    elif command == "silence":
        silence()
    else:
        work(int(slot))


def silence() -> None:
    from django.db.models.functions import Now

    from provender.engine.models import Slot

    Slot.objects.update(seen_at=Now() - timedelta(hours=1))


def work(slot: int) -> None:
    from haste import hasten

    from provender import engine
    from provender.engine.errors import SlotTaken

    hasten(setattr)
    engine.schedule("daily", write_a_line, every=86_400)
    try:
        engine.run(slot)
    except SlotTaken as taken:
        sys.exit(str(taken))


if __name__ == "__main__":
    main(*sys.argv[1:])
