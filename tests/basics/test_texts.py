"""What a text may hold, wherever it comes from."""

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provender.basics.texts import one_line, readable, some_lines

SIGNS = [
    *map(chr, range(0xA1)),
    "\u2028",
    "\u2029",
    "\ufeff",
    "\ufffe",
    "\uffff",
    "\ud800",
    "\udfff",
    "\r\n",
    "é",
    "☕",
]
texts = st.text(st.characters(), max_size=20) | st.lists(st.sampled_from(SIGNS), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\x0bb\x0cc\x85d\u2028e\u2029f", "a\nb\nc\nd\ne\nf"),
        ("\ufeffOat\0 \x07milk\x7f\ud800", "Oat milk"),
        ("a\tb", "a\tb"),
        ("METAL LANTERN ", "METAL LANTERN "),
        ("Café ☕ 1\xa0kg", "Café ☕ 1\xa0kg"),
    ],
)
def test_what_cannot_be_seen_is_left_out_and_lines_end_one_way(typed, kept):
    assert readable(typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"), [(" a\r\n\tb ", "a b"), ("\r", ""), ("\x01", ""), ("a  b", "a  b"), ("\ufeff =1", "=1")]
)
def test_one_line_has_blanks_where_lines_ended(typed, kept):
    assert one_line(typed) == kept


@given(texts)
@example("\x01 \x01")
def test_a_clean_text_is_clean_for_good(text):
    for clean in (readable, some_lines, one_line):
        assert clean(clean(text)) == clean(text)
    assert one_line(text) == one_line(some_lines(text))
    assert len(one_line(text).splitlines()) <= 1
    assert readable(text).splitlines() == readable(text).removesuffix("\n").split("\n") or not readable(text)


@given(texts)
def test_every_carrier_brings_it_back_as_it_went(text):
    kept = readable(text)
    assert "\0" not in kept
    file = io.StringIO(newline="")
    csv.writer(file).writerow([kept, "end"])
    assert next(csv.reader(file.getvalue().encode().decode().splitlines(keepends=True))) == [kept, "end"]
    assert json.loads(json.dumps(kept)) == kept
    root = ET.Element("t")
    root.text = kept
    assert (ET.fromstring(ET.tostring(root, "utf-8")).text or "") == kept  # noqa: S314 -- our own
