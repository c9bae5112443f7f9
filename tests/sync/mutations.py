"""The write protocol with one of its rules taken away, to see whether the tests notice.

A pytest plugin for `scripts/mutations.py`: PROTOCOL_WITHOUT names the rule. Histories are tried as they come, without
making a failing one small, and counted.
"""

import os
from datetime import timedelta

import pytest
from django.db.models import F
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings

from provender.basics import clock
from provender.sync import dispatching, lined, recording, recovery
from provender.sync.differences import GONE
from provender.sync.failpoints import Failpoint, reach
from provender.sync.kinds import Kind
from provender.sync.lease import Lease

WITHOUT = os.environ.get("PROTOCOL_WITHOUT")
if WITHOUT is not None:
    hypothesis_settings.register_profile(
        "hunting", derandomize=False, phases=[Phase.generate], report_multiple_bugs=False
    )
    hypothesis_settings.load_profile("hunting")


def settling_time(patch, settings):
    """A look-up that finds nothing counts at once."""
    settings.SYNC_SETTLE_SECONDS = settings.SYNC_SETTLE_UNHELD_SECONDS = 0


def look(patch, settings):
    """A change or a void is sent without looking how the document stands in Xero."""
    patch.setattr(lined, "_look", lambda _work, _lined, revisions, _links, **_how: (dict(revisions), 0))


def fence(patch, settings):
    """A drain that was overtaken goes on writing."""
    patch.setattr(Lease, "fence", lambda _lease: None)


def stamp(patch, settings):
    """Nothing is written down just before the send, so each doubt looks as if it had never been sent."""

    def stamp(courier, dispatch):
        reach(Failpoint.STAMPED)
        return clock.now()

    patch.setattr(dispatching.Courier, "stamp", stamp)


def first_byte(patch, settings):
    """A process that slept after its stamp sends all the same."""
    patch.setattr(dispatching, "FRESH_STAMP", timedelta.max)


def put(patch, settings):
    """Creates are POST, which writes over another document of the same number."""
    patch.setitem(dispatching.METHODS, "create", "POST")


def revision(patch, settings):
    """An answer settles whatever the document's revision is by now."""

    def settle(change, revision):
        change.update(settled=F("revision"), asked_at=None)

    patch.setattr(recording, "settle", settle)
    patch.setattr(lined, "settle", settle)


def identity(patch, settings):
    """Answers are matched by their place."""
    whole, known, by_place = dispatching.Courier._record, Kind.identity, {}

    def record(courier, sent, answer):
        kind, operation = sent.parcel.row, sent.parcel.operation
        for row, element in zip(sent.documents, answer.elements, strict=False):
            by_place[id(element.value)] = kind.identity_of(operation, row)
        return whole(courier, sent, answer)

    def identity(kind, operation, theirs):
        return by_place.get(id(theirs)) or known(kind, operation, theirs)

    patch.setattr(dispatching.Courier, "_record", record)
    patch.setattr(Kind, "identity", identity)


def mark(patch, settings):
    """What has our number is ours, whatever its mark says."""
    patch.setattr(recovery, "is_ours", lambda _theirs, _document: True)


def asked(patch, settings):
    """The age of a doubt is taken when the look-up has answered, not when it was asked."""
    whole = recovery._is_settled
    patch.setattr(
        recovery,
        "_is_settled",
        lambda dispatch, document, _asked_at: whole(dispatch, document, clock.database_now()),
    )


def same_as_before(patch, settings):
    """A change that says what was there before is believed at once."""

    def happened(judge, row, theirs):
        if judge.dispatch.operation == "void":
            return theirs.status in GONE
        return theirs.status not in GONE and judge._is_as_sent(row, theirs)

    patch.setattr(recovery._LinedJudge, "_happened", happened)


def taken(patch, settings):
    """A refusal for uniqueness is believed without a look."""
    patch.setattr(dispatching, "says_taken", lambda _messages: False)


RULES = {
    rule.__name__: rule
    for rule in (
        settling_time, look, fence, stamp, first_byte, put, revision, identity, mark, asked, same_as_before, taken,
    )
}  # fmt: skip


@pytest.fixture(autouse=True)
def _without(monkeypatch, settings):
    if WITHOUT:
        RULES[WITHOUT](monkeypatch, settings)


@pytest.fixture(autouse=True)
def _count(request, monkeypatch):
    """Say how many histories the machine had tried when one failed."""
    machine = getattr(request.node, "callspec", None) and request.node.callspec.params.get("machine")
    if machine is None:
        yield
        return
    judged, tried, failed = machine.teardown, 0, 0

    def teardown(its):
        nonlocal tried, failed
        tried += 1
        try:
            judged(its)
        except BaseException:
            failed = failed or tried
            raise

    monkeypatch.setattr(machine, "teardown", teardown)
    yield
    print(f"histories: {failed or tried}")
