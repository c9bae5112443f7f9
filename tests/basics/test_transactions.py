import gc

import pytest
from django.db import connection

from provender.basics.transactions import short_transaction


@pytest.mark.django_db
def test_the_garbage_collector_waits_for_a_short_transaction():
    with short_transaction():
        assert not gc.isenabled()
        assert connection.in_atomic_block
    assert gc.isenabled()


@pytest.mark.django_db
def test_the_garbage_collector_is_back_after_a_failure():
    with pytest.raises(LookupError), short_transaction():
        raise LookupError
    assert gc.isenabled()
