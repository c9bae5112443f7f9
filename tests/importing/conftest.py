import pytest

import cast


@pytest.fixture
def giftware(db):
    """Giftware Wholesale of London, which imports its past."""
    return cast.supplier("giftware")
