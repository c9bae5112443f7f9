import uuid
from typing import ClassVar

from django.db import models

from provender.basics.money import AmountField, PriceField
from provender.people.models import User
from provender.suppliers.models import Supplier


class Import(models.Model):
    """One file on its way in: what it is, how its columns are read, and how far it has come."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Columns to be chosen"
        READING = "reading", "Being read"
        FAULTY = "faulty", "Can't be read"
        READY = "ready", "Checked"
        APPLYING = "applying", "Being imported"
        STOPPED = "stopped", "Stopped"
        DONE = "done", "Done"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="imports")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    file_name = models.CharField(max_length=255)
    # The file itself, from a screen; gone once it is in. The command reads its file in place.
    file = models.FileField(upload_to="imports/", blank=True)
    columns = models.JSONField(default=list)  # the header, in the file's order
    mapping = models.JSONField(default=dict)  # field -> column
    date_format = models.CharField(max_length=60, blank=True)  # blank: ISO 8601
    freight = models.JSONField(default=list)  # the SKUs that are freight
    create_missing = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.UPLOADED)
    faults = models.JSONField(default=list)  # sentences
    lines_read = models.PositiveIntegerField(default=0)
    sum_read = AmountField(default=0)  # of line amounts, without tax
    customers_created = models.PositiveIntegerField(default=0)
    products_created = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    # Whoever works on it holds it until then, and renews; a dead process lets go by itself.
    held_until = models.DateTimeField(null=True)
    held_by = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["supplier", "-started_at"], name="import_newest_first")]

    BUSY: ClassVar[tuple[str, ...]] = (State.READING, State.APPLYING)

    @property
    def is_busy(self) -> bool:
        """Whether it goes on without anybody."""
        return self.state in self.BUSY


class StagedRun(models.Model):
    """Neighbouring lines of one document in a file, read but not in.

    One row for a run rather than for a line: files keep a document's lines together, and a staged document is read and
    dropped as a whole.
    """

    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="runs", db_index=False)
    number = models.CharField(max_length=60)
    line = models.PositiveIntegerField()  # its first, of the file, header = 1
    said = models.BinaryField()  # JSON: `mapping.Line`s
    cells = models.BinaryField()  # JSON: each line's cells as the file has them

    class Meta:
        indexes = [
            models.Index(fields=["source", "number", "line"], name="staged_run_by_document"),
            models.Index(fields=["source", "line"], name="staged_run_by_line"),  # no sorting of a whole file in memory
        ]


class StagedDocument(models.Model):
    """One document of a file, and what becomes of it. Amounts in the supplier's currency, of credit notes negative."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", "Invoice"
        CREDIT_NOTE = "credit_note", "Credit note"

    class State(models.TextChoices):
        READY = "ready", "To be imported"
        IMPORTED = "imported", "Imported"
        UNCHANGED = "unchanged", "There already, the same"
        REJECTED = "rejected", "Rejected"

    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="documents", db_index=False)
    kind = models.CharField(max_length=11, choices=Kind.choices, default=Kind.INVOICE)
    number = models.CharField(max_length=60)
    line = models.PositiveIntegerField()  # its first, in the file
    lines = models.PositiveIntegerField()
    customer = models.CharField(max_length=50)
    date = models.DateField()
    subtotal = AmountField()
    tax = AmountField()
    total = AmountField()
    state = models.CharField(max_length=9, choices=State.choices)
    code = models.CharField(max_length=40, blank=True)  # why it is rejected, for grouping
    column = models.CharField(max_length=255, blank=True)  # where in the file
    reason = models.CharField(max_length=400, blank=True)  # in a sentence

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="one_staged_document_a_number")]
        indexes = [models.Index(fields=["source", "state", "-kind", "line"], name="staged_document_by_state")]


class StagedProduct(models.Model):
    """A product that the file's documents need and the catalogue lacks."""

    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="products")
    sku = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    price = PriceField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "sku"], name="one_staged_product_a_sku")]


class StagedCustomer(models.Model):
    """A customer that the file's documents need and we don't know."""

    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="customers")
    number = models.CharField(max_length=50)
    name = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="one_staged_customer_a_number")]


class ListFile(models.Model):
    """A file with a line for each thing of a list (products, or the prices of one price list) beside what is here."""

    class Kind(models.TextChoices):
        PRODUCTS = "products", "Products"
        PRICES = "prices", "Prices"
        OWN_PRICES = "own-prices", "Own prices"

    class State(models.TextChoices):
        READING = "reading", "Being read"
        PREVIEW = "preview", "Preview"
        APPLYING = "applying", "Being applied"
        DONE = "done", "Applied"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="list_files")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    about = models.UUIDField(null=True)  # the price list, or the customer, that the prices are of
    file_name = models.CharField(max_length=255)
    columns = models.JSONField(default=list)  # the header, in the file's order
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.READING)
    read_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    applied_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-read_at"]


class ListRow(models.Model):
    """One line of such a file, in one named state; with what it changes and what became of it."""

    class State(models.TextChoices):
        NEW = "new", "New"
        CHANGED = "changed", "Changed"
        UNCHANGED = "unchanged", "Unchanged"
        REJECTED = "rejected", "Rejected"

    file = models.ForeignKey(ListFile, on_delete=models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField()  # of the file, header = 1
    state = models.CharField(max_length=9, choices=State.choices)
    sku = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200, blank=True)
    product = models.UUIDField(null=True)  # the product that it is, or will be
    before = models.JSONField(default=dict)  # field → what is here, as text; nothing for what is new
    after = models.JSONField(default=dict)  # field → what the file says, as text
    # Of a rejected line: where, what stands there, and why; the line itself, to be mended.
    column = models.CharField(max_length=255, blank=True)
    value = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    cells = models.JSONField(default=list)
    hints = models.JSONField(default=list)  # sentences
    finished = models.BooleanField(default=False)  # applied, or left with its outcome
    outcome = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["line"]
        indexes = [
            models.Index(fields=["file", "line"], name="list_row_by_line"),
            models.Index(fields=["file", "state", "line"], name="list_row_by_state"),
        ]


class PayoutFile(models.Model):
    """A payment provider's file of payouts, kept until its payouts are taken in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.ForeignKey(Supplier, on_delete=models.CASCADE, related_name="payout_files")
    provider = models.CharField(max_length=60)
    file_name = models.CharField(max_length=255)
    content = models.BinaryField()
    columns = models.JSONField(default=list)  # the header, in the file's order
    mapping = models.JSONField(default=dict)  # field → column
    date_format = models.CharField(max_length=60, blank=True)  # blank: ISO 8601
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        ordering = ["-uploaded_at"]
