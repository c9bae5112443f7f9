from uuid import uuid4

import pytest
from django.db.models import F

import cast
from provender.changes.actions import ask, park, post, post_many, settle
from provender.changes.models import Change

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(supplier):
    post(supplier, "invoice", made := uuid4(), "Raised")
    return Change.objects.filter(document=made)


def due():
    return set(Change.objects.filter(revision__gt=F("settled")).values_list("document", flat=True))


def test_ten_quick_edits_are_one_row(supplier, document):
    for number in range(9):
        post(supplier, "invoice", document.get().document, f"Edit {number}")
    change = document.get()
    assert (change.revision, change.why) == (10, "Edit 8")
    assert change.first_at < change.changed_at


def test_a_document_is_known_by_wholesaler_kind_and_id(supplier, document):
    same_id = document.get().document
    post(supplier, "contact", same_id, "New")
    post(cast.supplier("southern"), "invoice", same_id, "Raised")
    assert list(Change.objects.filter(document=same_id).values_list("revision", flat=True)) == [1, 1, 1]


def test_many_are_posted_in_few_statements(supplier, django_assert_max_num_queries):
    documents = [uuid4() for _ in range(1638)]
    with django_assert_max_num_queries(17):
        post_many(supplier, "invoice", [*documents, documents[0]], "Imported", imported=True)
    assert Change.objects.filter(imported=True, revision=1).count() == 1638


def test_what_was_told_is_due_no_more(document):
    settle(document, 1)
    assert due() == set()


def test_an_edit_during_the_telling_stays_due(supplier, document):
    ask(document)
    post(supplier, "invoice", document.get().document, "Edited")
    settle(document, 1)
    assert due() == {document.get().document}
    assert document.get().asked_at is not None


def test_an_old_answer_takes_nothing_back(supplier, document):
    post(supplier, "invoice", document.get().document, "Edited")
    settle(document, 2)
    settle(document, 1)
    assert document.get().settled == 2


def test_a_parked_revision_waits_and_a_newer_one_does_not(supplier, document):
    ask(document)
    park(document, 1)
    assert (document.get().parked, document.get().asked_at) == (1, None)
    post(supplier, "invoice", document.get().document, "Edited")
    assert document.get().parked < document.get().revision


def test_parking_an_old_revision_leaves_the_newer_one_asked_for(supplier, document):
    ask(document)
    post(supplier, "invoice", document.get().document, "Edited")
    park(document, 1)
    assert document.get().asked_at is not None


def test_asking_lets_a_parked_one_go_again(document):
    park(document, 1)
    assert ask(document) == 1
    assert document.get().parked == 0
    assert document.get().asked_at is not None


def test_asking_for_what_is_in_step_does_nothing(document):
    settle(document, 1)
    assert ask(document) == 0


def test_asking_again_makes_what_is_in_step_due_once_more(document):
    settle(document, 1)
    assert ask(document, again=True) == 1
    assert document.get().settled == 0


def test_posting_wakes_the_drain_after_the_commit(supplier, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as woken:
        post(supplier, "invoice", uuid4(), "Raised")
    assert len(woken) == 1
