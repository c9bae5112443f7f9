"""Today: what needs a person, four figures, sales by day, and the line about Xero."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from provender.basics import clock
from provender.basics.wording import counted
from provender.desk.chart import Chart, bars_by_day
from provender.desk.frame import DeskRequest, member
from provender.desk.templatetags.desk import money
from provender.invoicing.models import Invoice
from provender.ordering.models import Order
from provender.payments.models import Allocation, Payment
from provender.payments.queries import UNPAID
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync.queries import problem_groups

DAYS = 30
WEEK = timedelta(days=7)
NOON, EVENING = 12, 17
SHOWN_PROBLEMS = 5
LEFT = F("total") - F("paid") - F("credited")


@dataclass(frozen=True)
class Figure:
    """One of the four: what it is, how much, what it was before, and the list that makes it up."""

    what: str
    value: str
    then: str
    url: str
    bad: bool = False


@member(Doing.LOOK)
def today(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    day = clock.today(supplier.time_zone)
    sales = sales_by_day(supplier, day)
    context = {
        "greeting": greeting(timezone.localtime(clock.now())),
        "day": day,
        "figures": [*order_figures(supplier, day), *money_figures(supplier, day)],
        "problems": problem_groups(supplier)[:SHOWN_PROBLEMS],
        "late": late_orders(supplier, day),
        "late_url": _list(supplier, "orders", status=Order.Status.PLACED, delivery="past"),
        "sales": sales,
        "sold": sum((value for _, value in sales), Decimal(0)),
        "charts": draw(sales),
        "starting": not supplier.orders.exists(),
    }
    return render(request, "desk/today.html", context)


def greeting(now: datetime) -> str:
    """By the wholesaler's clock."""
    return "Good morning" if now.hour < NOON else "Good afternoon" if now.hour < EVENING else "Good evening"


def order_figures(supplier: Supplier, day: date) -> list[Figure]:
    """Orders of today beside those of the same day last week; placed orders that no invoice stands for yet."""
    live = Q(status__in=(Order.Status.PLACED, Order.Status.DELIVERED))
    waiting = live & Q(invoice=None)
    counts = supplier.orders.aggregate(
        now=Count("pk", live & Q(order_date=day)),
        then=Count("pk", live & Q(order_date=day - WEEK)),
        waiting=Count("pk", waiting),
        older=Count("pk", waiting & Q(order_date__lt=day)),
    )
    return [
        Figure(
            "Orders today", f"{counts['now']:,}", f"{counts['then']:,} on {day - WEEK:%A} last week",
            _list(supplier, "orders", status="live", date_from=day, date_to=day),
        ),
        Figure(
            "To be invoiced", f"{counts['waiting']:,}", f"{counts['older']:,} of them from before today",
            _list(supplier, "orders", invoiced="no"),
        ),
    ]  # fmt: skip


def money_figures(supplier: Supplier, day: date) -> list[Figure]:
    """What customers still owe, and how much of it is late, beside a week ago."""
    sums = supplier.invoices.filter(UNPAID).aggregate(
        owed=Sum(LEFT), late=Sum(LEFT, filter=Q(due_date__lt=day)), late_count=Count("pk", filter=Q(due_date__lt=day))
    )
    owed, late = (sums[key] or Decimal(0) for key in ("owed", "late"))
    owed_then, late_then = owed_at_end_of(supplier, day - WEEK)
    count, sign = sums["late_count"], supplier.currency
    return [
        Figure(
            "Outstanding", money(owed, sign), f"{money(owed_then, sign)} a week ago",
            reverse("desk:payments-owed", args=[supplier.slug]),
        ),
        Figure(
            "Overdue", money(late, sign),
            f"{counted(count, 'invoice')} · {money(late_then, sign)} a week ago",
            _list(supplier, "invoices", status="overdue"), bad=late > 0,
        ),
    ]  # fmt: skip


def owed_at_end_of(supplier: Supplier, day: date) -> tuple[Decimal, Decimal]:
    """What was owed when that day ended, and how much of it was late: what is left now and what has come since."""
    ended = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(supplier.time_zone))
    stood = Q(status=Invoice.Status.OPEN) | Q(voided_at__gte=ended)
    unpaid = supplier.invoices.filter(stood, Q(settled_on=None) | Q(settled_on__gt=day), date__lte=day)
    late = Q(due_date__lt=day)
    sums = [unpaid.aggregate(owed=Sum(LEFT), late=Sum(LEFT, filter=late))]
    late = Q(invoice__due_date__lt=day)
    for table in (Payment, Allocation):
        since = table.objects.filter(supplier=supplier, removed_at=None, date__gt=day, invoice__in=unpaid)
        sums.append(since.aggregate(owed=Sum("amount"), late=Sum("amount", filter=late)))
    owed = sum((each["owed"] or Decimal(0) for each in sums), Decimal(0))
    return owed, sum((each["late"] or Decimal(0) for each in sums), Decimal(0))


def late_orders(supplier: Supplier, day: date) -> int:
    """Placed orders whose delivery date has passed."""
    return supplier.orders.filter(status=Order.Status.PLACED, delivery_date__lt=day).count()


def sales_by_day(supplier: Supplier, day: date) -> list[tuple[date, Decimal]]:
    """What was invoiced without tax, for each of the last 30 days, oldest first."""
    first = day - timedelta(days=DAYS - 1)
    rows = supplier.invoices.exclude(status=Invoice.Status.VOID).filter(date__range=(first, day))
    sums = dict(rows.values_list("date").annotate(Sum("subtotal")).order_by("date"))
    return [(at, sums.get(at, Decimal(0))) for at in (first + timedelta(days=n) for n in range(DAYS))]


def draw(sales: list[tuple[date, Decimal]]) -> list[Chart]:
    """For a desk and for a phone."""
    return [
        bars_by_day(sales, size="wide", width=720, height=230, labels=6),
        bars_by_day(sales, size="narrow", width=340, height=210, labels=3),
    ]


def _list(supplier: Supplier, name: str, **filters: Any) -> str:
    query = urlencode({key: str(value) for key, value in filters.items()})
    return f"{reverse(f'desk:{name}', args=[supplier.slug])}?{query}"
