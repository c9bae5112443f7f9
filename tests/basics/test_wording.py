import pytest

from provender.basics.wording import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 credits"), (1, "1 credit"), (1204, "1,204 credits")])
def test_a_number_of_things_is_said_in_words(number, said):
    assert counted(number, "credit") == said
