import django.core.validators
import django.db.models.deletion
import provender.basics.money
import uuid
from decimal import Decimal
from django.db import migrations, models

from provender.basics.tables import CreateTables


class Migration(migrations.Migration):
    replaces = [
        ("customers", "0001_initial"),
        ("customers", "0002_own_prices"),
        ("customers", "0003_followed_terms"),
        ("customers", "0004_way_of_paying"),
    ]

    initial = True

    dependencies = [
        ("catalogue", "0001_squashed_0003_dated_prices"),
        ("suppliers", "0001_squashed_0004_tax_of_charges"),
    ]

    tables = [
        migrations.CreateModel(
            name="FreightGroup",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                (
                    "charge",
                    provender.basics.money.AmountField(
                        decimal_places=2,
                        max_digits=15,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                    ),
                ),
                (
                    "free_from",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=15,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="freight_groups",
                        to="suppliers.supplier",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [models.UniqueConstraint(fields=("supplier", "name"), name="one_freight_group_a_name")],
            },
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(blank=True, max_length=50, verbose_name="customer number")),
                ("trading_name", models.CharField(max_length=255)),
                ("legal_name", models.CharField(blank=True, max_length=255)),
                ("tax_number", models.CharField(blank=True, max_length=50, verbose_name="ABN, GST or VAT number")),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("phone", models.CharField(blank=True, max_length=50)),
                ("street", models.CharField(blank=True, max_length=250)),
                ("city", models.CharField(blank=True, max_length=100)),
                ("region", models.CharField(blank=True, max_length=100, verbose_name="state or region")),
                ("postcode", models.CharField(blank=True, max_length=20)),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        choices=[("AU", "Australia"), ("NZ", "New Zealand"), ("GB", "United Kingdom")],
                        max_length=2,
                    ),
                ),
                (
                    "terms_days",
                    models.PositiveSmallIntegerField(
                        default=14,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(365),
                        ],
                        verbose_name="payment terms in days",
                    ),
                ),
                (
                    "terms_from",
                    models.CharField(
                        choices=[("order", "from the order"), ("delivery", "from the delivery")],
                        default="order",
                        max_length=8,
                    ),
                ),
                (
                    "followed_terms",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("after-invoice", "days after the invoice"),
                            ("after-month", "days after the end of the invoice’s month"),
                            ("this-month", "day of the invoice’s month"),
                            ("next-month", "day of the month after the invoice"),
                        ],
                        editable=False,
                        max_length=13,
                    ),
                ),
                ("followed_day", models.PositiveSmallIntegerField(default=0, editable=False)),
                (
                    "invoice_at",
                    models.CharField(
                        choices=[("placing", "when the order is placed"), ("delivery", "when the order is delivered")],
                        default="placing",
                        max_length=8,
                    ),
                ),
                (
                    "pays",
                    models.CharField(
                        choices=[
                            ("here", "what its invoices say, less credit, which is set against them by itself"),
                            ("direct", "directly to you, and its credit is used by hand only"),
                        ],
                        default="here",
                        max_length=6,
                        verbose_name="way of paying",
                    ),
                ),
                (
                    "percent",
                    provender.basics.money.PercentField(
                        blank=True,
                        decimal_places=4,
                        max_digits=8,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("-100")),
                            django.core.validators.MaxValueValidator(Decimal("1000")),
                        ],
                        verbose_name="own percentage",
                    ),
                ),
                ("percent_from", models.DateField(blank=True, null=True, verbose_name="own percentage from")),
                ("percent_to", models.DateField(blank=True, null=True, verbose_name="own percentage until")),
                ("active", models.BooleanField(default=True)),
                ("note", models.TextField(blank=True, max_length=2000)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "price_list",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="customers",
                        to="catalogue.pricelist",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="customers", to="suppliers.supplier"
                    ),
                ),
                (
                    "freight_group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="customers",
                        to="customers.freightgroup",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["supplier", "trading_name"], name="customer_by_name")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("number", ""), _negated=True),
                        fields=("supplier", "number"),
                        name="one_customer_a_number",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OwnPrice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("valid_from", models.DateField(blank=True, null=True)),
                ("valid_to", models.DateField(blank=True, null=True)),
                (
                    "price",
                    provender.basics.money.PriceField(
                        decimal_places=4,
                        max_digits=14,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="own_prices", to="customers.customer"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="own_prices", to="catalogue.product"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "product", "valid_from"), name="one_own_price_a_first_day"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("valid_from", None)),
                        fields=("customer", "product"),
                        name="one_own_price_from_ever",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_to__gte", models.F("valid_from"))),
                        name="own_price_ends_after_it_begins",
                    ),
                ],
            },
        ),
    ]
    operations = [CreateTables(tables)]
