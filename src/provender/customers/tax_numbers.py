"""Tax numbers: what a country calls them, how they are written, and what makes one doubtful.

Only what plainly is no number is refused. A number that looks wrong is kept as written and said to be doubtful: a
person may have typed it from paper, and the tax office, not we, knows. Sources: the Australian Business Register's
rule for ABN check digits; Inland Revenue (8 or 9 digits); HMRC (9 digits, 12 for a branch, "GB" before them or not).
"""

import re
from collections.abc import Callable

from provender.customers.errors import TaxNumberUnreadable
from provender.suppliers.models import Country

WORDS: dict[str, str] = {Country.AU: "ABN", Country.NZ: "GST number", Country.GB: "VAT number"}
ABN_WEIGHTS = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
FEWEST = 4  # digits that a text must have to be taken for a number
_WRITTEN = re.compile(r"[A-Za-z0-9 ./:-]+")


def tax_number_word(country: str) -> str:
    """What people there call it: ABN, GST number, VAT number; elsewhere tax number."""
    return WORDS.get(country, "tax number")


def read_tax_number(text: str) -> str:
    """The text without space around it. Raises TaxNumberUnreadable for what plainly is no number ("ask Luca")."""
    bare = text.strip()
    if bare and (not _WRITTEN.fullmatch(bare) or len(_digits(bare)) < FEWEST):
        raise TaxNumberUnreadable(bare)
    return bare


def doubt_about(text: str, country: str) -> str:
    """A sentence that says why this tax number is probably mistyped; empty when it looks right or there is none."""
    digits, check = _digits(text), _DOUBTS.get(country)
    return check(digits) if digits and check else ""


def show_tax_number(text: str, country: str) -> str:
    """An ABN that looks right in its usual groups (51 824 753 556); anything else as written."""
    digits = _digits(text)
    if country != Country.AU or _doubt_abn(digits):
        return text
    return " ".join((digits[:2], digits[2:5], digits[5:8], digits[8:]))


def _digits(text: str) -> str:
    return "".join(re.findall(r"\d", text, re.ASCII))


def _doubt_abn(digits: str) -> str:
    if len(digits) != 11:
        return f"An ABN has 11 digits; this one has {len(digits)}."
    weighed = sum(weight * int(digit) for weight, digit in zip(ABN_WEIGHTS, digits, strict=True)) - ABN_WEIGHTS[0]
    return "" if weighed % 89 == 0 else "The check digits of this ABN don’t fit: a digit is probably mistyped."


def _doubt_ird(digits: str) -> str:
    return "" if len(digits) in (8, 9) else f"A GST number has 8 or 9 digits; this one has {len(digits)}."


def _doubt_vat(digits: str) -> str:
    return "" if len(digits) in (9, 12) else f"A VAT number has 9 digits; this one has {len(digits)}."


_DOUBTS: dict[str, Callable[[str], str]] = {Country.AU: _doubt_abn, Country.NZ: _doubt_ird, Country.GB: _doubt_vat}
