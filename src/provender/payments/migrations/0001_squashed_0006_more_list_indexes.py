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
        ("payments", "0001_initial"),
        ("payments", "0002_credit_in_xero"),
        ("payments", "0003_payout_lines"),
        ("payments", "0004_refunds"),
        ("payments", "0005_surcharges"),
        ("payments", "0006_more_list_indexes"),
    ]

    initial = True

    dependencies = [
        ("invoicing", "0001_squashed_0008_more_list_indexes"),
        ("people", "0001_initial"),
        ("suppliers", "0001_squashed_0004_tax_of_charges"),
    ]

    tables = [
        migrations.CreateModel(
            name="Payout",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=60)),
                ("reference", models.CharField(max_length=100, verbose_name="settlement reference")),
                ("date", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("gross", provender.basics.money.AmountField(decimal_places=2, default=Decimal("0.00"), max_digits=15)),
                ("fee", provender.basics.money.AmountField(decimal_places=2, default=Decimal("0.00"), max_digits=15)),
                ("net", provender.basics.money.AmountField(decimal_places=2, default=Decimal("0.00"), max_digits=15)),
                (
                    "state",
                    models.CharField(choices=[("open", "Open"), ("closed", "Closed")], default="open", max_length=6),
                ),
                ("created_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="payouts", to="suppliers.supplier"
                    ),
                ),
            ],
            options={
                "ordering": ["-date", "reference"],
                "indexes": [models.Index(fields=["supplier", "-date"], name="payout_newest_first")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at", None)),
                        fields=("supplier", "provider", "reference"),
                        name="one_payout_a_reference",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("date", models.DateField()),
                ("amount", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                (
                    "surcharge",
                    provender.basics.money.AmountField(decimal_places=2, default=Decimal("0.00"), max_digits=15),
                ),
                ("surcharge_line", models.UUIDField(blank=True, null=True)),
                (
                    "source",
                    models.CharField(
                        choices=[("here", "Recorded here"), ("payout", "Payment provider"), ("xero", "Xero")],
                        default="here",
                        max_length=6,
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("transfer", "Bank transfer"),
                            ("card", "Card"),
                            ("visa", "Visa"),
                            ("mastercard", "Mastercard"),
                            ("amex", "American Express"),
                            ("direct-debit", "Direct debit"),
                            ("cash", "Cash"),
                            ("other", "Other"),
                        ],
                        default="transfer",
                        max_length=12,
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("recorded_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("removed_why", models.CharField(blank=True, max_length=200)),
                (
                    "credit_note",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="invoicing.creditnote",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="invoicing.invoice",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "refund_of",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunded_by",
                        to="payments.payment",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="payments", to="suppliers.supplier"
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="payments.payout",
                    ),
                ),
            ],
            options={
                "ordering": ["-date", "-recorded_at"],
                "indexes": [
                    models.Index(fields=["supplier", "-date"], name="payment_newest_first"),
                    models.Index(fields=["supplier", "reference"], name="payment_by_reference"),
                    models.Index(fields=["supplier", "amount", "id"], name="payment_by_amount"),
                    models.Index(fields=["supplier", "source", "-date"], name="payment_by_source"),
                    models.Index(fields=["supplier", "method", "-date"], name="payment_by_method"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="payment_above_zero"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("credit_note__isnull", False), ("invoice", None)),
                            models.Q(("credit_note", None), ("invoice__isnull", False)),
                            _connector="OR",
                        ),
                        name="payment_of_one_document",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutLayout",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=60)),
                ("mapping", models.JSONField(default=dict)),
                ("date_format", models.CharField(blank=True, max_length=60)),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="payout_layouts",
                        to="suppliers.supplier",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("supplier", "provider"), name="one_layout_a_provider")],
            },
        ),
        migrations.CreateModel(
            name="PayoutLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                ("line", models.PositiveIntegerField(null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("payment", "Payment"), ("refund", "Refund"), ("fee", "Fee")], max_length=7
                    ),
                ),
                ("invoice_number", models.CharField(blank=True, max_length=60)),
                ("payment_reference", models.CharField(blank=True, max_length=200)),
                ("gross", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                ("fee", provender.basics.money.AmountField(decimal_places=2, default=Decimal("0.00"), max_digits=15)),
                ("net", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("matched", "Matched"),
                            ("part", "Part-matched"),
                            ("none", "No match"),
                            ("duplicate", "Duplicate"),
                            ("refund", "Refund"),
                            ("fee", "Fee"),
                            ("ignored", "Left for hand"),
                        ],
                        max_length=9,
                    ),
                ),
                ("why", models.CharField(blank=True, max_length=300)),
                ("chosen", models.BooleanField(default=False)),
                (
                    "amount",
                    provender.basics.money.AmountField(decimal_places=2, default=Decimal("0.00"), max_digits=15),
                ),
                ("noted_before", models.BooleanField(default=False)),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_lines",
                        to="invoicing.invoice",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_lines",
                        to="payments.payment",
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="payments.payout"
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "constraints": [
                    models.UniqueConstraint(fields=("payout", "position"), name="one_payout_line_a_position")
                ],
            },
        ),
        migrations.CreateModel(
            name="SurchargeRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("transfer", "Bank transfer"),
                            ("card", "Card"),
                            ("visa", "Visa"),
                            ("mastercard", "Mastercard"),
                            ("amex", "American Express"),
                            ("direct-debit", "Direct debit"),
                            ("cash", "Cash"),
                            ("other", "Other"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "percent",
                    models.DecimalField(
                        decimal_places=4,
                        max_digits=6,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0")),
                            django.core.validators.MaxValueValidator(Decimal("20")),
                        ],
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="surcharge_rates",
                        to="suppliers.supplier",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("supplier", "method"), name="one_surcharge_a_method")],
            },
        ),
        migrations.CreateModel(
            name="Allocation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("credit_in_xero", models.CharField(blank=True, max_length=36)),
                ("name_in_xero", models.CharField(blank=True, max_length=100)),
                ("date", models.DateField()),
                ("amount", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                (
                    "source",
                    models.CharField(choices=[("here", "Made here"), ("xero", "Xero")], default="here", max_length=4),
                ),
                ("made_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("removed_why", models.CharField(blank=True, max_length=200)),
                (
                    "credit_note",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="invoicing.creditnote",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="allocations", to="invoicing.invoice"
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
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="allocations", to="suppliers.supplier"
                    ),
                ),
            ],
            options={
                "ordering": ["-date", "-made_at"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="allocation_above_zero"),
                    models.CheckConstraint(
                        condition=models.Q(("credit_note", None), ("credit_in_xero", ""), _connector="XOR"),
                        name="allocation_of_one_credit",
                    ),
                ],
            },
        ),
    ]
    operations = [CreateTables(tables)]
