import gc

from django.apps import AppConfig


class ConfigApp(AppConfig):
    """The one place that wires rooms together: which work the engine does, and how often."""

    name = "provender.config"
    label = "config"

    def ready(self) -> None:
        from django.conf import settings

        from provender import engine
        from provender.changes.actions import DRAIN
        from provender.importing.actions import work as import_files
        from provender.people.actions import forget_sessions
        from provender.sync.drain import drain_due
        from provender.sync.jobs import check_connections, compare_by_night, follow_terms, keep_house
        from provender.sync.poll import POLL, poll_due
        from provender.sync.terms import FOLLOW

        engine.schedule(DRAIN, drain_due, every=settings.SYNC_SWEEP_SECONDS, hurried=True)
        engine.schedule("imports", import_files, every=15, hurried=True)
        engine.schedule(POLL, poll_due, every=15, hurried=True)
        engine.schedule("check-connections", check_connections, every=600)
        engine.schedule(FOLLOW, follow_terms, every=600, hurried=True)
        engine.schedule("compare-books", compare_by_night, every=1800)
        engine.schedule("keep-house", keep_house, every=21_600)
        engine.schedule("forget-sessions", forget_sessions, every=86_400)
        # All that was imported stays for ever. Looked through by the garbage collector again and again, often in the
        # middle of a transaction, it would keep other writers waiting for 50 ms each time.
        gc.freeze()
