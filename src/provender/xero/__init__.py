"""A client library for Xero: OAuth, calls, limits, wire types and faults.

It knows nothing of Django and none of our tables, and could be published alone. Four kinds of fault leave it and no
fifth: TryLater, Refused, NotConnected and OutcomeUnknown. It never repeats a write; whoever sends one decides what an
open outcome means.
"""

from provender.xero import wire
from provender.xero.client import Answer, CallRecord, Endpoints, XeroClient
from provender.xero.deadline import open_http
from provender.xero.faults import (
    ElementFault,
    Fault,
    NotConnected,
    NotSent,
    OutcomeUnknown,
    Refused,
    TryLater,
    judge,
)
from provender.xero.meter import Budget, MemoryBudget, Windows
from provender.xero.oauth import App, Login, Tenant, TokenSet, new_state, new_verifier
from provender.xero.wire import Element, Page, encode, encode_element, envelope

__all__ = [
    "Answer",
    "App",
    "Budget",
    "CallRecord",
    "Element",
    "ElementFault",
    "Endpoints",
    "Fault",
    "Login",
    "MemoryBudget",
    "NotConnected",
    "NotSent",
    "OutcomeUnknown",
    "Page",
    "Refused",
    "Tenant",
    "TokenSet",
    "TryLater",
    "Windows",
    "XeroClient",
    "encode",
    "encode_element",
    "envelope",
    "judge",
    "new_state",
    "new_verifier",
    "open_http",
    "wire",
]
