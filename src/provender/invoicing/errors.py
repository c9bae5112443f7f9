"""What can be wrong with an invoice or a credit note."""

from decimal import Decimal

from provender.basics.errors import ProvenderError
from provender.basics.money import show_amount
from provender.invoicing.models import CreditNote, Invoice


class InvoiceNumberTaken(ProvenderError):
    """Another invoice of this wholesaler has that number, or two in one file do."""

    code = "invoice-number-taken"

    def __init__(self, number: str) -> None:
        self.number = number
        super().__init__(f"There is an invoice {number} already. Choose a number that no other invoice has.")


class CreditNoteNumberTaken(ProvenderError):
    """Another credit note of this wholesaler has that number, or two in one file do."""

    code = "credit-note-number-taken"

    def __init__(self, number: str) -> None:
        self.number = number
        super().__init__(f"There is a credit note {number} already. Choose a number that no other credit note has.")


class InvoiceWithoutLines(ProvenderError):
    """An invoice needs at least one line."""

    code = "invoice-without-lines"

    def __init__(self) -> None:
        super().__init__("An invoice or credit note needs at least one line. Add one, or cancel it instead.")


class NegativeInvoice(ProvenderError):
    """The lines come to less than zero."""

    code = "negative-invoice"

    def __init__(self, number: str, total: Decimal) -> None:
        super().__init__(
            f"Invoice {number} would come to {show_amount(total)}. What is given back needs a credit note,"
            " not an invoice."
        )


class InvoiceIsVoid(ProvenderError):
    """A void invoice doesn't change any more."""

    code = "invoice-is-void"

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(f"Invoice {invoice.number} is void and can't be changed. Make a new order instead.")


class InvoiceHasMoney(ProvenderError):
    """A payment or a credit stands against the invoice."""

    code = "invoice-has-money"

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(
            f"Invoice {invoice.number} is paid or credited, in full or in part, and can't be changed any more."
            " Remove the payment first, or make a credit note or a further invoice for the difference."
        )


class CreditNoteIsVoid(ProvenderError):
    """A void credit note gives nothing."""

    code = "credit-note-is-void"

    def __init__(self, credit_note: CreditNote) -> None:
        super().__init__(f"Credit note {credit_note.number} is void. Make a new one instead.")


class CreditNoteIsUsed(ProvenderError):
    """Part of the credit note stands against invoices or was paid back."""

    code = "credit-note-is-used"

    def __init__(self, credit_note: CreditNote) -> None:
        super().__init__(
            f"Credit note {credit_note.number} has been used for {show_amount(credit_note.used)} already and can't be"
            " changed. Undo its allocations first."
        )


class CreditBeyondInvoice(ProvenderError):
    """More would be given back than the invoice came to."""

    code = "credit-beyond-invoice"

    def __init__(self, invoice: Invoice, amount: Decimal, left: Decimal) -> None:
        super().__init__(
            f"{show_amount(amount)} is more than the {show_amount(left)} of invoice {invoice.number} that isn't"
            " credited yet. Give back at most that, or say that more is meant."
        )


class NegativeCreditNote(ProvenderError):
    """The lines come to nothing, or to less."""

    code = "negative-credit-note"

    def __init__(self, number: str, total: Decimal) -> None:
        super().__init__(
            f"Credit note {number} would come to {show_amount(total)}. A credit note needs a total above zero."
        )


class LineWithoutDescription(ProvenderError):
    """Each line must say what it is for."""

    code = "line-without-description"

    def __init__(self, position: int) -> None:
        super().__init__(f"Line {position} has no description. Write what it is for.")


class LineDescriptionTooLong(ProvenderError):
    """Xero takes 4,000 characters."""

    code = "line-description-too-long"

    def __init__(self, position: int, longest: int) -> None:
        super().__init__(f"The description of line {position} is longer than {longest} characters. Shorten it.")


class AnotherWholesalersCustomer(ProvenderError):
    """The customer belongs to another tenant."""

    code = "another-wholesalers-customer"

    def __init__(self, customer: object) -> None:
        super().__init__(f"Customer {customer} is not one of this wholesaler's. Choose one from its own list.")


class PaperNotPrinted(ProvenderError):
    """The press gave no PDF; why is in the log."""

    code = "paper-not-printed"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"The PDF of {number} couldn't be made just now. Nothing is lost: try again, or print the page itself."
        )
