"""Tax rates and the account classes that they can be used with."""

from decimal import Decimal

from xero_simulator import messages
from xero_simulator.calls import Call, Listing, Route, Saving, Shown, answer_list, replaced, save_whole
from xero_simulator.errors import Invalid
from xero_simulator.records import TaxComponent, TaxRate, Wire
from xero_simulator.seeds import ALL
from xero_simulator.wire import Answer, present, read_number

APPLIES = {
    "CanApplyToAssets": "ASSET",
    "CanApplyToEquity": "EQUITY",
    "CanApplyToExpenses": "EXPENSE",
    "CanApplyToLiabilities": "LIABILITY",
    "CanApplyToRevenue": "REVENUE",
}
FIRST_OWN = 1


class ComponentIn(Wire, frozen=True):
    name: str | None = None
    rate: Decimal | None = None
    is_compound: bool | None = None
    is_non_recoverable: bool | None = None


class TaxRateIn(Wire, frozen=True):
    name: str | None = None
    tax_type: str | None = None
    status: str | None = None
    report_tax_type: str | None = None
    tax_components: list[ComponentIn] | None = None


def show(_call: Call | None, rate: TaxRate) -> Shown:
    flags = {name: kind in rate.applies for name, kind in APPLIES.items()}
    percent = rate.rate.quantize(Decimal("0.0001"))
    return (
        present(
            Name=rate.name,
            TaxType=rate.id,
            ReportTaxType=rate.report_tax_type,
        )
        | flags
        | present(
            DisplayTaxRate=percent,
            EffectiveRate=percent,
            Status=rate.status,
            TaxComponents=[
                {
                    "Name": part.name,
                    "Rate": part.rate.quantize(Decimal("0.0001")),
                    "IsCompound": part.is_compound,
                    "IsNonRecoverable": part.is_non_recoverable,
                }
                for part in rate.components
            ],
        )
    )


FIELDS = {
    "Name": lambda t: t.name,
    "TaxType": lambda t: t.id,
    "Status": lambda t: t.status,
    "ReportTaxType": lambda t: t.report_tax_type,
    "EffectiveRate": lambda t: t.rate,
    "DisplayTaxRate": lambda t: t.rate,
    "CanApplyToRevenue": lambda t: "REVENUE" in t.applies,
    "CanApplyToExpenses": lambda t: "EXPENSE" in t.applies,
    "CanApplyToAssets": lambda t: "ASSET" in t.applies,
    "CanApplyToLiabilities": lambda t: "LIABILITY" in t.applies,
    "CanApplyToEquity": lambda t: "EQUITY" in t.applies,
}
LISTING = Listing("TaxRates", FIELDS, show, modified_since=False)
SAVING = Saving("TaxRates", "TaxType", show, flags=(), has_status=False)


def get_all(call: Call) -> Answer:
    wanted = call.args.get("taxtype", "").upper()
    return answer_list(call, LISTING, [t for t in call.books.tax_rates if not wanted or t.id == wanted])


def create(call: Call) -> Answer:
    return save_whole(call, SAVING, call.elements("TaxRates", TaxRateIn)[0], _create)


def update(call: Call) -> Answer:
    return save_whole(call, SAVING, call.elements("TaxRates", TaxRateIn)[0], _update)


def _create(call: Call, sent: TaxRateIn) -> TaxRate:
    components = _components(sent)
    if not sent.name or not components:
        raise Invalid(messages.TAX_NAME_REQUIRED)
    if call.books.tax_rates.first("name", sent.name.casefold()):
        raise Invalid(messages.TAX_NAME_TAKEN)
    rate = TaxRate(
        id=_next_type(call),
        updated=call.books.now(),
        name=sent.name,
        rate=_effective(components),
        components=components,
        applies=ALL,
        report_tax_type=_report_type(call, sent.report_tax_type),
        system=False,
    )
    call.books.put(rate)
    return rate


def _update(call: Call, sent: TaxRateIn) -> TaxRate:
    old = call.books.tax_rates.get((sent.tax_type or "").upper())
    if old is None and sent.name:
        old = call.books.tax_rates.first("name", sent.name.casefold())
    if old is None:
        return _create(call, sent)
    if old.system:
        raise Invalid(messages.TAX_SYSTEM)
    status = (sent.status or old.status).upper()
    if status not in {"ACTIVE", "DELETED", "ARCHIVED"}:
        raise Invalid(messages.STATUS_INVALID)
    components = _components(sent) or old.components
    rate = replaced(
        old,
        updated=call.books.now(),
        name=sent.name or old.name,
        components=components,
        rate=_effective(components),
        status=status,
    )
    call.books.put(rate)
    return rate


def _components(sent: TaxRateIn) -> tuple[TaxComponent, ...]:
    parts = []
    for part in sent.tax_components or []:
        rate = read_number(part.rate)
        if not part.name or rate is None or rate < 0:
            raise Invalid(messages.TAX_NAME_REQUIRED)
        parts.append(
            TaxComponent(
                name=part.name,
                rate=rate,
                is_compound=bool(part.is_compound),
                is_non_recoverable=bool(part.is_non_recoverable),
            )
        )
    return tuple(parts)


def _effective(components: tuple[TaxComponent, ...]) -> Decimal:
    """Plain parts add up; a compound part is on top of their sum."""
    plain = sum((part.rate for part in components if not part.is_compound), Decimal(0))
    compound = sum((part.rate for part in components if part.is_compound), Decimal(0))
    return plain + (100 + plain) * compound / 100


def _report_type(call: Call, wanted: str | None) -> str | None:
    if wanted is None or call.books.settings.version == "GLOBAL":
        return wanted
    if wanted.upper() not in {rate.report_tax_type for rate in call.books.tax_rates}:
        raise Invalid(messages.TAX_REPORT_TYPE_INVALID)
    return wanted.upper()


def _next_type(call: Call) -> str:
    number = FIRST_OWN
    while call.books.tax_rates.get(f"TAX{number:03d}"):
        number += 1
    return f"TAX{number:03d}"


def get_one(call: Call) -> Answer:
    call.args["taxtype"] = call.ids[0]
    return get_all(call)


ROUTES = [
    Route("GET", ("TaxRates",), get_all),
    Route("GET", ("TaxRates", None), get_one),
    Route("PUT", ("TaxRates",), create),
    Route("POST", ("TaxRates",), update),
]
