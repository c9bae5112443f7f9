import django.db.models.deletion
import provender.basics.money
import uuid
from django.conf import settings
from django.db import migrations, models

from provender.basics.tables import CreateTables


class Migration(migrations.Migration):
    replaces = [
        ("importing", "0001_initial"),
        ("importing", "0002_files_of_lists"),
        ("importing", "0003_payout_files"),
        ("importing", "0004_own_prices_files"),
        ("importing", "0005_list_files_being_read"),
        ("importing", "0006_credit_notes"),
    ]

    initial = True

    dependencies = [
        ("people", "0001_initial"),
        ("suppliers", "0001_squashed_0004_tax_of_charges"),
    ]

    tables = [
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("file_name", models.CharField(max_length=255)),
                ("file", models.FileField(blank=True, upload_to="imports/")),
                ("columns", models.JSONField(default=list)),
                ("mapping", models.JSONField(default=dict)),
                ("date_format", models.CharField(blank=True, max_length=60)),
                ("freight", models.JSONField(default=list)),
                ("create_missing", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "Columns to be chosen"),
                            ("reading", "Being read"),
                            ("faulty", "Can't be read"),
                            ("ready", "Checked"),
                            ("applying", "Being imported"),
                            ("stopped", "Stopped"),
                            ("done", "Done"),
                        ],
                        default="uploaded",
                        max_length=8,
                    ),
                ),
                ("faults", models.JSONField(default=list)),
                ("lines_read", models.PositiveIntegerField(default=0)),
                ("sum_read", provender.basics.money.AmountField(decimal_places=2, default=0, max_digits=15)),
                ("customers_created", models.PositiveIntegerField(default=0)),
                ("products_created", models.PositiveIntegerField(default=0)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("held_until", models.DateTimeField(null=True)),
                ("held_by", models.UUIDField(null=True)),
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="imports", to="suppliers.supplier"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["supplier", "-started_at"], name="import_newest_first")],
            },
        ),
        migrations.CreateModel(
            name="ListFile",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("products", "Products"), ("prices", "Prices"), ("own-prices", "Own prices")],
                        max_length=10,
                    ),
                ),
                ("about", models.UUIDField(null=True)),
                ("file_name", models.CharField(max_length=255)),
                ("columns", models.JSONField(default=list)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "Being read"),
                            ("preview", "Preview"),
                            ("applying", "Being applied"),
                            ("done", "Applied"),
                        ],
                        default="reading",
                        max_length=10,
                    ),
                ),
                ("read_at", models.DateTimeField()),
                ("applied_at", models.DateTimeField(null=True)),
                (
                    "applied_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="list_files", to="suppliers.supplier"
                    ),
                ),
            ],
            options={
                "ordering": ["-read_at"],
            },
        ),
        migrations.CreateModel(
            name="ListRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("changed", "Changed"),
                            ("unchanged", "Unchanged"),
                            ("rejected", "Rejected"),
                        ],
                        max_length=9,
                    ),
                ),
                ("sku", models.CharField(blank=True, max_length=200)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("product", models.UUIDField(null=True)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("column", models.CharField(blank=True, max_length=255)),
                ("value", models.CharField(blank=True, max_length=200)),
                ("reason", models.CharField(blank=True, max_length=400)),
                ("cells", models.JSONField(default=list)),
                ("hints", models.JSONField(default=list)),
                ("finished", models.BooleanField(default=False)),
                ("outcome", models.CharField(blank=True, max_length=300)),
                (
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="importing.listfile",
                    ),
                ),
            ],
            options={
                "ordering": ["line"],
                "indexes": [
                    models.Index(fields=["file", "line"], name="list_row_by_line"),
                    models.Index(fields=["file", "state", "line"], name="list_row_by_state"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutFile",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=60)),
                ("file_name", models.CharField(max_length=255)),
                ("content", models.BinaryField()),
                ("columns", models.JSONField(default=list)),
                ("mapping", models.JSONField(default=dict)),
                ("date_format", models.CharField(blank=True, max_length=60)),
                ("uploaded_at", models.DateTimeField()),
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
                        related_name="payout_files",
                        to="suppliers.supplier",
                    ),
                ),
            ],
            options={
                "ordering": ["-uploaded_at"],
            },
        ),
        migrations.CreateModel(
            name="StagedCustomer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=50)),
                ("name", models.CharField(max_length=255)),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="customers", to="importing.import"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("source", "number"), name="one_staged_customer_a_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="StagedDocument",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("invoice", "Invoice"), ("credit_note", "Credit note")],
                        default="invoice",
                        max_length=11,
                    ),
                ),
                ("number", models.CharField(max_length=60)),
                ("line", models.PositiveIntegerField()),
                ("lines", models.PositiveIntegerField()),
                ("customer", models.CharField(max_length=50)),
                ("date", models.DateField()),
                ("subtotal", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                ("tax", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                ("total", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ready", "To be imported"),
                            ("imported", "Imported"),
                            ("unchanged", "There already, the same"),
                            ("rejected", "Rejected"),
                        ],
                        max_length=9,
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=40)),
                ("column", models.CharField(blank=True, max_length=255)),
                ("reason", models.CharField(blank=True, max_length=400)),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="documents",
                        to="importing.import",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["source", "state", "-kind", "line"], name="staged_document_by_state")],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "number"), name="one_staged_document_a_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="StagedProduct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sku", models.CharField(max_length=60)),
                ("name", models.CharField(max_length=200)),
                ("price", provender.basics.money.PriceField(decimal_places=4, max_digits=14)),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="products", to="importing.import"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("source", "sku"), name="one_staged_product_a_sku")],
            },
        ),
        migrations.CreateModel(
            name="StagedRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=60)),
                ("line", models.PositiveIntegerField()),
                ("said", models.BinaryField()),
                ("cells", models.BinaryField()),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="importing.import",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["source", "number", "line"], name="staged_run_by_document"),
                    models.Index(fields=["source", "line"], name="staged_run_by_line"),
                ],
            },
        ),
    ]
    operations = [CreateTables(tables)]
