"""The chart of accounts: one account per write, and the exceptions that Xero makes for it."""

from xero_simulator import currencies, messages
from xero_simulator.books import Books, new_id
from xero_simulator.calls import Call, Listing, Route, Saving, Shown, answer_list, moment_of, replaced, save_whole
from xero_simulator.errors import Invalid, NotFound
from xero_simulator.records import CLASS_OF_TYPE, Account, Wire
from xero_simulator.wire import Answer, envelope, guid_or_none, json_text, ms_time, present

LONGEST_CODE = 10
LONGEST_NAME = 150


class AccountIn(Wire, frozen=True):
    account_id: str | None = None
    code: str | None = None
    name: str | None = None
    type: str | None = None
    description: str | None = None
    tax_type: str | None = None
    status: str | None = None
    enable_payments_to_account: bool | None = None
    show_in_expense_claims: bool | None = None
    bank_account_number: str | None = None
    bank_account_type: str | None = None
    currency_code: str | None = None


def show(_call: Call | None, account: Account) -> Shown:
    return present(
        AccountID=account.id,
        Code=account.code,
        Name=account.name,
        Status=account.status,
        Type=account.type,
        TaxType=account.tax_type,
        Description=account.description,
        Class=CLASS_OF_TYPE[account.type],
        SystemAccount=account.system_account,
        EnablePaymentsToAccount=account.enable_payments,
        ShowInExpenseClaims=account.show_in_expense_claims,
        BankAccountNumber=account.bank_account_number,
        BankAccountType=account.bank_account_type or "",
        CurrencyCode=account.currency_code,
        ReportingCode="",
        HasAttachments=False,
        UpdatedDateUTC=ms_time(account.updated),
        AddToWatchlist=False,
    )


def show_briefly(books: Books, account_id: str) -> Shown:
    """The account as it stands inside payments."""
    account = books.accounts.rows[account_id]
    return present(AccountID=account.id, Code=account.code, Name=account.name)


FIELDS = {
    "AccountID": lambda a: a.id,
    "Code": lambda a: a.code,
    "Name": lambda a: a.name,
    "Type": lambda a: a.type,
    "Status": lambda a: a.status,
    "TaxType": lambda a: a.tax_type,
    "Class": lambda a: CLASS_OF_TYPE[a.type],
    "SystemAccount": lambda a: a.system_account,
    "EnablePaymentsToAccount": lambda a: a.enable_payments,
    "ShowInExpenseClaims": lambda a: a.show_in_expense_claims,
    "BankAccountNumber": lambda a: a.bank_account_number,
    "UpdatedDateUTC": moment_of,
}
LISTING = Listing("Accounts", FIELDS, show)
SAVING = Saving("Accounts", "AccountID", show, flags=(), has_status=False)


def _find(call: Call) -> Account:
    account = call.books.accounts.get(guid_or_none(call.ids[0]))
    if account is None or account.status == "DELETED":
        raise NotFound(messages.NOT_FOUND)
    return account


def get_all(call: Call) -> Answer:
    return answer_list(call, LISTING, [a for a in call.books.accounts if a.status != "DELETED"])


def get_one(call: Call) -> Answer:
    return envelope("Accounts", [show(call, _find(call))], call.books.now())


def create(call: Call) -> Answer:
    """Only the first element counts, as at Xero."""
    return save_whole(call, SAVING, call.elements("Accounts", AccountIn)[0], _create)


def update(call: Call) -> Answer:
    present_one = _find(call)
    element = call.elements("Accounts", AccountIn)[0]
    return save_whole(call, SAVING, element, lambda call, sent: change(call, present_one, sent))


def delete(call: Call) -> Answer:
    account = _find(call)
    return save_whole(call, SAVING, AccountIn(account_id=account.id), lambda call, _sent: _delete(call, account))


def _create(call: Call, sent: AccountIn) -> Account:
    texts = _check(call.books, sent, None)
    kind = (sent.type or "").upper()
    if kind not in CLASS_OF_TYPE:
        texts.append(messages.ACCOUNT_TYPE_INVALID)
    if not sent.name:
        texts.append(messages.ACCOUNT_NAME_REQUIRED)
    if not sent.code and kind != "BANK":
        texts.append(messages.ACCOUNT_CODE_REQUIRED)
    if kind == "BANK" and not sent.bank_account_number:
        texts.append(messages.BANK_NUMBER_REQUIRED)
    bank = kind == "BANK"
    if bank:
        texts += currencies.check(call.books, sent.currency_code)
    if texts:
        raise Invalid(*texts)
    account = Account(
        id=new_id(),
        updated=call.books.now(),
        name=str(sent.name),
        type=kind,
        code=sent.code or None,
        tax_type=(sent.tax_type or "").upper() or ("NONE" if call.books.tax_rates.get("NONE") else "BASEXCLUDED"),
        description=sent.description,
        enable_payments=bool(sent.enable_payments_to_account),
        show_in_expense_claims=bool(sent.show_in_expense_claims),
        bank_account_number=sent.bank_account_number if bank else None,
        bank_account_type=(sent.bank_account_type or "BANK") if bank else None,
        currency_code=(sent.currency_code or call.books.settings.base_currency).upper() if bank else None,
    )
    call.books.put(account)
    return account


def change(call: Call, old: Account, sent: AccountIn) -> Account:
    texts = _check(call.books, sent, old)
    details = (sent.code, sent.name, sent.type, sent.tax_type, sent.description, sent.bank_account_number)
    status = (sent.status or old.status).upper()
    if status not in {"ACTIVE", "ARCHIVED"}:
        texts.append(messages.STATUS_INVALID)
    elif status != old.status:
        if any(details):
            texts.append(messages.ACCOUNT_STATUS_ALONE)
        if old.system_account:
            texts.append(messages.ACCOUNT_SYSTEM)
    if sent.type and sent.type.upper() not in CLASS_OF_TYPE:
        texts.append(messages.ACCOUNT_TYPE_INVALID)
    if texts:
        raise Invalid(*texts)
    account = replaced(
        old,
        updated=call.books.now(),
        code=sent.code or old.code,
        name=sent.name or old.name,
        type=(sent.type or old.type).upper(),
        tax_type=(sent.tax_type or old.tax_type or "").upper() or None,
        description=sent.description if sent.description is not None else old.description,
        status=status,
        enable_payments=_first(sent.enable_payments_to_account, old.enable_payments),
        show_in_expense_claims=_first(sent.show_in_expense_claims, old.show_in_expense_claims),
        bank_account_number=sent.bank_account_number or old.bank_account_number,
    )
    call.books.put(account)
    if account.code != old.code and old.code and account.code:
        own = f',"AccountID":"{account.id}"'
        call.books.rewrite_lines(
            f'"AccountCode":{json_text(old.code)}{own}', f'"AccountCode":{json_text(account.code)}{own}'
        )
    return account


def _first(sent: bool | None, old: bool) -> bool:
    return old if sent is None else sent


def _check(books: Books, sent: AccountIn, old: Account | None) -> list[str]:
    """Lengths and uniqueness of code and name, and whether the tax type exists."""
    texts = []
    own = old.id if old else None
    if sent.code and len(sent.code) > LONGEST_CODE:
        texts.append(messages.ACCOUNT_CODE_TOO_LONG)
    if sent.code and any(a.id != own and a.status != "DELETED" for a in books.accounts.find("code", sent.code.upper())):
        texts.append(messages.ACCOUNT_CODE_TAKEN)
    if sent.name and len(sent.name) > LONGEST_NAME:
        texts.append(messages.too_long("Name", LONGEST_NAME))
    if sent.name and any(
        a.id != own and a.status != "DELETED" for a in books.accounts.find("name", sent.name.casefold())
    ):
        texts.append(messages.ACCOUNT_NAME_TAKEN)
    if sent.tax_type and books.tax_rates.get(sent.tax_type.upper()) is None:
        texts.append(messages.TAX_RATE_MUST_BE_VALID)
    return texts


def _delete(call: Call, old: Account) -> Account:
    if old.system_account:
        raise Invalid(messages.ACCOUNT_SYSTEM)
    if call.books.is_used_account(old):
        raise Invalid(messages.ACCOUNT_IN_USE)
    account = replaced(old, status="DELETED", updated=call.books.now())
    call.books.put(account)
    return account


ROUTES = [
    Route("GET", ("Accounts",), get_all),
    Route("GET", ("Accounts", None), get_one),
    Route("PUT", ("Accounts",), create),
    Route("POST", ("Accounts", None), update),
    Route("DELETE", ("Accounts", None), delete),
]
