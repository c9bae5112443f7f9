import uuid

from django.db import models
from django.db.models import Q

from provender.basics.money import AmountField
from provender.basics.texts import LineField
from provender.people.models import User
from provender.properties.models import Option, Property
from provender.suppliers.models import Supplier


class Consent(models.Model):
    """One Xero user's consent: one token set, shared by the organisations it connected. Tokens are encrypted."""

    client_id = models.CharField(max_length=100)
    xero_user = models.CharField(max_length=64)
    tokens = models.BinaryField()  # encrypted JSON, see tokens.py
    expires_at = models.DateTimeField()
    scopes = models.CharField(max_length=1000)
    # The lease of whoever is refreshing; committed before the call.
    refresh_owner = models.CharField(max_length=64, blank=True)
    refresh_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # Xero refused the refresh token: only a new consent helps

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client_id", "xero_user"], name="one_token_set_a_consent")]


class ConnectAttempt(models.Model):
    """A person on the way through Xero's consent page: what `state` must come back, for which wholesaler."""

    state = models.CharField(max_length=100, unique=True)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    verifier = models.BinaryField(null=True)  # PKCE, encrypted
    consent = models.ForeignKey(Consent, on_delete=models.CASCADE, null=True, related_name="+")
    tenants = models.JSONField(default=list)  # what the consent gave, to choose from
    began_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Connection(models.Model):
    """A wholesaler's link to one organisation in Xero. Another organisation is another row: ids are never reused."""

    class State(models.TextChoices):
        CONNECTED = "connected", "Connected"
        NEEDS_RECONNECTING = "needs-reconnecting", "Needs reconnecting"
        DISCONNECTED = "disconnected", "Disconnected"

    class InvoiceStatus(models.TextChoices):
        DRAFT = "DRAFT", "Draft"
        SUBMITTED = "SUBMITTED", "Awaiting approval"
        AUTHORISED = "AUTHORISED", "Awaiting payment"

    class CreditNoteStatus(models.TextChoices):
        DRAFT = "DRAFT", "Draft"
        AUTHORISED = "AUTHORISED", "Approved, and set against its invoice"

    class RemovedPayments(models.TextChoices):
        REOPEN = "reopen", "The invoice is open again"
        FLAG = "flag", "A person is asked"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="connections")
    tenant = models.CharField(max_length=36)
    state = models.CharField(max_length=20, choices=State.choices, default=State.CONNECTED)
    state_why = models.CharField(max_length=300, blank=True)
    consent = models.ForeignKey(Consent, on_delete=models.SET_NULL, null=True, related_name="connections")
    xero_connection = models.CharField(max_length=36, blank=True)  # what DELETE /connections/{id} takes
    connected_at = models.DateTimeField()
    connected_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    # The organisation, as Xero last told it.
    organisation = LineField(max_length=255)
    country = models.CharField(max_length=2, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    short_code = models.CharField(max_length=30, blank=True)
    period_lock_date = models.DateField(null=True)
    end_of_year_lock_date = models.DateField(null=True)

    # The settings; accounts by Xero's id, since bank accounts may have no code.
    sales_account = models.CharField(max_length=36, blank=True)
    invoice_account = models.CharField(max_length=36, blank=True)
    invoice_status = models.CharField(max_length=10, choices=InvoiceStatus.choices, default=InvoiceStatus.AUTHORISED)
    freight_account = models.CharField(max_length=36, blank=True)
    surcharge_account = models.CharField(max_length=36, blank=True)
    clearing_account = models.CharField(max_length=36, blank=True)
    automatic_sync = models.BooleanField(default=False)
    automatic_since = models.DateTimeField(null=True)
    mark_as_paid = models.BooleanField(default=False)
    # The money side.
    removed_payments = models.CharField(
        max_length=6, choices=RemovedPayments.choices, default=RemovedPayments.REOPEN
    )  # what a payment that was removed in Xero does here
    payments_to_xero = models.BooleanField(default=False)  # those recorded here one by one, on the clearing account
    auto_reconcile = models.BooleanField(default=False)  # a closed payout becomes one batch deposit
    fee_account = models.CharField(max_length=36, blank=True)  # of a provider's fees; empty: they are not posted
    credit_note_status = models.CharField(
        max_length=10, choices=CreditNoteStatus.choices, default=CreditNoteStatus.AUTHORISED
    )
    refunds_to_xero = models.BooleanField(default=True)
    follow_terms = models.BooleanField(default=False)
    # Xero's tax types for our two kinds.
    tax_type_gst = models.CharField(max_length=50, blank=True)
    tax_type_free = models.CharField(max_length=50, blank=True)
    settings_saved_at = models.DateTimeField(null=True)

    # The lease of the one drain that may work on this connection.
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_epoch = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    # Calls left, from Xero's own headers (budget.py).
    minute_left = models.IntegerField(null=True)
    minute_resets_at = models.DateTimeField(null=True)
    day_left = models.IntegerField(null=True)
    day_resets_at = models.DateTimeField(null=True)
    parked_until = models.DateTimeField(null=True)
    # Since when Xero refuses our app's own id or secret where its access is renewed; empty again once it doesn't.
    app_refused_at = models.DateTimeField(null=True)
    # Background work is not tried before this; a person's call is.
    drain_after = models.DateTimeField(null=True)
    drain_why = models.CharField(max_length=20, blank=True, default="")  # the `problem` of Xero's answer, if it was one

    # When each mirror was last read.
    chart_read_at = models.DateTimeField(null=True)
    tracking_read_at = models.DateTimeField(null=True)
    contacts_read_at = models.DateTimeField(null=True)
    compared_at = models.DateTimeField(null=True)
    last_checked_at = models.DateTimeField(null=True)

    # Reading payments back: how far of Xero's changes was recorded, when that was, and not before when it is next.
    invoices_read_to = models.DateTimeField(null=True)
    credits_read_to = models.DateTimeField(null=True)
    credits_read_at = models.DateTimeField(null=True)
    polled_at = models.DateTimeField(null=True)
    poll_after = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "tenant"], name="one_row_an_organisation"),
            models.UniqueConstraint(
                fields=["supplier"], name="one_live_connection_a_supplier", condition=~Q(state="disconnected")
            ),
            models.UniqueConstraint(
                fields=["tenant"], name="one_supplier_a_live_organisation", condition=~Q(state="disconnected")
            ),
        ]


class Account(models.Model):
    """The organisation's chart of accounts, mirrored."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="accounts")
    account_id = models.CharField(max_length=36)
    code = models.CharField(max_length=10, blank=True)
    name = LineField(max_length=150)
    type = models.CharField(max_length=30)
    account_class = models.CharField(max_length=20)
    tax_type = models.CharField(max_length=50, blank=True)
    status = models.CharField(max_length=20)
    system_account = models.CharField(max_length=40, blank=True)
    takes_payments = models.BooleanField(default=False)

    class Meta:
        ordering = ["code", "name"]
        constraints = [models.UniqueConstraint(fields=["connection", "account_id"], name="one_account_an_id")]


class TaxRate(models.Model):
    """The organisation's tax rates, mirrored. `applies_to` lists account classes."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="tax_rates")
    tax_type = models.CharField(max_length=50)
    name = LineField(max_length=100)
    rate = models.DecimalField(max_digits=9, decimal_places=4)
    applies_to = models.JSONField(default=list)
    status = models.CharField(max_length=20)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["connection", "tax_type"], name="one_rate_a_type")]


class Item(models.Model):
    """The organisation's items, mirrored: which of our SKUs Xero knows."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="items")
    item_id = models.CharField(max_length=36)
    code = models.CharField(max_length=30)
    name = LineField(max_length=100, blank=True)
    sold = models.BooleanField(default=True)
    tracked = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "item_id"], name="one_item_an_id")]


class TrackingCategory(models.Model):
    """The organisation's tracking categories, mirrored, archived ones too."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="tracking_categories")
    category_id = models.CharField(max_length=36)
    name = LineField(max_length=100)
    status = models.CharField(max_length=20)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["connection", "category_id"], name="one_category_an_id")]


class TrackingOption(models.Model):
    """The options of the tracking categories, mirrored, archived ones too."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="tracking_options")
    category_id = models.CharField(max_length=36)
    option_id = models.CharField(max_length=36)
    name = LineField(max_length=100)
    status = models.CharField(max_length=20)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["connection", "option_id"], name="one_tracking_option_an_id")]


class CategoryBinding(models.Model):
    """A property is a tracking category of the organisation, known by Xero's id: a rename there changes nothing."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="category_bindings")
    property = models.ForeignKey(Property, on_delete=models.CASCADE, related_name="+")
    category_id = models.CharField(max_length=36)
    bound_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "property"], name="one_category_a_property"),
            models.UniqueConstraint(fields=["connection", "category_id"], name="one_property_a_category"),
        ]


class OptionBinding(models.Model):
    """An option of a bound property is an option of its tracking category. Two of ours may be one in Xero."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="option_bindings")
    option = models.ForeignKey(Option, on_delete=models.CASCADE, related_name="+")
    xero_id = models.CharField(max_length=36)
    bound_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "option"], name="one_xero_option_an_option")]


class Contact(models.Model):
    """The organisation's contacts, mirrored, so that matching costs no calls."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="contacts")
    contact_id = models.CharField(max_length=36)
    name = models.CharField(max_length=500)
    folded_name = models.CharField(max_length=500)
    number = models.CharField(max_length=50, blank=True)
    status = models.CharField(max_length=20)
    merged_to = models.CharField(max_length=36, blank=True)
    is_customer = models.BooleanField(default=False)
    is_supplier = models.BooleanField(default=False)
    email = models.CharField(max_length=255, blank=True)
    tax_number = models.CharField(max_length=50, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    addresses = models.JSONField(default=list)  # those that say something, the street's first; keys as a customer's
    terms = models.CharField(max_length=30, blank=True)  # Xero's type of the sales terms
    terms_day = models.IntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "contact_id"], name="one_contact_an_id")]
        indexes = [
            models.Index(fields=["connection", "folded_name"], name="contact_by_name"),
            models.Index(fields=["connection", "number"], name="contact_by_number"),
        ]


class ContactRefusal(models.Model):
    """A person said that this customer isn't that contact: it is never taken by its name again."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="contact_refusals")
    customer = models.UUIDField()
    contact_id = models.CharField(max_length=36)
    ask = models.BooleanField(default=False)  # the next invoice waits until a person has chosen the contact

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "customer", "contact_id"], name="one_refusal_a_pair")
        ]


class Link(models.Model):
    """Our document's twin in Xero, and the newest thing that we know Xero accepted from us."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=20)
    document = models.UUIDField()
    xero_id = models.CharField(max_length=36)
    # Matched contacts are somebody else's: nothing of ours was written to them.
    matched = models.BooleanField(default=False)
    number = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=20, blank=True)
    total = models.DecimalField(max_digits=15, decimal_places=2, null=True)
    updated = models.CharField(max_length=40, blank=True)  # Xero's UpdatedDateUTC, as written
    sent = models.TextField(blank=True)  # the element as last sent (JSON), what "edited in Xero" is judged against
    lines = models.JSONField(default=dict)  # our line's key -> Xero's LineItemID
    revision = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "document"], name="one_twin_a_document"),
            models.UniqueConstraint(fields=["connection", "kind", "xero_id"], name="one_document_a_twin"),
        ]


class Dispatch(models.Model):
    """Documents on their way to Xero in one call, frozen before it. It exists for as long as it is open."""

    class Operation(models.TextChoices):
        CREATE = "create", "Create"
        CHANGE = "change", "Change"
        VOID = "void", "Void"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="dispatches")
    kind = models.CharField(max_length=20)
    operation = models.CharField(max_length=6, choices=Operation.choices)
    key = models.CharField(max_length=128, unique=True)
    claimed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)  # null: not a byte has left
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()


class DispatchDocument(models.Model):
    """One document in an open dispatch, at the revision that was built. Gone as soon as its outcome is known."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="documents")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    document = models.UUIDField()
    position = models.PositiveSmallIntegerField()
    revision = models.PositiveIntegerField()
    xero_id = models.CharField(max_length=36, blank=True)
    number = models.CharField(max_length=255)
    total = models.DecimalField(max_digits=15, decimal_places=2, null=True)
    element = models.TextField()  # frozen JSON; the body is these, in order
    line_keys = models.JSONField(default=list)
    # Xero said "must be unique": the request is over, and a look-up decides whose the other one is.
    refusal = models.TextField(blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "document"], name="one_open_dispatch_a_document")
        ]


class Backoff(models.Model):
    """How long the recovery of a document has been backing off, carried from one dispatch to its successor."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    document = models.UUIDField()
    tries = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "document"], name="one_backoff_a_document")
        ]


class Problem(models.Model):
    """What keeps one document out of step, for a person: a cause, the words to fill its sentence, and Xero's own."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="problems")
    kind = models.CharField(max_length=20)
    document = models.UUIDField()
    revision = models.PositiveIntegerField(default=0)
    cause = models.CharField(max_length=40)
    words = models.JSONField(default=dict)
    raw = models.TextField(blank=True)
    shown = models.TextField(blank=True)  # the state in Xero that the person decides on (JSON)
    customer = models.UUIDField(null=True)
    found_at = models.DateTimeField()
    solved_at = models.DateTimeField(null=True)
    how = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "document"],
                name="one_open_problem_a_document",
                condition=Q(solved_at=None),
            )
        ]
        indexes = [models.Index(fields=["connection", "cause"], name="problem_open", condition=Q(solved_at=None))]


class WithoutItemCodes(models.Model):
    """This document goes without item codes: a person chose so, or Xero's items had overruled its lines."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    document = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "kind", "document"], name="one_choice_a_document")]


class WithoutTracking(models.Model):
    """A person chose to send this document without the tracking option that Xero lacks."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    document = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "document"], name="one_untracked_document")
        ]


class ToApprove(models.Model):
    """A person asked that this document, should it be a draft in Xero, be approved there when it goes next."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    document = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "document"], name="one_approval_a_document")
        ]


class Call(models.Model):
    """One call to Xero, for the Activity page; kept 90 days."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="calls")
    at = models.DateTimeField()
    method = models.CharField(max_length=6)
    path = models.CharField(max_length=200)
    query = models.CharField(max_length=500, blank=True)
    seconds = models.FloatField()
    status = models.PositiveSmallIntegerField(null=True)
    outcome = models.CharField(max_length=20)
    count = models.PositiveIntegerField(default=0)
    about = models.TextField(blank=True)  # the numbers of the documents in it, for the search

    class Meta:
        indexes = [models.Index(fields=["connection", "-at"], name="call_newest_first")]


class CreditInXero(models.Model):
    """Credit of a contact that lives in Xero alone, mirrored: credit notes typed there, and what was paid too much."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="credits_in_xero")
    credit_id = models.CharField(max_length=36)
    name = LineField(max_length=100)
    contact_id = models.CharField(max_length=36)
    currency = models.CharField(max_length=3, blank=True)
    date = models.DateField(null=True)
    total = AmountField()
    remaining = AmountField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "credit_id"], name="one_credit_an_id")]
        indexes = [models.Index(fields=["connection", "contact_id"], name="credit_of_contact")]


class Event(models.Model):
    """What a webhook told, of whatever kind; it only hurries the reading, so it is kept as a record for 31 days."""

    tenant = models.CharField(max_length=36)
    category = models.CharField(max_length=40)
    kind = models.CharField(max_length=40)
    resource = models.CharField(max_length=36)
    happened = models.CharField(max_length=40)  # as Xero wrote it
    received_at = models.DateTimeField()
    heard_at = models.DateTimeField(null=True)  # when a reading that began after it was done

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "category", "kind", "resource", "happened"], name="one_row_an_event"
            )
        ]
        indexes = [
            models.Index(fields=["tenant"], name="event_unheard", condition=Q(heard_at=None)),
            models.Index(fields=["received_at"], name="event_by_age"),
        ]


def every_part() -> list[str]:
    """What a pull takes unless a person says otherwise."""
    return ["new", "name", "description", "price", "sales_account", "tax_kind"]


class PullRule(models.Model):
    """What a person chose to take from Xero's items, remembered for the next pull."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="pull_rule")
    parts = models.JSONField(default=every_part)  # "new" and columns of the product


class Preview(models.Model):
    """Something of Xero's beside ours, as both were at one moment, and what was done about it."""

    class State(models.TextChoices):
        READING = "reading", "Being read"
        PREVIEW = "preview", "Preview"
        APPLYING = "applying", "Being applied"
        APPLIED = "applied", "Applied"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.READING)
    read_at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    applied_at = models.DateTimeField(null=True)
    applied_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        abstract = True
        ordering = ["-read_at"]


class Pull(Preview):
    """All items of the organisation beside our products."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="pulls")
    items = models.PositiveIntegerField(default=0)


class PullRow(models.Model):
    """One item, or one product whose item is gone; with what was chosen, what was done, and what undoing needs."""

    class State(models.TextChoices):
        NEW = "new", "New"
        CHANGED = "changed", "Changed"
        UNCHANGED = "unchanged", "Unchanged"
        GONE = "gone", "Gone or no longer sold"
        REFUSED = "refused", "Can’t be taken"

    pull = models.ForeignKey(Pull, on_delete=models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices)
    item_id = models.CharField(max_length=36, blank=True)  # empty: the product's item is gone
    code = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True)
    tracked = models.BooleanField(default=False)
    product = models.UUIDField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    hints = models.JSONField(default=list)
    before = models.JSONField(default=dict)  # column → ours, as text
    after = models.JSONField(default=dict)  # column → Xero's, as text; of a new product all
    price_moves = models.BooleanField(default=False)
    chosen = models.JSONField(default=list)  # columns, or "new"
    applied = models.JSONField(default=list)
    finished = models.BooleanField(default=False)  # applied or, while undoing, put back
    outcome = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["pull", "state", "position"], name="pull_row_by_state")]


class ItemProduct(models.Model):
    """Which product an item was found to be; it shows later that a product's item is gone."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="item_products")
    product = models.UUIDField()
    item_id = models.CharField(max_length=36)
    pulled_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "product"], name="one_item_a_product")]


class CustomerPull(Preview):
    """All contacts of the organisation beside our customers."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="customer_pulls")
    contacts = models.PositiveIntegerField(default=0)


class CustomerPullRow(models.Model):
    """One contact, or one customer that is like none; with what was chosen, what was done, and what undoing needs."""

    class State(models.TextChoices):
        SUGGESTED = "suggested", "Suggested"
        QUESTION = "question", "A question"
        NEW = "new", "New"
        SUPPLIER = "seller", "Only a supplier"
        LINKED = "linked", "Linked"
        HERE = "here", "Only here"
        REFUSED = "refused", "Can’t be taken"

    class Choice(models.TextChoices):
        NEW = "new", "Add as a customer"
        LINK = "link", "Link"
        NOT = "not", "Not the same"

    pull = models.ForeignKey(CustomerPull, on_delete=models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices)
    contact_id = models.CharField(max_length=36, blank=True)  # empty: a customer that is like no contact
    name = models.CharField(max_length=255, blank=True)
    about = models.CharField(max_length=500, blank=True)  # its e-mail, tax number and place, to show and to search
    customer = models.UUIDField(
        null=True
    )  # the one that is linked, or only here; else the key that a new one will have
    likely = models.JSONField(default=list)  # who it may be, likeliest first: {"customer", "name", "why", "weight"}
    signs = models.CharField(max_length=40, blank=True)  # what speaks for a suggestion, parted by spaces
    reason = models.CharField(max_length=300, blank=True)
    hints = models.JSONField(default=list)
    after = models.JSONField(default=dict)  # columns of the customer that it would become
    choice = models.CharField(max_length=4, choices=Choice.choices, blank=True)
    chosen = models.UUIDField(null=True)  # the customer to link
    applied = models.CharField(max_length=4, choices=Choice.choices, blank=True)
    finished = models.BooleanField(default=False)  # applied or, while undoing, put back
    outcome = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["pull", "state", "position"], name="customer_row_by_state")]
