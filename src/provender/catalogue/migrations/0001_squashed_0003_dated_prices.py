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
        ("catalogue", "0001_initial"),
        ("catalogue", "0002_changes_of_many"),
        ("catalogue", "0003_dated_prices"),
    ]

    initial = True

    dependencies = [
        ("people", "0001_initial"),
        ("suppliers", "0001_squashed_0004_tax_of_charges"),
    ]

    tables = [
        migrations.CreateModel(
            name="BulkChange",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("what", models.CharField(max_length=45)),
                ("value", models.CharField(blank=True, max_length=500)),
                ("said", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "by",
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bulk_changes",
                        to="suppliers.supplier",
                    ),
                ),
            ],
            options={
                "ordering": ["-at"],
            },
        ),
        migrations.CreateModel(
            name="Category",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("position", models.PositiveIntegerField(default=0)),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="categories", to="suppliers.supplier"
                    ),
                ),
            ],
            options={
                "ordering": ["position", "name"],
                "constraints": [models.UniqueConstraint(fields=("supplier", "name"), name="one_category_a_name")],
            },
        ),
        migrations.CreateModel(
            name="Former",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("product", models.UUIDField()),
                ("value", models.CharField(blank=True, max_length=500)),
                (
                    "bulk",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="formers", to="catalogue.bulkchange"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PriceList",
            fields=[
                ("valid_from", models.DateField(blank=True, null=True)),
                ("valid_to", models.DateField(blank=True, null=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
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
                        verbose_name="percentage",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="price_lists", to="suppliers.supplier"
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [models.UniqueConstraint(fields=("supplier", "name"), name="one_price_list_a_name")],
            },
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("sku", models.CharField(max_length=60, verbose_name="SKU")),
                ("name", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True, max_length=4000)),
                ("unit", models.CharField(blank=True, max_length=30)),
                (
                    "price",
                    provender.basics.money.PriceField(
                        decimal_places=4,
                        max_digits=14,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                    ),
                ),
                (
                    "tax_kind",
                    models.CharField(choices=[("gst", "GST"), ("free", "GST-free")], default="gst", max_length=4),
                ),
                ("sales_account", models.CharField(blank=True, max_length=10, verbose_name="sales account code")),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="products",
                        to="catalogue.category",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="products", to="suppliers.supplier"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["supplier", "name"], name="product_by_name")],
                "constraints": [models.UniqueConstraint(fields=("supplier", "sku"), name="one_product_a_sku")],
            },
        ),
        migrations.CreateModel(
            name="ListPrice",
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
                    "price_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="prices", to="catalogue.pricelist"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="list_prices", to="catalogue.product"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("price_list", "product", "valid_from"), name="one_list_price_a_first_day"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("valid_from", None)),
                        fields=("price_list", "product"),
                        name="one_list_price_from_ever",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_to__gte", models.F("valid_from"))),
                        name="list_price_ends_after_it_begins",
                    ),
                ],
            },
        ),
    ]
    operations = [CreateTables(tables)]
