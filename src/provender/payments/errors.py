"""What can be wrong with a payment, a credit set against an invoice, or a payout."""

from decimal import Decimal

from provender.basics.errors import ProvenderError
from provender.invoicing.models import CreditNote, Invoice


class PaymentTooLarge(ProvenderError):
    """More than the invoice has still to be paid."""

    code = "payment-too-large"

    def __init__(self, invoice: Invoice, amount: Decimal) -> None:
        super().__init__(
            f"{amount} is more than the {invoice.due} that invoice {invoice.number} has still to be paid."
            " Enter at most that; keep the rest as a payment of another invoice."
        )


class NothingToPay(ProvenderError):
    """An amount of zero or less."""

    code = "nothing-to-pay"

    def __init__(self, amount: Decimal) -> None:
        super().__init__(f"{amount} is not an amount that can be paid. Enter one above zero.")


class InvoiceTakesNoMoney(ProvenderError):
    """A void invoice is not paid."""

    code = "invoice-takes-no-money"

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(f"Invoice {invoice.number} is void: nothing can be paid or credited to it.")


class CreditTooSmall(ProvenderError):
    """More than the credit note has left."""

    code = "credit-too-small"

    def __init__(self, credit_note: CreditNote, amount: Decimal) -> None:
        super().__init__(
            f"Credit note {credit_note.number} has {credit_note.remaining} left, which is less than {amount}."
            " Enter at most what is left."
        )


class NotTheSameAccount(ProvenderError):
    """The credit note and the invoice are of two customers, two currencies or two wholesalers."""

    code = "not-the-same-account"

    def __init__(self, credit_note: CreditNote, invoice: Invoice) -> None:
        super().__init__(
            f"Credit note {credit_note.number} and invoice {invoice.number} are not of the same customer and currency,"
            " so one can't be set against the other."
        )
