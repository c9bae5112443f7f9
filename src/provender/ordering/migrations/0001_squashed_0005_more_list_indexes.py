import django.core.validators
import django.db.models.deletion
import provender.basics.money
import uuid
from django.db import migrations, models

from provender.basics.tables import CreateTables


class Migration(migrations.Migration):
    replaces = [
        ("ordering", "0001_initial"),
        ("ordering", "0002_line_tracking"),
        ("ordering", "0003_longer_reasons"),
        ("ordering", "0004_own_total"),
        ("ordering", "0005_more_list_indexes"),
    ]

    initial = True

    dependencies = [
        ("catalogue", "0001_squashed_0003_dated_prices"),
        ("customers", "0001_squashed_0004_way_of_paying"),
        ("invoicing", "0001_squashed_0008_more_list_indexes"),
        ("suppliers", "0001_squashed_0004_tax_of_charges"),
    ]

    tables = [
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=60)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("placed", "Placed"),
                            ("delivered", "Delivered"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        max_length=9,
                    ),
                ),
                ("purchase_order", models.CharField(blank=True, max_length=100, verbose_name="purchase order number")),
                (
                    "comment",
                    models.TextField(
                        blank=True,
                        max_length=2000,
                        validators=[django.core.validators.MaxLengthValidator(2000)],
                        verbose_name="customer's comment",
                    ),
                ),
                ("order_date", models.DateField()),
                ("delivery_date", models.DateField(blank=True, null=True)),
                ("own_total", models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("placed_at", models.DateTimeField(blank=True, null=True)),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="orders", to="customers.customer"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="orders",
                        to="invoicing.invoice",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="orders", to="suppliers.supplier"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["supplier", "-created_at"], name="order_newest_first"),
                    models.Index(fields=["supplier", "status", "delivery_date"], name="order_by_delivery"),
                    models.Index(fields=["supplier", "customer", "-created_at"], name="order_of_customer"),
                    models.Index(
                        fields=["supplier", "customer", "status", "order_date"], name="order_last_of_customer"
                    ),
                    models.Index(fields=["supplier", "order_date", "number"], name="order_by_date"),
                    models.Index(fields=["supplier", "delivery_date", "number"], name="order_next_delivery"),
                    models.Index(fields=["supplier", "purchase_order", "number"], name="order_of_purchase_order"),
                ],
                "constraints": [models.UniqueConstraint(fields=("supplier", "number"), name="one_order_a_number")],
            },
        ),
        migrations.CreateModel(
            name="OrderLine",
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
                ("price_from", models.CharField(blank=True, max_length=200)),
                ("tax_kind", models.CharField(choices=[("gst", "GST"), ("free", "GST-free")], max_length=4)),
                ("sales_account", models.CharField(blank=True, max_length=10)),
                ("tracking", models.JSONField(null=True)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="ordering.order"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalogue.product",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "constraints": [models.UniqueConstraint(fields=("order", "key"), name="one_order_line_a_key")],
            },
        ),
    ]
    operations = [CreateTables(tables)]
