"""Each rule that `scripts/mutations.py` takes away is still where it was."""

import pytest

from sync.mutations import RULES


@pytest.mark.parametrize("name", sorted(RULES))
def test_the_rule_is_there_to_be_taken_away(name, monkeypatch, settings):
    RULES[name](monkeypatch, settings)
