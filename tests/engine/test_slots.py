"""A slot is held by one worker: on one machine by a lock file, across machines by a row with a heartbeat."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from provender.engine.errors import SlotTaken
from provender.engine.models import Slot
from provender.engine.slots import HeldSlot, executors_alive


def heard_of(number: int, holder: str, ago: timedelta) -> None:
    Slot.objects.create(number=number, holder=holder, seen_at=Now() - ago)


def test_a_slot_is_held_once_and_free_after_release(home):
    slot = HeldSlot(3)
    with pytest.raises(SlotTaken, match="slot 3 is held"):
        HeldSlot(3)
    slot.release()
    HeldSlot(3).release()


def test_each_slot_has_a_name_of_its_own(home):
    slots = [HeldSlot(0), HeldSlot(1)]
    assert executors_alive() == {"worker-0", "worker-1"}
    slots[0].release()
    assert executors_alive() == {"worker-1"}
    slots[1].release()


def test_a_worker_on_another_machine_keeps_its_slot(home):
    heard_of(0, "another machine", ago=timedelta(seconds=20))
    with pytest.raises(SlotTaken):
        HeldSlot(0)


def test_a_worker_that_fell_silent_loses_its_slot(home):
    heard_of(0, "another machine", ago=timedelta(seconds=31))
    assert executors_alive() == set()
    HeldSlot(0).release()


def test_a_restart_after_a_kill_need_not_wait_for_silence(home):
    HeldSlot(0).release()
    token = (home / "worker-0.lock").read_text()
    Slot.objects.update(holder=token, seen_at=Now())
    HeldSlot(0).release()


def test_a_worker_learns_with_its_next_beat_that_its_slot_is_gone(home):
    slot = HeldSlot(0)
    Slot.objects.update(holder="another machine", seen_at=Now())
    with pytest.raises(SlotTaken):
        slot.beat()
    slot.release()
    assert Slot.objects.get().holder == "another machine"
