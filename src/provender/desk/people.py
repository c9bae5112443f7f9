"""People and roles: who works for the wholesaler, who is invited; invite, change a role, remove."""

from typing import Any

from django import forms
from django.conf import settings as configured
from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_filters import CharFilter, ChoiceFilter, FilterSet

from provender.basics.errors import ProvenderError
from provender.desk.frame import DeskRequest, member
from provender.desk.lists import Badge, Column, Empty, List, show
from provender.desk.meanwhile import SharedForm, who_did
from provender.people import actions, queries
from provender.people.models import Membership
from provender.people.roles import Doing, Role
from provender.suppliers.models import Supplier
from provender.timeline.actions import tell

WHAT_ROLES_DO = {
    Role.OWNER: "everything, this page and the wholesaler's settings included",
    Role.STAFF: "orders, customers, products and prices",
    Role.BOOKKEEPER: "what the order desk does, and Xero: connecting, settings, sending and repairing",
    Role.READER: "looks at everything, changes nothing",
}
ROLE_CHOICES = [(role.value, f"{role.label}: {WHAT_ROLES_DO[role]}") for role in Role]


class PeopleFilter(FilterSet):  # type: ignore[misc]  # django_filters has no types
    q = CharFilter(label="Search", method="search")
    role = ChoiceFilter(label="Role", choices=Role.choices, empty_label="Any role")

    class Meta:
        model = Membership
        fields: list[str] = []

    def search(self, rows: QuerySet[Membership], name: str, text: str) -> QuerySet[Membership]:  # noqa: ARG002
        return rows.filter(Q(user__name__icontains=text) | Q(user__email__icontains=text))


class PeopleList(List[Membership]):
    title, one, many = "People", "person", "people"
    sentence = "Who works here, and what each may do."
    filters = PeopleFilter
    sort = "name"
    template = "desk/people/people.html"
    empty = Empty("Nobody works here yet", "Invite the first person.", "Invite", "desk:people-invite", Doing.RUN)
    columns = (
        Column(
            "name",
            "Name",
            lambda m: str(m.user),
            sort="user__name",
            phone="title",
            link=lambda m: reverse("desk:person", args=[m.supplier.slug, m.pk]),
        ),
        Column("email", "E-mail address", lambda m: m.user.email, sort="user__email"),
        Column("role", "Role", lambda m: Badge(Role(m.role).label), kind="badge", sort="role", phone="badge"),
        Column("since", "Since", lambda m: m.since, kind="date", sort="since"),
    )

    def rows(self) -> QuerySet[Membership]:
        return queries.members_of(self.supplier).select_related("supplier")

    def extra_context(self) -> dict[str, Any]:
        return {"invitations": queries.open_invitations(self.supplier)}


@member(Doing.LOOK)
def people(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    return show(request, PeopleList(request))


class RoleField(forms.ChoiceField):
    def __init__(self) -> None:
        super().__init__(label="Role", choices=ROLE_CHOICES, widget=forms.RadioSelect)


class RoleForm(SharedForm):
    role = RoleField()

    class Meta:
        model = Membership
        fields = ("role",)


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail address", help_text="The link works for this address only.")
    role = RoleField()


@member(Doing.RUN)
def invite(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Ask for address and role; then show the link, once."""
    form = InviteForm(request.POST or None, initial={"role": Role.STAFF})
    if request.method == "POST" and form.is_valid():
        email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
        try:
            with transaction.atomic():
                secret = actions.invite(supplier, email, role, request.user)
                tell(supplier, "supplier", supplier.pk, f"Invited {email} as {role.label}", who=request.user)
        except ProvenderError as error:
            form.add_error("email", error.sentence)
        else:
            link = f"{configured.PUBLIC_URL}{reverse('desk:join', args=[secret])}"
            context = {"link": link, "email": email, "role": role.label, "days": actions.LINK_LASTS.days}
            return render(request, "desk/people/invited.html", context)
    return render(request, "desk/people/invite.html", {"form": form})


@member(Doing.LOOK, post=Doing.RUN)
def person(request: DeskRequest, supplier: Supplier, pk: int) -> HttpResponse:
    """One person: since when, and the role, which an owner may change."""
    membership = get_object_or_404(queries.members_of(supplier), pk=pk)
    form, made = RoleForm.of(request, membership), f"Made {membership.user} "
    try:
        if form.may_be_kept() and form.keep(lambda: _change_role(request, membership, Role(form.instance.role), made)):
            return redirect("desk:people", slug=supplier.slug)
    except ProvenderError as error:
        form.add_error("role", error.sentence)
    context = {"form": form, "person": membership, "does": WHAT_ROLES_DO[Role(membership.role)]}
    if form.meanwhile:
        context["told"] = who_did(supplier, "supplier", supplier, begins=made)
    return render(request, "desk/people/person.html", context)


def _change_role(request: DeskRequest, membership: Membership, role: Role, made: str) -> None:
    actions.change_role(membership, role)
    tell(membership.supplier, "supplier", membership.supplier_id, f"{made}{role.label}", who=request.user)
    messages.success(request, f"{membership.user} is now {role.label}.")


@member(Doing.RUN)
@require_POST
def remove(request: DeskRequest, supplier: Supplier, pk: int) -> HttpResponse:
    """End a person's work here."""
    membership = get_object_or_404(queries.members_of(supplier), pk=pk)
    name = str(membership.user)
    with transaction.atomic():
        actions.remove(membership)
        tell(supplier, "supplier", supplier.pk, f"Removed {name}", who=request.user)
    messages.success(request, f"{name} no longer belongs to {supplier}.")
    if membership.user == request.user:
        return redirect("desk:choose")
    return redirect("desk:people", slug=supplier.slug)


@member(Doing.RUN)
@require_POST
def withdraw(request: DeskRequest, supplier: Supplier, pk: int) -> HttpResponse:
    """Make a link stop working."""
    invitation = get_object_or_404(queries.open_invitations(supplier), pk=pk)
    with transaction.atomic():
        actions.withdraw(invitation)
        whose = invitation.email or "nobody in particular"
        tell(supplier, "supplier", supplier.pk, f"Withdrew the invitation of {whose}", who=request.user)
    messages.success(request, f"The link for {whose} no longer works.")
    return redirect("desk:people", slug=supplier.slug)
