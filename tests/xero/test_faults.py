"""One table decides what an answer of Xero's means."""

import json
import pickle

import pytest

from provender.xero import ElementFault, NotConnected, NotSent, OutcomeUnknown, Refused, TryLater, judge

EXPIRED = b'{"Title":"Unauthorized","Status":401,"Detail":"TokenExpired: token expired at 04/09/2023 05:16:59"}'
NO_SCOPE = b'{"Title":"Unauthorized","Status":401,"Detail":"AuthorizationUnsuccessful"}'
NO_TENANT = b'{"Title":"Forbidden","Status":403,"Detail":"AuthenticationUnsuccessful"}'
UNPARSED = b'{"ErrorNumber":14,"Type":"PostDataInvalidException","Message":"Invalid JSON"}'
INVALID = json.dumps(
    {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [
            {
                "InvoiceNumber": "INV-7",
                "Contact": {"ValidationErrors": [{"Message": "Email address must be valid."}]},
                "LineItems": [
                    {"ValidationErrors": [{"Message": "Account must be valid."}]},
                    {"ValidationErrors": [{"Message": "Account must be valid."}]},
                ],
                "ValidationErrors": [{"Message": "Invoice # must be unique."}],
            }
        ],
    }
).encode()
CLASH = "Idempotency Key: k1 is used with a different request."
HTML = b"<html><body>Bad gateway</body></html>"


@pytest.mark.parametrize(("status", "body"), [(200, b'{"Status":"OK"}'), (200, b"[]"), (204, b"")])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_good_answer_is_no_fault(method, status, body):
    assert judge(method, status, {}, body) is None


def test_unchanged_list_is_no_fault():
    assert judge("GET", 304, {}, b"") is None


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, b"", "server-error"),
        (501, b"", "server-error"),
        (502, HTML, "server-error"),
        (503, b"The organisation is offline", "offline"),
        (200, HTML, "unreadable"),
        (200, b"", "unreadable"),
        (200, b'{"Invoices":[{"Total":5', "unreadable"),
        (302, b"", "unreadable"),
        (304, b"", "unreadable"),
        (400, b'{"ErrorNumber":10,"Elem', "unreadable"),
        (408, b"", "unreadable"),
        (409, b"", "unreadable"),
    ],
)
def test_answer_that_tells_nothing_leaves_a_write_open_and_lets_a_read_try_later(status, body, reason):
    write, read = judge("PUT", status, {}, body), judge("GET", status if status != 304 else 302, {}, body)
    assert isinstance(write, OutcomeUnknown)
    assert (write.reason, write.status) == (reason, status)
    assert isinstance(read, TryLater)
    assert read.problem == reason


@pytest.mark.parametrize(
    "body", [{"Message": CLASH}, {"Message": "x", "Elements": [{"ValidationErrors": [{"Message": CLASH}]}]}]
)
def test_key_clash_leaves_the_outcome_open_wherever_it_stands(body):
    fault = judge("PUT", 400, {}, json.dumps(body).encode())
    assert isinstance(fault, OutcomeUnknown)
    assert fault.reason == "key-clash"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, EXPIRED, "expired"),
        (401, b"", "expired"),
        (401, NO_SCOPE, "scope"),
        (403, NO_SCOPE, "scope"),
        (401, NO_TENANT, "tenant"),
        (403, NO_TENANT, "tenant"),
        (403, b"", "tenant"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_lost_consent_names_its_reason(method, status, body, reason):
    fault = judge(method, status, {}, body)
    assert isinstance(fault, NotConnected)
    assert (fault.reason, fault.raw) == (reason, body.decode())


def test_page_of_a_gateway_says_nothing_about_the_consent():
    fault = judge("PUT", 403, {}, HTML)
    assert isinstance(fault, Refused)
    assert fault.unreadable


@pytest.mark.parametrize("name", ["X-Rate-Limit-Problem", "x-rate-limit-problem"])
@pytest.mark.parametrize(
    ("told", "after", "problem", "seconds"),
    [
        ("minute", "13", "minute", 13),
        ("Minute", None, "minute", 60),
        ("day", "66975", "day", 66975),
        ("day", None, "day", 3600),
        ("Concurrent", None, "concurrent", 1),
        ("appminute", "7", "appminute", 7),
        ("AppMinute", None, "appminute", 60),
        ("app", None, "appminute", 60),
        ("lunar", None, "lunar", 5),
        ("minute", "soon", "minute", 60),
    ],
)
def test_limit_says_which_and_how_long(name, told, after, problem, seconds):
    headers = {name: told} | ({"Retry-After": after} if after else {})
    fault = judge("PUT", 429, headers, b"")
    assert isinstance(fault, TryLater)
    assert (fault.problem, fault.seconds) == (problem, seconds)


def test_offline_organisation_says_when_to_read_again():
    fault = judge("GET", 503, {"retry-after": "90"}, b"offline")
    assert isinstance(fault, TryLater)
    assert (fault.problem, fault.seconds) == ("offline", 90)


def test_refusal_gathers_each_message_once_in_order():
    fault = judge("PUT", 400, {}, INVALID)
    assert isinstance(fault, Refused)
    assert fault.message == "A validation exception occurred"
    assert not fault.unreadable
    (element,) = fault.elements
    assert element.messages == ("Email address must be valid.", "Account must be valid.", "Invoice # must be unique.")
    assert json.loads(element.raw)["InvoiceNumber"] == "INV-7"


def test_refusal_without_message_speaks_through_its_first_element():
    fault = judge("PUT", 400, {}, b'{"Elements":[{"ValidationErrors":[{"Message":"No."},{"Message":"Never."}]},3]}')
    assert isinstance(fault, Refused)
    assert fault.message == "No.; Never."
    assert len(fault.elements) == 1


@pytest.mark.parametrize(
    ("method", "status", "body", "unreadable"),
    [
        ("PUT", 400, UNPARSED, True),
        ("PUT", 400, b"Bad Request", True),
        ("PUT", 400, HTML, True),
        ("PUT", 413, b"", True),
        ("PUT", 400, b'{"ErrorNumber":17,"Message":"No data has been processed"}', False),
        ("PUT", 404, b"The resource you're looking for cannot be found", False),
        ("PUT", 412, b"", False),
        ("GET", 400, b'{"ErrorNumber":16,"Type":"QueryParseException","Message":"No"}', False),
        ("GET", 400, HTML, False),
        ("GET", 404, b"", False),
    ],
)
def test_only_a_write_that_was_not_taken_in_is_unreadable(method, status, body, unreadable):
    fault = judge(method, status, {}, body)
    assert isinstance(fault, Refused)
    assert (fault.status, fault.unreadable) == (status, unreadable)


def test_long_refused_element_stays_readable_json():
    lines = [{"Description": "x" * 100, "ValidationErrors": [{"Message": f"Line {n}"}]} for n in range(200)]
    element = {"InvoiceNumber": "INV-9", "Total": 5.5, "LineItems": lines, "ValidationErrors": [{"Message": "Last"}]}
    fault = judge("PUT", 400, {}, json.dumps({"Elements": [element]}).encode())
    assert isinstance(fault, Refused)
    told = fault.elements[0]
    assert len(told.raw) <= 4096
    assert json.loads(told.raw) == {"InvoiceNumber": "INV-9", "Total": 5.5, "ValidationErrors": [{"Message": "Last"}]}
    assert told.messages[-1] == "Last"
    assert len(told.messages) == 201


@pytest.mark.parametrize(
    "fault",
    [
        TryLater(3, "minute"),
        NotSent(),
        Refused(400, [ElementFault(("No.",), "{}")], "No.", "{}", unreadable=False),
        NotConnected("scope", "raw"),
        OutcomeUnknown("timeout", None),
    ],
)
def test_fault_survives_pickling_and_says_what_it_is(fault):
    copy = pickle.loads(pickle.dumps(fault))  # noqa: S301 - our own bytes
    assert type(copy) is type(fault)
    assert (str(copy), vars(copy)) == (str(fault), vars(fault))
