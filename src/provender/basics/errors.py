"""The one base of every error that a person may see."""

from typing import ClassVar


class ProvenderError(Exception):
    """A situation a person can understand; `str()` is the sentence: what, why, what to do next.

    Each room's `errors.py` holds one subclass per situation; it takes the objects and writes the sentence. `code` is
    stable and is what the docs and scripts know it by.
    """

    code: ClassVar[str] = "error"

    @property
    def sentence(self) -> str:
        """The text to show, ready for a screen or standard error."""
        return str(self)
