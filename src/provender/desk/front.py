"""Before a wholesaler is chosen: the chooser at `/`, and the one-time links that let somebody in."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from provender.basics.errors import ProvenderError
from provender.desk.frame import LAST, DeskRequest
from provender.people import actions
from provender.people.errors import AddressTaken
from provender.people.models import Invitation, User
from provender.people.queries import memberships_of
from provender.people.roles import Role
from provender.timeline.actions import tell

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@require_safe
@login_required
def choose(request: DeskRequest) -> HttpResponse:
    """Straight to the only wholesaler, or the one looked at last; else a choice."""
    slugs = list(memberships_of(request.user).values_list("supplier__slug", flat=True))
    last = request.session.get(LAST)
    if len(slugs) == 1 or last in slugs:
        return redirect("desk:today", slug=last if last in slugs else slugs[0])
    closed = request.user.memberships.exclude(supplier__closed_at=None).values_list("supplier__name", flat=True)
    return render(request, "desk/choose.html", {"closed": closed.order_by("supplier__name")})


class JoinForm(forms.Form):
    """Who somebody is who comes for the first time."""

    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    name = forms.CharField(
        label="Your name", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="As others here see it beside what you did.",
    )  # fmt: skip
    password = forms.CharField(
        label="Password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters, and not one that others use.",
    )  # fmt: skip

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if invitation.email:  # the invitation says who it is for
            self.fields["email"].disabled = True
            self.fields["email"].initial = invitation.email

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if password := typed.get("password"):
            try:
                validate_password(password, User(email=typed.get("email", ""), name=typed.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return typed


@never_cache
@sensitive_post_parameters("password")
def join(request: DeskRequest, secret: str) -> HttpResponse:
    """Open a one-time link: a newcomer sets a password, somebody who is logged in just joins."""
    try:
        invitation = actions.find_invitation(secret)
    except ProvenderError as error:
        return render(request, "desk/join_refused.html", {"error": error}, status=410)
    if request.user.is_authenticated:
        return _join_as(request, secret, invitation)
    form = JoinForm(request.POST or None, invitation=invitation)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            with transaction.atomic():
                user = actions.accept(secret, typed["email"], typed["name"], typed["password"])
                _tell_joined(invitation, user)
        except AddressTaken as error:
            form.add_error("email", error.sentence)
        else:
            login(request, user, backend=BACKEND)
            return redirect("desk:today", slug=invitation.supplier.slug)
    return render(request, "desk/join.html", {"form": form, "invitation": invitation})


def _join_as(request: DeskRequest, secret: str, invitation: Invitation) -> HttpResponse:
    if request.method == "POST":
        try:
            with transaction.atomic():
                actions.join(secret, request.user)
                _tell_joined(invitation, request.user)
        except ProvenderError as error:
            messages.error(request, error.sentence)
        else:
            messages.success(request, f"You now belong to {invitation.supplier}.")
            return redirect("desk:today", slug=invitation.supplier.slug)
    return render(request, "desk/join_as.html", {"invitation": invitation})


def _tell_joined(invitation: Invitation, user: User) -> None:
    role = Role(invitation.role).label
    tell(invitation.supplier, "supplier", invitation.supplier.pk, f"{user} joined as {role}", who=user)
