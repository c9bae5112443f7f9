"""What a text may hold: the only module that cleans them.

What people type, files bring and Xero sends may hold signs that nobody sees and that some carrier of ours can't hold:
XML and spreadsheets no control characters, PostgreSQL no zero, CSV no lone carriage return, UTF-8 no half of a pair. So
they are taken out where a text comes to rest, in the fields below, and what is kept comes back from every file as it
went. A column of a person's words is a LineField, a LinesField or an AddressField; a test walks the models.
"""

import re
from typing import TYPE_CHECKING, Any

from django.db import models

_BREAKS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# Controls but tab and line feed, halves of pairs, the byte order mark, and the two that are no characters.
_UNSEEN = re.compile("[\0-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_GAPS = re.compile("[\t\n]+")


def readable(text: str) -> str:
    """The text with one kind of line end and without what can't be seen; blanks around it stay."""
    return text if text.isprintable() else _UNSEEN.sub("", _BREAKS.sub("\n", text))


def some_lines(text: str) -> str:
    """The same without blanks and empty lines around it, for what may have several lines."""
    return readable(text).strip()


def one_line(text: str) -> str:
    """The same in one line: what parted lines is a blank."""
    return text.strip() if text.isprintable() else _GAPS.sub(" ", some_lines(text))


if TYPE_CHECKING:
    _Char = models.CharField[str | models.expressions.Combinable, str]
    _Text = models.TextField[str | models.expressions.Combinable, str]
    _Email = models.EmailField[str | models.expressions.Combinable, str]
else:
    _Char, _Text, _Email = models.CharField, models.TextField, models.EmailField


class LineField(_Char):
    """A column for words in one line. They are cleaned when the row is checked, written or looked for by them."""

    def to_python(self, value: Any) -> Any:
        return one_line(value) if isinstance(value, str) else super().to_python(value)

    def deconstruct(self) -> Any:
        return _plain(super().deconstruct(), models.CharField)


class LinesField(_Text):
    """A column for words in several lines, likewise."""

    def to_python(self, value: Any) -> Any:
        return some_lines(value) if isinstance(value, str) else super().to_python(value)

    def deconstruct(self) -> Any:
        return _plain(super().deconstruct(), models.TextField)


class AddressField(_Email):
    """A column for an e-mail address, likewise: in quotes an address may hold any sign."""

    def to_python(self, value: Any) -> Any:
        return one_line(value) if isinstance(value, str) else super().to_python(value)

    def deconstruct(self) -> Any:
        return _plain(super().deconstruct(), models.EmailField)


def _plain(parts: Any, kind: type["models.Field[Any, Any]"]) -> Any:
    """For the database it is a column like any other, so migrations needn't know."""
    name, _, args, kwargs = parts
    return name, f"django.db.models.{kind.__name__}", args, kwargs
