"""What can keep a document out of step: one catalogue of causes, each with its sentence and what mends it.

A refusal is known by the beginning of Xero's words, which are not a contract: the raw text is always kept and shown,
and words that nobody has met before get the cause `refused`, which waits for a person.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from provender.basics import clock
from provender.changes.actions import park
from provender.changes.models import Change
from provender.sync.models import Connection, Problem


@dataclass(frozen=True)
class Repair:
    """Something that mends it. `do` names an action of ours or a place to go; `label` is what the button says."""

    do: str
    label: str


AGAIN = Repair("send-again", "Send again")
SETTINGS = Repair("open-settings", "Choose another account")
IN_XERO = Repair("open-in-xero", "Open it in Xero")
EDIT = Repair("edit-document", "Change it here")
PRODUCT = Repair("edit-product", "Change it on the product")
CUSTOMER = Repair("edit-customer", "Open the customer")
LINK_CONTACT = Repair("link-contact", "Choose the contact")
KEEP_THEIRS = Repair("keep-theirs", "Keep Xero's")
SEND_OURS = Repair("send-ours", "Send ours")
LEAVE = Repair("leave", "Leave it")
RENUMBER = Repair("renumber", "Give ours the next number")
ADOPT = Repair("adopt", "It is this one: link it")
NO_TRACKING = Repair("without-tracking", "Send without tracking")
AMEND = Repair("amend", "Credit note or further invoice")
ADD_IT = Repair("add-in-xero", "Add it in Xero")
RESTORE_IT = Repair("restore-in-xero", "Restore it in Xero")
TRACKING = Repair("open-tracking", "Choose another")
NO_CODE = Repair("without-item-codes", "Send without item code")
RECONNECT = Repair("reconnect", "Reconnect")
REOPEN = Repair("reopen", "Open it again here")
KEEP_PAID = Repair("keep-as-paid", "Keep it as paid")
TAKE_PAYMENTS = Repair("take-payments", "Count Xero’s payments")
APPROVE = Repair("approve", "Approve it in Xero")
SEND_FIRST = Repair("send-first", "Send the invoices first")
PAY_LESS = Repair("pay-up-to", "Pay up to what is due")
TAKE_OUT = Repair("take-out", "Take them out, for hand")
PAYOUT = Repair("open-payout", "Open the payout")
COUNT_IT = Repair("count-it", "Count it here")


@dataclass(frozen=True)
class Cause:
    """One kind of trouble. `sentence` is filled with the problem's words; `texts` are what Xero says for it."""

    code: str
    title: str
    sentence: str
    repairs: tuple[Repair, ...]
    texts: tuple[str, ...] = ()
    chart_is_old: bool = False  # the refusal shows that our copy of accounts and items is behind
    pattern: re.Pattern[str] | None = field(default=None, compare=False)


def _cause(
    code: str, title: str, sentence: str, repairs: Iterable[Repair], *texts: str, chart_is_old: bool = False
) -> Cause:
    pattern = re.compile("|".join(texts), re.IGNORECASE) if texts else None
    return Cause(code, title, sentence, tuple(repairs), texts, chart_is_old, pattern)


CAUSES: tuple[Cause, ...] = (
    _cause(
        "archived-account",
        "Account archived in Xero",
        "Xero refused {number}: account {account} is archived or deleted. Restore it in Xero, or choose another account"
        " in the settings or on the product that uses it, then send again.",
        (SETTINGS, AGAIN),
        r"account code '(?P<account>[^']*)' has been archived",
        chart_is_old=True,
    ),
    _cause(
        "unknown-account",
        "Account unknown in Xero",
        "Xero refused {number}: account {account} isn't one that an invoice line can use. Choose another account in the"
        " settings or on the product that uses it, or add it in Xero, then send again.",
        (SETTINGS, AGAIN),
        r"account code '(?P<account>[^']*)' is not a valid code",
        r"account must be valid",
        r"the account code or id must be specified",
        r"account code is too long",
        chart_is_old=True,
    ),
    _cause(
        "tax-type-account",
        "Tax type doesn't fit the account",
        "Xero refused {number}: tax type {tax} can't be used with account {account2}. Choose another account or tax type"
        " in the settings, or another account on the product that uses it, then send again.",
        (Repair("open-settings", "Open the settings"), AGAIN),
        r"the taxtype code '?(?P<tax>[^' ]*)'? cannot be used with account code '(?P<account2>[^']*)'",
        r"the taxtype code '?(?P<tax2>[^' ]*)'? does not exist",
        r"tax rate must be valid",
        chart_is_old=True,
    ),
    _cause(
        "archived-contact",
        "Contact archived in Xero",
        "Xero refused {number}: the contact for {customer} is archived. Restore it in Xero and send again, or choose"
        " another contact.",
        (LINK_CONTACT, AGAIN),
        r"the contact with the specified contact details has been archived",
        r"unable to assign an archived contact",
    ),
    _cause(
        "contact-name-taken",
        "Contact name taken in Xero",
        "Xero has another contact named {customer}, which isn't free for this customer. Choose the contact that it is, or"
        " give the customer another trading name.",
        (LINK_CONTACT, CUSTOMER, AGAIN),
        r"the contact name .* is already assigned",
        r"the contact number .* is already assigned",
        r"another contact has this contact number",
        r"the account number already exists",
    ),
    _cause(
        "contact-unlinked",
        "Contact to be chosen",
        "{customer} was unlinked from its contact in Xero, and you wished to be asked before the next invoice. Choose the"
        " contact that it is, or let a new one be made.",
        (LINK_CONTACT,),
    ),
    _cause(
        "same-name",
        "Two customers, one contact name",
        "Another of your customers is the contact {customer} in Xero already, or has the same name. Give one of them"
        " another trading name, or choose the contact that it is.",
        (CUSTOMER, LINK_CONTACT),
    ),
    _cause(
        "number-taken",
        "Number taken in Xero",
        "Xero has another document numbered {number}, which isn't ours. Link it if it is the same one, give ours the"
        " next number, or leave ours out of Xero.",
        (RENUMBER, ADOPT, LEAVE),
        r"(invoice|credit note) # must be unique",
    ),
    _cause(
        "period-locked",
        "Period locked in Xero",
        "Xero refused {number}: its date is in a period that is locked{until}. Move the lock date in Xero, or change its"
        " date, then send again.",
        (EDIT, AGAIN),
        r"the document date cannot be before the (period|end of year) lock date(, currently set at (?P<until>[\w-]+))?",
    ),
    _cause(
        "paid-or-credited",
        "Paid or credited in Xero",
        "{number} has a payment or a credit note in Xero, so Xero takes no more changes to it. Make up for the difference"
        " by a credit note or a further invoice; or remove the payment in Xero and send again.",
        (AMEND, IN_XERO, LEAVE, AGAIN),
        r"this document cannot be edited as it has a payment or credit note",
        r"the status \w+ cannot be applied to the invoice because it has payments",
        r"date cannot be changed on an invoice that has payment",
        r"the invoice is paid",
    ),
    _cause(
        "edited-in-xero",
        "Edited in Xero",
        "Somebody changed {number} in Xero after we sent it ({changes}), and it was changed here too. Keep Xero's, or"
        " send ours over it.",
        (KEEP_THEIRS, SEND_OURS, IN_XERO),
    ),
    _cause(
        "voided-in-xero",
        "Voided in Xero",
        "Somebody voided or deleted {number} in Xero; here it is still open. Cancel it here too, or leave it as it is.",
        (EDIT, LEAVE),
        r"(invoice|credit note) not of valid status for modification",
    ),
    _cause(
        "tracked-stock",
        "Out of stock in Xero",
        "Xero refused {number}: an item on it is tracked in Xero and there is none left to sell. Put stock in at Xero and"
        " send again, or send this invoice without item codes.",
        (NO_CODE, AGAIN),
        r".*no items available to sell",
    ),
    _cause(
        "unknown-item",
        "Item unknown in Xero",
        "Xero refused {number}: it has no item {item}. Send again: the line then goes without an item code, unless you"
        " add the item in Xero first.",
        (AGAIN,),
        r"item code '(?P<item>[^']*)' is not valid",
        chart_is_old=True,
    ),
    _cause(
        "approval-limit",
        "Xero plan's limit reached",
        "Xero refused {number}: the plan's limit of approved invoices for this month is reached. Upgrade the plan in Xero"
        " and send again, or send invoices as drafts by the default status in the settings.",
        (Repair("open-settings", "Open the settings"), AGAIN),
        r"you have reached the limit of invoices",
    ),
    _cause(
        "currency",
        "Currency not in use in Xero",
        "Xero refused {number}: the organisation isn't set up for its currency. Add the currency in Xero, then send again.",
        (AGAIN,),
        r"organisation is not subscribed to currency",
        r"a currency rate must be specified",
    ),
    _cause(
        "permission",
        "The Xero user may not do this",
        "Xero refused {number}: the person who connected has no right to do this in Xero. Have an administrator reconnect,"
        " then send again.",
        (RECONNECT, AGAIN),
        r"the user specified does not have the correct permissions",
    ),
    _cause(
        "no-account",
        "No account chosen",
        "{number} can't be sent: no account is chosen for its line “{line}”. Choose the accounts in the settings; it then"
        " goes by itself.",
        (SETTINGS, AGAIN),
    ),
    _cause(
        "no-tax-type",
        "No tax type chosen",
        "{number} can't be sent: no tax type is chosen for its line “{line}”. Choose the tax types in the settings.",
        (Repair("open-settings", "Open the settings"), AGAIN),
    ),
    _cause(
        "tracking-missing",
        "Tracking option missing in Xero",
        "{number} can't be sent with its tracking: {what}. Add or restore it in Xero; choose another for it, on the"
        " tracking page; or send it without tracking.",
        (ADD_IT, RESTORE_IT, TRACKING, NO_TRACKING, AGAIN),
        r"(?P<what>the tracking category or option '[^']*' could not be found)",
        chart_is_old=True,
    ),
    _cause(
        "total-differs",
        "Totals differ",
        "Xero took {number} and computed a total of {theirs}, where ours is {ours}. Check the tax rate behind the tax type"
        " in Xero against the rate in the settings, and the lines for an amount that ends in half a cent, then send again.",
        (IN_XERO, Repair("open-settings", "Open the settings"), AGAIN),
    ),
    _cause(
        "differs",
        "Differs from Xero",
        "{number} isn't the same in Xero: {changes}. Keep Xero's, or send ours over it while Xero takes changes to it.",
        (KEEP_THEIRS, SEND_OURS, IN_XERO),
    ),
    _cause(
        "money-differs",
        "Money differs from Xero",
        "{number} isn't the same in Xero: {changes}. Xero changes no payment: delete it there and enter it anew, or leave"
        " it as it is.",
        (IN_XERO, PAYOUT, LEAVE),
    ),
    _cause(
        "not-counted",
        "In Xero, and not counted here",
        "Xero has {changes} on {number} that doesn't count here yet. Count it here, or leave it out.",
        (COUNT_IT, IN_XERO, LEAVE),
    ),
    _cause(
        "still-in-xero",
        "Still in Xero",
        "{number} counts here no more, and Xero still has it. Send again, and it is taken out there; or leave it there.",
        (AGAIN, IN_XERO, LEAVE),
    ),
    _cause(
        "payment-removed",
        "Payment taken back in Xero",
        "{amount} of {number} was taken back in Xero, and counts here still. Open {number} again here, or keep it as"
        " paid.",
        (REOPEN, KEEP_PAID, IN_XERO),
    ),
    _cause(
        "paid-on-both-sides",
        "Paid here and in Xero",
        "{number} is paid here ({paid}), and in Xero by other amounts ({theirs}) that would pay it a second time. If it is"
        " the same money, count Xero’s payments in place of ours; else leave it, and mend it in Xero.",
        (TAKE_PAYMENTS, LEAVE, IN_XERO),
    ),
    _cause(
        "orphan",
        "In Xero without a document here",
        "Xero has {number} with our mark, but nothing that is open here stands for it: {changes}. Void or delete it in"
        " Xero if it shouldn't be there.",
        (IN_XERO, LEAVE),
    ),
    _cause(
        "too-much",
        "More than is left to pay in Xero",
        "Xero refused {number}: it is more than is left to pay, or to use, there. Look in Xero what was paid or credited"
        " meanwhile, then send again, or leave it out of Xero.",
        (AGAIN, LEAVE),
        r"payment amount exceeds the amount outstanding",
        r"the allocation exceeds",
    ),
    _cause(
        "not-approved",
        "Not approved in Xero",
        "Xero refused {number}: the document that it belongs to isn't approved there, and a draft takes no money. Approve"
        " it, here or in Xero, then send again.",
        (APPROVE, AGAIN, LEAVE),
        r"payments can only be made against authorised documents",
        r"credit can only be allocated from and to authorised documents",
    ),
    _cause(
        "payment-account",
        "Clearing account can't be used",
        "Xero refused {number}: the clearing account is archived, or takes no payments. Choose another one in the"
        " settings, then send again.",
        (SETTINGS, AGAIN),
        r"account could not be found",
        r"the bank account could not be found",
        chart_is_old=True,
    ),
    _cause(
        "no-clearing-account",
        "No clearing account chosen",
        "{number} can't be sent: no clearing account is chosen for payments. Choose it in the settings, then send again.",
        (SETTINGS, AGAIN),
    ),
    _cause(
        "no-fee-account",
        "Fee account can't be used",
        "{number} can't be sent: the account chosen for fees is no longer in Xero. Choose another one in the settings,"
        " then send again.",
        (SETTINGS, AGAIN),
        chart_is_old=True,
    ),
    _cause(
        "reconciled",
        "Reconciled in Xero",
        "Xero refused to delete {number}: it is reconciled with a line of the bank there. Unreconcile it in Xero, then"
        " send again, or leave it in Xero.",
        (AGAIN, LEAVE),
        r"this payment has been reconciled",
        r"the bank transaction is reconciled",
    ),
    _cause(
        "in-a-batch",
        "Part of a batch in Xero",
        "Xero refused to delete {number}: it is part of a batch payment, which can only be deleted as a whole. Delete the"
        " batch in Xero, or leave it there.",
        (AGAIN, LEAVE),
        r"payments within a batch cannot be deleted",
    ),
    _cause(
        "removed-in-xero",
        "Taken out in Xero",
        "{number} isn't in Xero any more; here it still counts. Take it back here too, or send it again.",
        (AGAIN, PAYOUT, LEAVE),
    ),
    _cause(
        "payout-held",
        "Payout can't be deposited yet",
        "Payout {number} isn't deposited, since its deposit wouldn't be the line in the bank: {what}. Nothing was sent."
        " Mend what is named, then send again.",
        (SEND_FIRST, APPROVE, PAY_LESS, TAKE_OUT, AGAIN, PAYOUT),
        chart_is_old=True,
    ),
    _cause(
        "contact-waits",
        "Waits for its contact",
        "{number} waits: the contact for {customer} couldn't be made in Xero. Mend that first.",
        (LINK_CONTACT, CUSTOMER, AGAIN),
    ),
    _cause(
        "refused",
        "Refused by Xero",
        "Xero refused {number}: {raw} Mend what it names, then send again.",
        (AGAIN, EDIT, LEAVE),
    ),
)
OF_LINES = frozenset(
    {RENUMBER, ADOPT, KEEP_THEIRS, SEND_OURS, NO_CODE, NO_TRACKING, TRACKING, ADD_IT, RESTORE_IT, EDIT, AMEND}
)
NOT_OF_KIND: dict[str, frozenset[Repair]] = {
    "credit_note": frozenset({AMEND}),
    "payment": OF_LINES,
    "allocation": OF_LINES,
    "payout": OF_LINES - {KEEP_THEIRS, SEND_OURS} | {LINK_CONTACT, CUSTOMER, APPROVE, IN_XERO},
    "fee": OF_LINES | {LINK_CONTACT, CUSTOMER, APPROVE, IN_XERO},
}
OF_PAYOUTS = frozenset({"payout", "fee"})
BY_CODE = {cause.code: cause for cause in CAUSES}
NEEDS_RECONNECTING = _cause(
    "needs-reconnecting",
    "Needs reconnecting",
    "There is no way into {organisation} in Xero any more: {why}. Nothing is lost; what waits goes by itself once you"
    " reconnect.",
    (RECONNECT,),
)
APP_REFUSED = _cause(
    "app-refused",
    "Provender’s app isn’t accepted",
    "Xero doesn’t accept the id or the secret of Provender’s app, so nothing goes to {organisation}. Nothing is lost: once"
    " whoever runs Provender has put XERO_CLIENT_ID and XERO_CLIENT_SECRET right, what waits goes by itself.",
    (),
)
OF_CONNECTIONS = (NEEDS_RECONNECTING, APP_REFUSED)
ACCOUNT_CAUSES = frozenset({"archived-account", "unknown-account", "tax-type-account"})
UNIQUE = re.compile(
    r"(invoice|credit note) # must be unique|is already assigned|has this contact number", re.IGNORECASE
)


class _Words(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def sentence(cause: str, words: Mapping[str, str]) -> str:
    """The problem in a bookkeeper's words: what, why, what to do."""
    known = BY_CODE.get(cause, BY_CODE["refused"])
    return " ".join(known.sentence.format_map(_Words(words)).split())


def repairs_of(problem: Problem) -> tuple[Repair, ...]:
    """What mends it, the likeliest first: of its cause's repairs those that its kind and its state allow."""
    found = BY_CODE.get(problem.cause, BY_CODE["refused"]).repairs
    if problem.cause == "payout-held":
        held = json.loads(problem.shown or "[]")
        named = [one for one in held if one["invoice"]]
        reasons = {one["why"] for one in named}
        wanted = {SEND_FIRST: "missing" in reasons, APPROVE: "draft" in reasons, PAY_LESS: "less" in reasons}
        wanted[TAKE_OUT] = bool(named)
        return tuple(one for one in found if wanted.get(one, True))
    without = NOT_OF_KIND.get(problem.kind, frozenset())
    mends = str(problem.words.get("do", "")).partition("-")[0]  # what is lacking in Xero is added there, or restored
    without = without.union(one for one in (ADD_IT, RESTORE_IT) if one.do.partition("-")[0] != mends)
    if problem.kind not in OF_PAYOUTS:
        without |= {PAYOUT}
    if problem.cause == "differs" and _takes_no_change(problem):
        without |= {SEND_OURS}
    return tuple(one for one in found if one not in without)


def _takes_no_change(problem: Problem) -> bool:
    """Whether something is paid, credited or used of the document in Xero, as it was shown."""
    theirs: dict[str, Any] = json.loads(problem.shown or "{}", parse_float=Decimal)
    paid, credited, total, left = (
        Decimal(str(theirs.get(name) or 0)) for name in ("AmountPaid", "AmountCredited", "Total", "RemainingCredit")
    )
    return bool(paid or credited) or (problem.kind == "credit_note" and left != total)


def judge_refusal(messages: Iterable[str]) -> tuple[Cause, dict[str, str]]:
    """The cause behind Xero's words, and what they name. The first message that is known decides."""
    words = [" ".join(message.split()) for message in messages]
    for message in words:
        for cause in CAUSES:
            if cause.pattern and (match := cause.pattern.match(message)):
                found = {name: value for name, value in match.groupdict().items() if value}
                if "until" in found:
                    found["until"] = f" until {found['until']}"
                return cause, found
    return BY_CODE["refused"], {"raw": "; ".join(words) or "it gave no reason."}


def says_taken(messages: Iterable[str]) -> bool:
    """A refusal for uniqueness: looked up once before it is believed."""
    return any(UNIQUE.search(message) for message in messages)


def note_problem(
    connection: Connection,
    kind: str,
    document: UUID,
    revision: int,
    cause: str,
    words: Mapping[str, str],
    *,
    raw: str = "",
    shown: str = "",
    customer: UUID | None = None,
) -> Problem:
    """Record what keeps a document out of step and park that revision; a newer one is tried by itself."""
    problem, _ = Problem.objects.update_or_create(
        connection=connection,
        kind=kind,
        document=document,
        solved_at=None,
        defaults={
            "revision": revision,
            "cause": cause,
            "words": dict(words),
            "raw": raw[:8000],
            "shown": shown,
            "customer": customer,
            "found_at": clock.database_now(),
        },
    )
    park(Change.objects.filter(supplier=connection.supplier_id, kind=kind, document=document), revision)
    return problem


def close_problems(connection: Connection, kind: str, documents: Iterable[Any], how: str) -> int:
    """These documents are in step, or a person decided: their problems are over."""
    return Problem.objects.filter(
        connection=connection, kind=kind, document__in=list(documents), solved_at=None
    ).update(solved_at=clock.database_now(), how=how)
