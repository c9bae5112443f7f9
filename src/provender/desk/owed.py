"""Who owes what: every customer with something to pay, by how late it is."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from django_filters import CharFilter, ChoiceFilter, FilterSet

from provender.basics import clock
from provender.basics.money import ZERO
from provender.customers.models import Customer
from provender.desk.frame import DeskRequest, member
from provender.desk.lists import Column, Empty, List, Totals, show
from provender.payments.queries import AGES, Owed, owed_by
from provender.people.roles import Doing
from provender.suppliers.models import Supplier


class OwedFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    q = CharFilter("trading_name", "icontains", label="Search")
    late = ChoiceFilter(
        label="Show", choices=[("yes", "Only overdue")], empty_label="All that owe or have credit", method="by_late"
    )

    class Meta:
        model = Customer
        fields: list[str] = []

    def by_late(self, rows: QuerySet[Customer], _name: str, _value: str) -> QuerySet[Customer]:
        late = [pk for pk, owed in self.request.owed.items() if owed.overdue > 0]
        return rows.filter(pk__in=late)


class OwedList(List[Customer]):
    title, one, many = "Who owes what", "customer", "customers that owe"
    sentence = "What each customer has still to pay, by how long it has been due."
    filters = OwedFilter
    sort = "name"
    template = "desk/payments/owed.html"
    empty = Empty("Nobody owes anything", "Once an invoice is raised, its customer is here until it is paid.")

    def __init__(self, request: DeskRequest) -> None:
        super().__init__(request)
        request.owed = self.owed  # type: ignore[attr-defined]  # the filter asks for it

    @cached_property
    def owed(self) -> dict[Any, Owed]:
        """All of them at once: what is unpaid is little, and the sums below need every row of it."""
        return owed_by(self.supplier, clock.today(self.supplier.time_zone))

    @cached_property
    def drawn_columns(self) -> Sequence[Column[Customer]]:
        ages = [
            Column(f"age{place}", label, self._age(place), kind="money", phone="meta" if place else "hide")
            for place, label in enumerate(AGES)
        ]
        return (
            Column("name", "Customer", lambda c: c.trading_name, sort="trading_name", phone="title", link=self.page_of),
            *ages,
            Column("credit", "Credit", lambda c: -self.of(c).credit or None, kind="money", phone="hide"),
            Column("balance", f"Balance {self.supplier.currency}", lambda c: self.of(c).balance, "money", phone="side"),
        )

    def _age(self, place: int) -> Any:
        return lambda customer: self.of(customer).ages[place] or None

    def of(self, customer: Customer) -> Owed:
        """What this customer owes."""
        return self.owed.get(customer.pk, Owed())

    def shown_columns(self) -> Sequence[Column[Customer]]:
        return self.drawn_columns

    def page_of(self, customer: Customer) -> str:
        """Its unpaid invoices."""
        query = urlencode({"customer": str(customer.pk), "status": "open"})
        return f"{reverse('desk:invoices', args=[self.supplier.slug])}?{query}"

    def rows(self) -> QuerySet[Customer]:
        return self.supplier.customers.filter(Q(pk__in=list(self.owed)))

    @cached_property
    def totals(self) -> Totals:
        """Of those that the filters let through, worked out exactly."""
        keys = set(self.filter.qs.order_by().values_list("pk", flat=True))
        chosen = [owed for pk, owed in self.owed.items() if pk in keys]
        sums: list[tuple[Column[Any], Decimal]] = []
        for place, column in enumerate(self.drawn_columns[1 : 1 + len(AGES)]):
            sums.append((column, sum((owed.ages[place] for owed in chosen), ZERO)))
        sums.append((self.drawn_columns[-1], sum((owed.balance for owed in chosen), ZERO)))
        return Totals(len(chosen), sums)


@member(Doing.LOOK)
def owed(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    """The list."""
    return show(request, OwedList(request))
