"""The check against Xero's description finds what does not fit, the second time too."""

import json

import pytest
from tests.xero_simulator import described

pytestmark = pytest.mark.skipif(not described.FILE.exists(), reason="Xero's OpenAPI description is not there")


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({}, None),
        ({"Status": "PARTPAID"}, "Status: 'PARTPAID' is not one of"),
        ({"Status": "paid"}, "Status: 'paid' is not one of"),
        ({"Total": "12.00"}, "Total: '12.00' is not of type 'number'"),
        ({"InvoiceNumber": "x" * 256}, "is too long"),
        ({"LineItems": {}}, "LineItems: {} is not of type 'array'"),
        ({"Reference": None}, "Reference: None"),
    ],
)
def test_what_does_not_fit_is_found(fields, part):
    fitting = {"Status": "PAID", "Total": 12.5, "InvoiceNumber": "x" * 255, "LineItems": [], "Reference": ""}
    for invoices in ([fitting], [fitting, fitting | fields], [fitting | fields, fitting]):
        described.check("GET", "/api.xro/2.0/Invoices", 200, json.dumps({"Invoices": invoices}).encode())
    noted, described.misfits[:] = list(described.misfits), []
    assert len(noted) == (2 if part else 0)
    assert all(part in one for one in noted)


def test_what_was_refused_is_told_as_it_was_sent():
    sent = {"Type": "unheard of", "ValidationErrors": [{"Message": "Invoice Type must be specified"}]}
    for wrong in (sent, sent | {"ValidationErrors": []}, sent | {"Total": "12.00"}):
        described.check("PUT", "/api.xro/2.0/Invoices", 200, json.dumps({"Invoices": [wrong]}).encode())
    noted, described.misfits[:] = list(described.misfits), []
    assert [one.split(":")[1].strip() for one in noted] == ["Invoices/0/Type", "Invoices/0/Total"]
