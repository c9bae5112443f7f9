"""What can be wrong with a payment, a credit set against an invoice, or a payout."""

from collections.abc import Sequence
from decimal import Decimal

from provender.basics.errors import ProvenderError
from provender.basics.money import show_amount
from provender.invoicing.models import CreditNote, Invoice
from provender.payments.models import Payout, PayoutLine


class PaymentTooLarge(ProvenderError):
    """More than the invoice has still to be paid."""

    code = "payment-too-large"

    def __init__(self, invoice: Invoice, amount: Decimal) -> None:
        super().__init__(
            f"{show_amount(amount)} is more than the {show_amount(invoice.due)} that invoice {invoice.number} has still"
            " to be paid. Enter at most that; keep the rest as a payment of another invoice."
        )


class RefundTooLarge(ProvenderError):
    """More than the payment brought, less what was paid back of it already."""

    code = "refund-too-large"

    def __init__(self, amount: Decimal, left: Decimal) -> None:
        super().__init__(
            f"{show_amount(amount)} is more than the {show_amount(left)} of this payment that can still be paid back."
        )


class NothingToPay(ProvenderError):
    """An amount of zero or less."""

    code = "nothing-to-pay"

    def __init__(self, amount: Decimal) -> None:
        super().__init__(f"{show_amount(amount)} is not an amount that can be paid. Enter one above zero.")


class InvoiceTakesNoMoney(ProvenderError):
    """A void invoice is not paid."""

    code = "invoice-takes-no-money"

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(f"Invoice {invoice.number} is void: nothing can be paid or credited to it.")


class SurchargeNeedsRoom(ProvenderError):
    """The invoice has a payment, so no line can be added to it."""

    code = "surcharge-needs-room"

    def __init__(self, invoice: Invoice, surcharge: Decimal) -> None:
        super().__init__(
            f"Invoice {invoice.number} has a payment already, and an invoice with a payment can't be changed, here as"
            f" in Xero: the surcharge of {surcharge} can't be added to it. Record this payment without the surcharge,"
            " or put the surcharge on another invoice."
        )


class SurchargeStays(ProvenderError):
    """The surcharge can't be taken off the invoice."""

    code = "surcharge-stays"

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(
            f"The surcharge stays on invoice {invoice.number}, which is void or has other money and can't be changed."
            " Give it back by a credit note."
        )


class CreditTooSmall(ProvenderError):
    """More than the credit note has left."""

    code = "credit-too-small"

    def __init__(self, credit_note: CreditNote, amount: Decimal) -> None:
        super().__init__(
            f"Credit note {credit_note.number} has {show_amount(credit_note.remaining)} left, which is less than"
            f" {show_amount(amount)}. Enter at most what is left."
        )


class NotTheSameAccount(ProvenderError):
    """The credit note and the invoice are of two customers, two currencies or two wholesalers."""

    code = "not-the-same-account"

    def __init__(self, credit_note: CreditNote, invoice: Invoice) -> None:
        super().__init__(
            f"Credit note {credit_note.number} and invoice {invoice.number} are not of the same customer and currency,"
            " so one can't be set against the other."
        )


class PayoutKnown(ProvenderError):
    """The provider has sent a payout of that reference before."""

    code = "payout-known"

    def __init__(self, provider: str, reference: str) -> None:
        super().__init__(f"Payout {reference} of {provider} is here already. Undo that one first if it was wrong.")


class PayoutWithoutLines(ProvenderError):
    """A payout pays something."""

    code = "payout-without-lines"

    def __init__(self, reference: str) -> None:
        super().__init__(f"Payout {reference} has no lines. Choose the invoices that it pays.")


class PayoutOutOfBalance(ProvenderError):
    """A line's gross and fee don't come to its net."""

    code = "payout-out-of-balance"

    def __init__(self, reference: str, line: int, gross: Decimal, fee: Decimal, net: Decimal) -> None:
        super().__init__(
            f"Payout {reference}, line {line}: gross {show_amount(gross)} less fee {show_amount(fee)} is"
            f" {show_amount(gross - fee)}, but its net is {show_amount(net)}."
            " Check that each amount is read from its own column."
        )


class PayoutIsClosed(ProvenderError):
    """Lines of a closed or undone payout stay as they are."""

    code = "payout-is-closed"

    def __init__(self, payout: Payout) -> None:
        what = "undone" if payout.undone_at else "closed"
        super().__init__(f"Payout {payout.reference} is {what}, so its lines stay as they are.")


class PayoutNotClosed(ProvenderError):
    """Only a closed payout has payments."""

    code = "payout-not-closed"

    def __init__(self, payout: Payout) -> None:
        super().__init__(f"Payout {payout.reference} isn't closed. Close it first.")


class PayoutNotSettled(ProvenderError):
    """Some lines have no invoice, or their invoice has less left to pay than they say."""

    code = "payout-not-settled"

    def __init__(self, payout: Payout, lines: Sequence[PayoutLine]) -> None:
        self.lines = list(lines)
        named = ", ".join(str(line.position) for line in self.lines[:10])
        super().__init__(
            f"Payout {payout.reference} can't be closed yet: line {named} pays no invoice that still has so much"
            " to pay. Choose an invoice for it, or leave it for hand."
        )


class WrongPayoutLine(ProvenderError):
    """What was asked doesn't fit the line."""

    code = "wrong-payout-line"

    def __init__(self, line: PayoutLine) -> None:
        super().__init__(f"Line {line.position} of the payout can't be changed so. Look at it again.")


class DifferenceMoved(ProvenderError):
    """The difference between an invoice and what is wanted is another than the one that was shown."""

    code = "difference-moved"

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(
            f"What would make up for the difference to invoice {invoice.number} has changed since you looked. Nothing"
            " is saved yet: look at the new amounts, then choose again."
        )
