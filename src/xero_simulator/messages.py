"""Every text that Xero gives when it refuses something.

The first part holds wording known from Xero's documentation, its OpenAPI description, or reports of people who met
it; clients may match its beginnings. The second part is our own wording for rules whose text is not known: clients
should show those and match none of them.
"""

from datetime import date

INVOICE_NUMBER_TAKEN = "Invoice # must be unique."
ACCOUNT_MUST_BE_VALID = "Account must be valid."
TAX_RATE_MUST_BE_VALID = "Tax rate must be valid."
ACCOUNT_REQUIRED = "The account code or ID must be specified"
ITEM_CODE_TOO_LONG = "Price List Item Code must not be more than 30 characters long."
ACCOUNT_CODE_TOO_LONG = "Account Code is too long. Maximum of 10 characters allowed"
ACCOUNT_NAME_TAKEN = "Please enter a unique Name."
ACCOUNT_CODE_TAKEN = "Please enter a unique Code."
CONTACT_NUMBER_MERGED = "Another contact has this contact number. Please enter a different contact number."
ACCOUNT_NUMBER_TAKEN = "The Account Number already exists. Please enter a different Account Number."
CONTACT_ARCHIVED = (
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes."
)
CONTACT_UNIDENTIFIED = (
    "The Contact must contain at least 1 of the following elements to identify the contact: "
    "Name, ContactID, ContactNumber"
)
CONTACT_REQUIRED = "A Contact must be specified for this type of transaction"
LINES_REQUIRED = "One or more line items must be specified"
TYPE_REQUIRED = "Invoice Type must be specified"
EMAIL_INVALID = "Email address must be valid."
INVOICE_NOT_MODIFIABLE = "Invoice not of valid status for modification"
CREDIT_NOTE_NOT_MODIFIABLE = "Credit Note not of valid status for modification"
PAYMENT_NOT_MODIFIABLE = "Payment not of valid status for modification"
INVOICE_NOT_CREATABLE = "Invoice not of valid status for creation"
CREDIT_NOTE_NOT_CREATABLE = "Credit Note not of valid status for creation"
PAID_OR_CREDITED = "This document cannot be edited as it has a payment or credit note allocated to it."
DATE_FIXED_BY_PAYMENT = "Date cannot be changed on an invoice that has payment or credit notes allocated to it."
PAYMENT_TOO_LARGE = "Payment amount exceeds the amount outstanding on this document"
PAYMENT_NEEDS_AUTHORISED = "Payments can only be made against Authorised documents"
PAYMENT_ACCOUNT_MISSING = "Account could not be found"
PAYMENT_IN_BATCH = "Payments within a batch cannot be deleted."
CREDIT_NOTE_ID_UNKNOWN = "An existing Credit Note with the specified CreditNoteID could not be found"
INVOICE_ID_UNKNOWN = "An existing invoice with the specified ID could not be found"
HISTORY_DOCUMENT_UNKNOWN = "The document with the supplied id was not found for this endpoint."
APPROVAL_LIMIT = "You have reached the limit of invoices you can approve"
TAX_ABOVE_LINE = "The tax amount cannot be greater than the line amount!"
SPEND_NOT_UPDATABLE = "Spend money transactions cannot be updated"
CURRENCY_RATE_REQUIRED = "A currency rate must be specified"
NOT_FOUND = "The resource you're looking for cannot be found"
NO_STOCK = "No items available to sell"
CONDITION_INVALID = "One or more conditions given in the request header fields were invalid."
VALIDATION_HEADLINE = "A validation exception occurred"
NO_DATA = (
    "No data has been processed for this endpoint. This endpoint is expecting {key} data to be specified "
    "in the request body."
)


def account_code_invalid(code: str) -> str:
    return f"Account code '{code}' is not a valid code for this document."


def account_archived(code: str) -> str:
    return (
        f"Account code '{code}' has been archived, or has been deleted. Each line item must reference a valid account."
    )


def tax_type_not_for_account(tax_type: str, code: str) -> str:
    return f"The TaxType code '{tax_type}' cannot be used with account code '{code}'."


def tax_type_unknown(tax_type: str) -> str:
    return f"The TaxType code {tax_type} does not exist or cannot be used for this type of transaction."


def item_code_invalid(code: str) -> str:
    return f"Item code '{code}' is not valid"


def item_code_taken(code: str) -> str:
    return f"Price List Item with Code '{code}' already exists"


def contact_name_taken(name: str) -> str:
    return (
        f"The contact name {name} is already assigned to another contact. "
        "The contact name must be unique across all active contacts."
    )


def contact_number_taken(number: str) -> str:
    return (
        f"The contact number {number} is already assigned to another contact. "
        "The contact number must be unique across all contacts."
    )


def status_blocked_by_payment(status: str) -> str:
    return (
        f"The status {status} cannot be applied to the invoice because it has payments or credit notes allocated to it."
    )


def before_period_lock(locked: date) -> str:
    return f"The document date cannot be before the period lock date, currently set at {locked:%d-%b-%Y}"


def before_year_lock(locked: date) -> str:
    return f"The document date cannot be before the end of year lock date, currently set at {locked:%d-%b-%Y}"


def currency_not_subscribed(code: str) -> str:
    return f"Organisation is not subscribed to currency {code}"


def idempotency_clash(key: str) -> str:
    return f"Idempotency Key: {key} is used with a different request."


def line_total_differs(given: object, expected: object) -> str:
    return f"The line total {given} does not match the expected line total {expected}"


def is_from_memory(text: str) -> bool:
    """Whether it is one of the texts that nobody could show us."""
    return text.startswith(FROM_MEMORY)


def in_other_words(text: str) -> str:
    return f"Refused. {text}"


# From here on the wording is ours: the rule is documented, its text is not.
IDEMPOTENCY_TOO_LONG = "Idempotency-Key must not be more than 128 characters long."
IDEMPOTENCY_IN_FLIGHT = "A request with this Idempotency-Key is still being processed."
CONTACT_NAME_REQUIRED = "The contact name must be specified."
CONTACT_NAME_SHAPE = "The contact name cannot contain angle brackets or leading, trailing or repeated spaces."
CONTACT_ID_UNKNOWN = "An existing contact with the specified ContactID could not be found"
CONTACT_PART_TYPE_INVALID = "The type is not one that there is."
CONTACT_STATUS_INVALID = "Contact status is not valid."
TOO_MANY_CONTACT_PERSONS = "A contact can have no more than 5 contact persons."
STATUS_INVALID = "Status is not valid."
LINE_AMOUNT_TYPES_INVALID = "LineAmountTypes must be Exclusive, Inclusive or NoTax."
DISCOUNT_NOT_ALLOWED = "Discounts are only allowed on sales invoices."
DISCOUNT_INVALID = "The discount must be between 0 and the whole line."
NEGATIVE_TOTAL = "The total of the document must not be negative."
LINE_AMOUNT_TOO_LARGE = "The line amount is too large."
TOO_MANY_TRACKING = "A line item can have no more than 2 tracking categories."
DUE_DATE_BEFORE_DATE = "The due date cannot be before the date of the document."
URL_INVALID = "The Url must be an absolute address and must not contain 'xero'."
REFERENCE_NOT_ALLOWED = "Reference is only for sales invoices."
DESCRIPTION_REQUIRED = "Description must be specified on each line item of an approved document."
SENT_NEEDS_APPROVAL = "SentToContact can only be set on approved documents."
TOO_MANY_ITEMS = "No more than 500 items can be processed in one request."
ITEM_CODE_REQUIRED = "Price List Item Code must be specified."
ITEM_IN_USE = "The item is used by a transaction and cannot be deleted."
STOCK_SOLD = "Some of this stock has been sold since, so it cannot be taken out again."
ITEM_TRACKING_FIXED = "An item that has transactions cannot change how its inventory is tracked."
ACCOUNT_TYPE_INVALID = "Account Type is not valid."
ACCOUNT_NAME_REQUIRED = "Account Name must be specified."
ACCOUNT_CODE_REQUIRED = "Account Code must be specified."
ACCOUNT_SYSTEM = "System accounts cannot be changed, archived or deleted."
ACCOUNT_IN_USE = "The account has transactions and cannot be deleted."
ACCOUNT_STATUS_ALONE = "An account's status cannot be changed together with its other details."
BANK_NUMBER_REQUIRED = "Bank accounts need a BankAccountNumber."
TAX_NAME_TAKEN = "A tax rate with this name already exists."
TAX_NAME_REQUIRED = "The tax rate needs a Name and at least one TaxComponent."
TAX_REPORT_TYPE_INVALID = "ReportTaxType is not valid for this organisation."
TAX_SYSTEM = "System tax rates cannot be changed."
TRACKING_NAME_REQUIRED = "Tracking categories and options need a Name of at most 100 characters."
TRACKING_NAME_TAKEN = "The tracking name is already used."
TRACKING_LIMIT = "An organisation can have no more than 2 active tracking categories."
TRACKING_ARCHIVE_LIMIT = "An organisation can have no more than 2 archived tracking categories."
TRACKING_OPTION_LIMIT = "A tracking category can have no more than 100 options."
PAYMENT_DOCUMENT_REQUIRED = "A payment needs one Invoice, CreditNote, Prepayment or Overpayment."
PAYMENT_AMOUNT_INVALID = "The payment amount must be greater than zero."
PAYMENT_DATE_REQUIRED = "The payment date must be specified."
PAYMENT_RECONCILED = "This payment has been reconciled and cannot be deleted"
PAYMENT_ID_UNKNOWN = "An existing payment with the specified ID could not be found"
BATCH_REFERENCE_REQUIRED = "The reference of the batch payment must be specified."
BATCH_EMPTY = "A batch payment needs at least one payment."
BATCH_TOO_LARGE = "A batch payment can contain no more than 200 payments."
BATCH_MIXED = "A batch payment cannot mix sales invoices and bills."
BATCH_NOT_MODIFIABLE = "Batch payment not of valid status for modification"
BATCH_ID_UNKNOWN = "An existing batch payment with the specified ID could not be found"
BATCH_REPEATED = "A document can be in a batch payment only once."
ALLOCATION_TOO_LARGE = "The allocation exceeds what is left of the credit."
ALLOCATION_ABOVE_DUE = "The allocation exceeds the amount outstanding on the invoice."
ALLOCATION_CONTACT = "Credit can only be allocated to documents of the same contact."
ALLOCATION_TYPE = "Credit can only be allocated to documents of the same side of the ledger."
ALLOCATION_AMOUNT_INVALID = "The allocation amount must be greater than zero."
ALLOCATION_NEEDS_AUTHORISED = "Credit can only be allocated from and to authorised documents."
ALLOCATION_UNKNOWN = "The allocation could not be found."
CREDIT_NOTE_NUMBER_TAKEN = "Credit Note # must be unique."
CREDIT_NOTE_TYPE_REQUIRED = "Credit Note Type must be specified"
OVERPAYMENT_LINES = "An overpayment has exactly one line and no tax."
BANK_ACCOUNT_INVALID = "The bank account could not be found or is not a bank account."
TRANSACTION_TYPE_INVALID = "The bank transaction Type is not valid."
TRANSACTION_NOT_MODIFIABLE = "Bank transaction not of valid status for modification"
TRANSACTION_RECONCILED = "The bank transaction is reconciled and cannot be changed."
HISTORY_DETAILS_INVALID = "Details must be specified and not be too long."
CURRENCY_CODE_INVALID = "The currency code is not valid."
CURRENCY_RATE_INVALID = "The currency rate must be greater than zero."
CURRENCY_NOT_IN_PLAN = "The organisation's plan does not include other currencies."
PAYMENT_CURRENCY = "The payment's account must be in the currency of the document or of the organisation."
ALLOCATION_CURRENCY = "Credit can only be allocated to documents of the same currency."
BATCH_CURRENCY = "The documents of a batch payment must be in the currency of its account."
NUMBER_OUT_OF_RANGE = "The number is out of range."


FROM_MEMORY = (ACCOUNT_CODE_TAKEN, PAYMENT_RECONCILED, ALLOCATION_CONTACT, "The line total ")


def query_too_slow(fields: list[str]) -> str:
    return f"There are too many records to be filtered or sorted by {', '.join(fields)}. Use optimised fields only."


def too_long(field: str, limit: int) -> str:
    return f"{field} must not be more than {limit} characters long."


def tracking_unknown(name: str) -> str:
    return f"The tracking category or option '{name}' could not be found."
