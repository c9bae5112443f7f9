"""GET /Organisation and its Actions."""

from xero_simulator.books import Books
from xero_simulator.calls import Call, Route, Shown
from xero_simulator.clock import MILLISECONDS_A_DAY
from xero_simulator.wire import Answer, envelope, ms_date, ms_time, present

ALLOWED = (
    "AttachFiles",
    "CreateApprovedBill",
    "CreateApprovedInvoice",
    "CreateBankTransactionAccount",
    "CreateBillPayment",
    "CreateCreditCardAccount",
    "CreateInvoicePayment",
    "CreateDraftInvoice",
    "EditContacts",
)
NOT_ALLOWED = ("ApproveTransactionsBeforePeriodLockDate",)


def show(books: Books) -> Shown:
    """The organisation in Xero's shape; lock dates only when they are set."""
    settings = books.settings
    return present(
        Name=settings.name,
        LegalName=settings.legal_name,
        PaysTax=True,
        Version=settings.version,
        OrganisationType="COMPANY",
        BaseCurrency=settings.base_currency,
        CountryCode=settings.country_code,
        IsDemoCompany=settings.is_demo,
        OrganisationStatus="ACTIVE",
        TaxNumber=settings.tax_number,
        FinancialYearEndDay=settings.financial_year_end_day,
        FinancialYearEndMonth=settings.financial_year_end_month,
        SalesTaxBasis=settings.sales_tax_basis,
        SalesTaxPeriod=settings.sales_tax_period,
        DefaultSalesTax="Tax Exclusive",
        DefaultPurchasesTax="Tax Exclusive",
        PeriodLockDate=ms_date(settings.period_lock_date) if settings.period_lock_date else None,
        EndOfYearLockDate=ms_date(settings.end_of_year_lock_date) if settings.end_of_year_lock_date else None,
        CreatedDateUTC=ms_time(settings.updated // MILLISECONDS_A_DAY * MILLISECONDS_A_DAY, ""),
        OrganisationEntityType="COMPANY",
        Timezone=settings.time_zone,
        ShortCode=settings.short_code,
        OrganisationID=settings.id,
        Edition="BUSINESS",
        Class=settings.organisation_class,
        Addresses=[],
        Phones=[],
        ExternalLinks=[],
        PaymentTerms={},
    )


def get(call: Call) -> Answer:
    return envelope("Organisations", [show(call.books)], call.books.now())


def get_actions(call: Call) -> Answer:
    actions = [{"Name": name, "Status": "ALLOWED"} for name in ALLOWED]
    multicurrency = "ALLOWED" if call.books.settings.multicurrency else "NOT-ALLOWED"
    actions.append({"Name": "UseMulticurrency", "Status": multicurrency})
    actions += [{"Name": name, "Status": "NOT-ALLOWED"} for name in NOT_ALLOWED]
    return envelope("Actions", actions, call.books.now())


ROUTES = [
    Route("GET", ("Organisation",), get),
    Route("GET", ("Organisations",), get),
    Route("GET", ("Organisation", "Actions"), get_actions),
]
