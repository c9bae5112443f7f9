import django.core.validators
import django.db.models.deletion
import provender.basics.money
import uuid
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models

from provender.basics.tables import CreateTables


class Migration(migrations.Migration):
    replaces = [
        ("invoicing", "0001_initial"),
        ("invoicing", "0002_list_indexes"),
        ("invoicing", "0003_line_tracking"),
        ("invoicing", "0004_credit_notes"),
        ("invoicing", "0005_unsettled_indexes"),
        ("invoicing", "0006_key_order"),
        ("invoicing", "0007_amendments"),
        ("invoicing", "0008_more_list_indexes"),
    ]

    initial = True

    dependencies = [
        ("catalogue", "0001_squashed_0003_dated_prices"),
        ("customers", "0001_squashed_0004_way_of_paying"),
        ("people", "0001_initial"),
        ("suppliers", "0001_squashed_0004_tax_of_charges"),
    ]

    tables = [
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=60)),
                ("date", models.DateField()),
                ("due_date", models.DateField()),
                ("order_numbers", models.CharField(blank=True, max_length=200)),
                ("purchase_order", models.CharField(blank=True, max_length=100)),
                (
                    "comment",
                    models.TextField(
                        blank=True, max_length=2000, validators=[django.core.validators.MaxLengthValidator(2000)]
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("subtotal", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                ("tax", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                ("total", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                ("paid", provender.basics.money.AmountField(decimal_places=2, default=Decimal("0.00"), max_digits=15)),
                (
                    "credited",
                    provender.basics.money.AmountField(decimal_places=2, default=Decimal("0.00"), max_digits=15),
                ),
                ("settled_on", models.DateField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(choices=[("open", "Open"), ("void", "Void")], default="open", max_length=4),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[("raised", "Raised here"), ("imported", "Imported")], default="raised", max_length=8
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("voided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="customers.customer"
                    ),
                ),
                (
                    "further_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="further",
                        to="invoicing.invoice",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="invoices", to="suppliers.supplier"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["supplier", "-date", "-number"], name="invoice_newest_first"),
                    models.Index(fields=["supplier", "id"], name="invoice_key"),
                    models.Index(fields=["supplier", "customer", "-date"], name="invoice_of_customer"),
                    models.Index(fields=["supplier", "status", "-date", "-number"], name="invoice_by_status"),
                    models.Index(fields=["supplier", "status", "due_date"], name="invoice_by_due"),
                    models.Index(fields=["supplier", "due_date", "number"], name="invoice_next_due"),
                    models.Index(fields=["supplier", "total", "number"], name="invoice_by_total"),
                    models.Index(
                        condition=models.Q(("settled_on", None)),
                        fields=["supplier", "-date", "-number"],
                        name="invoice_unsettled_newest",
                    ),
                    models.Index(
                        condition=models.Q(("settled_on", None)),
                        fields=["supplier", "due_date", "number"],
                        name="invoice_unsettled_due",
                    ),
                    models.Index(
                        condition=models.Q(("purchase_order", ""), _negated=True),
                        fields=["supplier", "purchase_order"],
                        name="invoice_of_purchase_order",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("supplier", "number"), name="one_invoice_a_number")],
            },
        ),
        migrations.CreateModel(
            name="CreditNote",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=60)),
                ("date", models.DateField()),
                (
                    "reason",
                    models.TextField(
                        blank=True, max_length=2000, validators=[django.core.validators.MaxLengthValidator(2000)]
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("subtotal", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                ("tax", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                ("total", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                ("used", provender.basics.money.AmountField(decimal_places=2, default=Decimal("0.00"), max_digits=15)),
                ("applies_itself", models.BooleanField(default=True)),
                ("amends", models.BooleanField(default=False)),
                (
                    "status",
                    models.CharField(choices=[("open", "Open"), ("void", "Void")], default="open", max_length=4),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[("raised", "Raised here"), ("imported", "Imported")], default="raised", max_length=8
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("voided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_notes",
                        to="customers.customer",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credit_notes",
                        to="suppliers.supplier",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_notes",
                        to="invoicing.invoice",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["supplier", "-date", "-number"], name="credit_note_newest_first"),
                    models.Index(fields=["supplier", "customer", "-date"], name="credit_note_of_customer"),
                    models.Index(fields=["supplier", "total", "number"], name="credit_note_by_total"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("supplier", "number"), name="one_credit_note_a_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField(default=uuid.uuid4)),
                ("position", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("product", "Product"),
                            ("freight", "Freight"),
                            ("surcharge", "Surcharge"),
                            ("other", "Other"),
                        ],
                        default="product",
                        max_length=9,
                    ),
                ),
                ("sku", models.CharField(blank=True, max_length=60)),
                ("description", models.CharField(max_length=4000)),
                ("quantity", provender.basics.money.PriceField(decimal_places=4, max_digits=14)),
                ("unit_price", provender.basics.money.PriceField(decimal_places=4, max_digits=14)),
                ("tax_kind", models.CharField(choices=[("gst", "GST"), ("free", "GST-free")], max_length=4)),
                ("tax_rate", models.DecimalField(decimal_places=4, max_digits=7)),
                ("sales_account", models.CharField(blank=True, max_length=10)),
                ("tracking", models.JSONField(default=list)),
                ("amount", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                ("tax", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="invoicing.invoice"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="catalogue.product",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "abstract": False,
                "constraints": [models.UniqueConstraint(fields=("invoice", "key"), name="one_line_a_key")],
            },
        ),
        migrations.CreateModel(
            name="InvoiceVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("document", models.JSONField()),
                ("made_at", models.DateTimeField()),
                ("why", models.CharField(blank=True, max_length=200)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="invoicing.invoice"
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-version"],
                "constraints": [models.UniqueConstraint(fields=("invoice", "version"), name="one_copy_a_version")],
            },
        ),
        migrations.CreateModel(
            name="CreditNoteLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField(default=uuid.uuid4)),
                ("position", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("product", "Product"),
                            ("freight", "Freight"),
                            ("surcharge", "Surcharge"),
                            ("other", "Other"),
                        ],
                        default="product",
                        max_length=9,
                    ),
                ),
                ("sku", models.CharField(blank=True, max_length=60)),
                ("description", models.CharField(max_length=4000)),
                ("quantity", provender.basics.money.PriceField(decimal_places=4, max_digits=14)),
                ("unit_price", provender.basics.money.PriceField(decimal_places=4, max_digits=14)),
                ("tax_kind", models.CharField(choices=[("gst", "GST"), ("free", "GST-free")], max_length=4)),
                ("tax_rate", models.DecimalField(decimal_places=4, max_digits=7)),
                ("sales_account", models.CharField(blank=True, max_length=10)),
                ("tracking", models.JSONField(default=list)),
                ("amount", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                ("tax", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                (
                    "credit_note",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="invoicing.creditnote"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="catalogue.product",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "abstract": False,
                "constraints": [models.UniqueConstraint(fields=("credit_note", "key"), name="one_credit_line_a_key")],
            },
        ),
    ]
    operations = [CreateTables(tables)]
