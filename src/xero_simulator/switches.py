"""What is not known about Xero for certain is a switch here, with both answers spelled out.

A switch is asked only where its answers differ, so that `scripts/switches.py` can tell to which tests it matters.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Switch:
    """One open question: the answer we start with, and what each answer means."""

    default: bool
    on: str
    off: str


SWITCHES: dict[str, Switch] = {
    "batch_400_saves_valid": Switch(
        False,
        "a batch answered with 400 has saved its valid elements all the same",
        "a batch answered with 400 has saved nothing",
    ),
    "half_cents_away_from_zero": Switch(
        True, "exact half cents round away from zero", "exact half cents round to the even cent"
    ),
    "void_frees_number": Switch(
        False,
        "the number of a voided or deleted invoice can be used again",
        "the number of a voided or deleted invoice stays taken",
    ),
    "payment_sends_invoice_event": Switch(
        True, "a payment sends an INVOICE webhook event", "a payment sends no webhook event"
    ),
    "deleted_payment_is_modified": Switch(
        True,
        "a deleted payment comes back from If-Modified-Since with status DELETED",
        "deleting a payment does not move its UpdatedDateUTC",
    ),
    "paid_invoice_due_date_editable": Switch(
        False,
        "due date and sent flag of a fully paid sales invoice can be changed",
        "nothing of a fully paid sales invoice can be changed",
    ),
    "strings_as_numbers": Switch(
        True, "numbers and booleans may be sent as strings", "a string where a number belongs is refused"
    ),
    "not_modified_304": Switch(
        False,
        "If-Modified-Since with nothing newer answers 304",
        "If-Modified-Since with nothing newer answers 200 and an empty list",
    ),
    "modified_since_inclusive": Switch(
        True, "If-Modified-Since includes its own second", "If-Modified-Since starts after its own second"
    ),
    "rfc_dates_accepted": Switch(
        True, "If-Modified-Since takes RFC dates too", "If-Modified-Since in RFC form is ignored"
    ),
    "limit_names_capitalised": Switch(
        False,
        "X-Rate-Limit-Problem says Minute, Day, Concurrent, AppMinute",
        "X-Rate-Limit-Problem says minute, day, concurrent, appminute",
    ),
    "app_limit_tells_wait": Switch(
        False,
        "a 429 of the application's limit has Retry-After, as those of minute and day have",
        "a 429 of the application's limit has no Retry-After",
    ),
    "limit_body_empty": Switch(True, "a 429 has no body", "a 429 has a sentence as its body"),
    "in_flight_duplicate_waits": Switch(
        True,
        "a second request with a key in flight waits and gets the first one's answer",
        "a second request with a key in flight is refused with 409",
    ),
    "idempotency_clash_in_elements": Switch(
        False,
        "the text of a key clash stands in Elements[].ValidationErrors",
        "the text of a key clash stands in Message",
    ),
    "not_found_json": Switch(False, "a 404 has a JSON body", "a 404 has a plain sentence as its body"),
    "line_values_beat_item": Switch(
        True,
        "values on a line win over those of its item",
        "the item's price, account and tax win over those on the line",
    ),
    "find_by_number_in_path": Switch(
        True,
        "GET /Invoices/{number} and /Items/{code} find by number and code",
        "only ids are accepted in the path",
    ),
    "last_disconnect_ends_refresh": Switch(
        True,
        "disconnecting the last organisation makes the refresh token invalid",
        "refreshing still works with no organisation connected",
    ),
    "allocation_needs_same_contact": Switch(
        True, "credit goes only to documents of the same contact", "credit may go to another contact's documents"
    ),
    "allocating_tells_id": Switch(
        True,
        "the answer to allocating credit holds the AllocationID",
        "the AllocationID is only to be read in the credit note or overpayment",
    ),
    "line_total_checked": Switch(
        True,
        "a LineAmount that is not Quantity x UnitAmount is refused",
        "a LineAmount that is not Quantity x UnitAmount is taken as it is",
    ),
    "unknown_tracking_refused": Switch(
        True, "an unknown tracking option is refused", "an unknown tracking option is silently left out"
    ),
    "batch_may_mix_types": Switch(
        False, "a batch payment may mix sales invoices and bills", "a batch payment must not mix them"
    ),
    "batch_needs_reference": Switch(
        False, "a batch payment without a Reference is refused", "a batch payment needs no Reference"
    ),
    "reconciled_payment_deletable": Switch(
        False, "a reconciled payment can be deleted", "deleting a reconciled payment is refused"
    ),
    "history_details_long": Switch(
        True, "a history note may have 2,500 characters", "a history note may have 450 characters"
    ),
    "tracking_options_limited": Switch(
        False, "a tracking category takes 100 options", "a tracking category takes any number of options"
    ),
    "uncertain_texts_known": Switch(
        True,
        "the four texts of refusals that are known only from memory come word for word",
        "the four texts of refusals that are known only from memory come in other words",
    ),
    "error_numbers_known": Switch(
        True,
        "bad queries are error 16 and empty posts error 17",
        "bad queries and empty posts carry error 10",
    ),
    "discovery_published": Switch(
        True, "the OpenID discovery document is published", "the OpenID discovery document is not found"
    ),
    "bulk_connections": Switch(
        True, "one consent may connect several organisations", "one consent connects one organisation"
    ),
    "day_rate_fills_in": Switch(
        True,
        "a document in another currency takes the day's rate when it comes without a CurrencyRate",
        "a document in another currency must come with its CurrencyRate",
    ),
    "starter_tier": Switch(False, "1,000 calls a day and organisation", "5,000 calls a day and organisation"),
}


class Switches:
    """The present answers. Reading or setting an unknown name is an error, so a misspelt one cannot hide.

    `first` are answers that `reset` goes back to, instead of the defaults.
    """

    def __init__(self, first: Mapping[str, bool] | None = None) -> None:
        self._set: dict[str, bool] = {}
        self.update(first or {})
        self._first = dict(self._set)

    def __getitem__(self, name: str) -> bool:
        return self._set.get(name, SWITCHES[name].default)

    def __setitem__(self, name: str, value: bool) -> None:
        if name not in SWITCHES:
            raise KeyError(name)
        self._set[name] = bool(value)

    def update(self, values: Mapping[str, bool]) -> None:
        """Set several; nothing is set when one of the names is unknown (KeyError)."""
        unknown = [name for name in values if name not in SWITCHES]
        if unknown:
            raise KeyError(unknown[0])
        for name, value in values.items():
            self[name] = value

    def reset(self) -> None:
        self._set = dict(self._first)

    def as_dict(self) -> dict[str, bool]:
        return {name: switch.default for name, switch in SWITCHES.items()} | self._set

    def explained(self) -> dict[str, dict[str, str | bool]]:
        values = self.as_dict()
        return {
            name: {"value": values[name], "default": switch.default, "true": switch.on, "false": switch.off}
            for name, switch in SWITCHES.items()
        }
