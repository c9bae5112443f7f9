import django.core.validators
import django.db.models.deletion
import uuid
from decimal import Decimal
from django.db import migrations, models

from provender.basics.tables import CreateTables


class Migration(migrations.Migration):
    replaces = [
        ("suppliers", "0001_initial"),
        ("suppliers", "0002_credit_note_prefix"),
        ("suppliers", "0003_payment_details"),
        ("suppliers", "0004_tax_of_charges"),
    ]

    initial = True

    dependencies = []

    tables = [
        migrations.CreateModel(
            name="Supplier",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "slug",
                    models.CharField(
                        max_length=40,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9](-?[a-z0-9])*\\Z", "Use small letters, digits and single hyphens."
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("legal_name", models.CharField(blank=True, max_length=200)),
                ("tax_number", models.CharField(blank=True, max_length=50, verbose_name="ABN, GST or VAT number")),
                ("address", models.TextField(blank=True, max_length=500)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("phone", models.CharField(blank=True, max_length=50)),
                ("payment_details", models.TextField(blank=True, max_length=500, verbose_name="how to pay")),
                (
                    "country",
                    models.CharField(
                        choices=[("AU", "Australia"), ("NZ", "New Zealand"), ("GB", "United Kingdom")], max_length=2
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("time_zone", models.CharField(max_length=60)),
                (
                    "tax_rate",
                    models.DecimalField(
                        decimal_places=4,
                        max_digits=7,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0")),
                            django.core.validators.MaxValueValidator(Decimal("100")),
                        ],
                        verbose_name="tax rate in percent",
                    ),
                ),
                ("order_prefix", models.CharField(blank=True, default="SO-", max_length=10)),
                ("invoice_prefix", models.CharField(blank=True, default="INV-", max_length=10)),
                ("credit_note_prefix", models.CharField(blank=True, default="CN-", max_length=10)),
                (
                    "freight_tax_kind",
                    models.CharField(
                        choices=[("gst", "GST"), ("free", "GST-free")],
                        default="gst",
                        max_length=4,
                        verbose_name="tax on freight",
                    ),
                ),
                (
                    "surcharge_tax_kind",
                    models.CharField(
                        choices=[("gst", "GST"), ("free", "GST-free")],
                        default="gst",
                        max_length=4,
                        verbose_name="tax on surcharges",
                    ),
                ),
                ("credits_apply", models.BooleanField(default=True, verbose_name="credit notes apply themselves")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Counter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("next", models.PositiveIntegerField(default=1)),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="counters", to="suppliers.supplier"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("supplier", "kind"), name="one_counter_a_kind")],
            },
        ),
    ]
    operations = [CreateTables(tables)]
