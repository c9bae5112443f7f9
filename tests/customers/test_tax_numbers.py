import pytest

from provender.customers.errors import TaxNumberUnreadable
from provender.customers.tax_numbers import doubt_about, read_tax_number, show_tax_number, tax_number_word


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("AU", "51 824 753 556"),
        ("AU", "53004085616"),
        ("AU", "ABN 53-004-085-616"),
        ("NZ", "49-091-850"),
        ("NZ", "136410132"),
        ("GB", "GB 980 7806 84"),
        ("GB", "980780684001"),
        ("AU", ""),
        ("", "12345"),
    ],
)
def test_no_doubt(country, number):
    assert doubt_about(number, country) == ""


@pytest.mark.parametrize(
    ("country", "number", "why"),
    [
        ("AU", "51 824 753 55", "11 digits; this one has 10"),
        ("AU", "51 824 753 565", "check digits"),
        ("NZ", "1234567", "8 or 9 digits; this one has 7"),
        ("GB", "GB12345", "9 digits; this one has 5"),
    ],
)
def test_a_doubt_says_why(country, number, why):
    assert why in doubt_about(number, country)


@pytest.mark.parametrize("text", ["ask Luca", "n/a", "123", "12 345 678 9\u0661", "<b>12345678901</b>"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(TaxNumberUnreadable):
        read_tax_number(text)


def test_what_may_be_one_is_kept_as_written():
    for text in ("51 824 753 556", "GB980780684", "IE1234567FA", "12-345"):
        assert read_tax_number(f" {text} ") == text
    assert read_tax_number("  ") == ""


def test_an_abn_is_shown_in_groups_when_it_looks_right():
    assert show_tax_number("51824753556", "AU") == "51 824 753 556"
    assert show_tax_number("51824753565", "AU") == "51824753565"
    assert show_tax_number("980780684", "GB") == "980780684"


def test_each_country_has_its_word():
    assert [tax_number_word(country) for country in ("AU", "NZ", "GB", "")] == [
        "ABN",
        "GST number",
        "VAT number",
        "tax number",
    ]
