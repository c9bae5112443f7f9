"""Settings of the connection: pick-lists from the organisation's own chart, each with its sentence and check mark."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import TextChoices
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html

from provender.basics.errors import ProvenderError
from provender.desk.forms import only_shown
from provender.desk.frame import DeskRequest, connected, member
from provender.desk.meanwhile import SharedForm, who_did
from provender.desk.templatetags.desk import exact
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync import actions, choices
from provender.sync.errors import SettingRefused, SettingsMoved
from provender.sync.models import Connection

SWITCHES = ("automatic_sync", "mark_as_paid", "payments_to_xero", "auto_reconcile", "refunds_to_xero", "follow_terms")
STATUSES: dict[str, type[TextChoices]] = {
    "invoice_status": Connection.InvoiceStatus,
    "credit_note_status": Connection.CreditNoteStatus,
    "removed_payments": Connection.RemovedPayments,
}
EMPTY = {
    "sales_account": "None: the invoice account",
    "invoice_account": "None: the sales account",
    "freight_account": "None: the invoice account",
    "surcharge_account": "None: the invoice account",
    "clearing_account": "None yet",
    "fee_account": "None: fees aren’t posted",
}
SECTIONS = (
    ("Where lines go", ("sales_account", "invoice_account", "freight_account", "surcharge_account")),
    ("How invoices arrive", ("invoice_status", "automatic_sync")),
    ("Customers", ("follow_terms",)),
    ("Tax", ("tax_type_gst", "tax_type_free")),
    ("Payments", ("clearing_account", "mark_as_paid", "removed_payments", "payments_to_xero")),
    ("Payouts", ("auto_reconcile", "fee_account")),
    ("Credit notes", ("credit_note_status", "refunds_to_xero")),
)


@dataclass(frozen=True)
class Mark:
    """Whether a choice holds in Xero now: a tone ("ok", "warn", "danger" or "mute") and a short text."""

    tone: str
    text: str


def judge_choice(connection: Connection, field: str, value: str, offered: dict[str, str]) -> Mark:
    """The mark beside a pick-list, by our copy of the organisation's chart."""
    if not value:
        needed = field in choices.TAX_TYPES_OF
        return Mark("danger" if needed else "mute", "Choose one" if needed else "Not chosen")
    if value not in offered:
        return Mark("danger", "Can’t be used any more")
    return Mark("ok", "Chosen" if field in STATUSES else "There, and active")


class SettingsForm(SharedForm):
    """The settings and the two tax types. What is stored but no longer good stays in the list, so it shows."""

    class Meta:
        model = Connection
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection, self.supplier = self.instance, self.instance.supplier
        self.initial.update(_initial(self.connection))
        for setting in choices.SETTINGS:
            self.fields[setting.field] = self._field(setting)

    def _field(self, setting: choices.Setting) -> forms.Field:
        name, label = setting.field, self._label(setting)
        if name in SWITCHES:
            return forms.BooleanField(label=label, help_text=self._sentence(setting), required=False)
        offered = offer(self.connection, name)
        stored = self.initial.get(name, "")
        listed = list(offered.items())
        if stored and stored not in offered:
            listed.insert(0, (stored, f"{_name(self.connection, name, stored)} (can’t be used)"))
        if name in EMPTY or not stored:
            listed.insert(0, ("", EMPTY.get(name, "Choose one")))
        field = Picked(choices=listed, label=label, help_text=setting.sentence, required=name in choices.TAX_TYPES_OF)
        field.error_messages["required"] = "Choose one."
        field.mark = judge_choice(self.connection, name, str(self.data.get(name, stored)), offered)
        field.widget.attrs |= {
            "hx-get": reverse("desk:xero-settings-mark", args=[self.supplier.slug, name]),
            "hx-target": f"#mark-{name}",
            "hx-swap": "outerHTML",
        }
        return field

    def _label(self, setting: choices.Setting) -> str:
        """In the country's own word for the tax."""
        kind = choices.TAX_TYPES_OF.get(setting.field)
        return f"Tax type for {self.supplier.tax_kind_label(kind)} lines" if kind else setting.label

    def _sentence(self, setting: choices.Setting) -> str:
        if setting.field != "automatic_sync" or not self.connection.automatic_sync:
            return setting.sentence
        since = exact(self.connection.automatic_since)
        return format_html(
            "{} <b>On since {}</b>: invoices raised here before that, and imported ones, are sent only when asked for.",
            setting.sentence,
            since,
        )

    def _post_clean(self) -> None:
        """What may be chosen, and why not, is the connection's to say."""

    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under their headings."""
        return [(heading, [self[name] for name in names]) for heading, names in SECTIONS]


class Picked(forms.ChoiceField):
    """A pick-list that shows beside it whether its choice holds in Xero."""

    mark: Mark

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(template_name="desk/xero/_setting.html", **kwargs)  # type: ignore[call-arg]

    def validate(self, value: Any) -> None:
        """Only whether something is chosen."""
        forms.Field.validate(self, value)


def offer(connection: Connection, field: str) -> dict[str, str]:
    """What may be chosen there: value → label."""
    if field in choices.TAX_TYPES_OF:
        return dict(choices.tax_types_for(connection, choices.TAX_TYPES_OF[field]))
    if field in STATUSES:
        return dict(STATUSES[field].choices)
    return dict(choices.accounts_for(connection, field))


def _name(connection: Connection, field: str, value: str) -> str:
    """What Xero called an account or tax rate that is no longer offered."""
    if field in choices.TAX_TYPES_OF:
        rate = connection.tax_rates.filter(tax_type=value).first()
        return rate.name if rate else value
    account = connection.accounts.filter(account_id=value).first()
    return f"{account.code} · {account.name}".removeprefix(" · ") if account else "An account that Xero no longer has"


@member(Doing.LOOK, post=Doing.BOOKS)
def settings(request: DeskRequest, supplier: Supplier) -> HttpResponse:
    """Show the settings, proposals chosen where nothing is; save them."""
    connection = connected(supplier)
    if request.method == "GET":
        _freshen(request, connection)
    form = SettingsForm.of(request, connection)
    if form.may_be_kept():
        try:
            actions.choose_settings(connection, form.cleaned_data, request.user)
        except SettingRefused as error:
            for field, reason in error.errors.items():
                form.add_error(field, reason)
        except SettingsMoved as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, _saved(connection))
            return redirect("desk:xero-settings", slug=supplier.slug)
    if not request.membership.may(Doing.BOOKS):
        only_shown(form)
    context: dict[str, Any] = {
        "connection": connection,
        "form": form,
        "proposed": connection.settings_saved_at is None,
        "promises": choices.check_promises(connection),
        "rate_differs": choices.tax_rate_differs(supplier, connection),
    }
    if form.meanwhile:
        context["told"] = who_did(supplier, "connection", connection, begins="Settings changed")
    return render(request, "desk/xero/settings.html", context)


def _freshen(request: DeskRequest, connection: Connection) -> None:
    """Who comes because Xero refused an account finds it marked; if Xero can't be asked, our copy shows."""
    if connection.state == Connection.State.CONNECTED and request.membership.may(Doing.BOOKS):
        try:
            actions.freshen_accounts(connection)
        except ProvenderError as error:
            messages.warning(request, error.sentence)


@member(Doing.LOOK)
def mark(request: DeskRequest, supplier: Supplier, field: str) -> HttpResponse:
    """The check mark of one setting for the value just picked."""
    if field not in choices.LABELS or field in SWITCHES:
        raise Http404
    connection = connected(supplier)
    judged = judge_choice(connection, field, request.GET.get(field, ""), offer(connection, field))
    return render(request, "desk/xero/_mark.html", {"mark": judged, "field": field})


def _initial(connection: Connection) -> dict[str, Any]:
    """What is stored; until somebody has saved, what is proposed fills the gaps."""
    stored = {setting.field: getattr(connection, setting.field) for setting in choices.SETTINGS}
    if connection.settings_saved_at is not None:
        return stored
    proposed: dict[str, Any] = {"automatic_sync": True} | choices.propose(connection)
    return {field: value or proposed.get(field, value) for field, value in stored.items()}


def _saved(connection: Connection) -> str:
    if connection.automatic_sync:
        return "Saved. Automatic sync is on: invoices raised from now on go to Xero by themselves."
    return "Saved. Automatic sync is off: an invoice goes to Xero only by “Send to Xero”."
