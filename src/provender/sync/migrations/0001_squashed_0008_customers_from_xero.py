import django.db.models.deletion
import provender.basics.money
import provender.sync.models
import uuid
from django.conf import settings
from django.db import migrations, models

from provender.basics.tables import CreateTables


class Migration(migrations.Migration):
    replaces = [
        ("sync", "0001_initial"),
        ("sync", "0002_products_from_xero"),
        ("sync", "0003_tracking"),
        ("sync", "0004_money_settings"),
        ("sync", "0005_reading_back"),
        ("sync", "0006_to_approve"),
        ("sync", "0007_tracking_read_at"),
        ("sync", "0008_customers_from_xero"),
    ]

    initial = True

    dependencies = [
        ("people", "0001_initial"),
        ("properties", "0001_initial"),
        ("suppliers", "0001_squashed_0004_tax_of_charges"),
    ]

    tables = [
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("client_id", models.CharField(max_length=100)),
                ("xero_user", models.CharField(max_length=64)),
                ("tokens", models.BinaryField()),
                ("expires_at", models.DateTimeField()),
                ("scopes", models.CharField(max_length=1000)),
                ("refresh_owner", models.CharField(blank=True, max_length=64)),
                ("refresh_until", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("client_id", "xero_user"), name="one_token_set_a_consent")
                ],
            },
        ),
        migrations.CreateModel(
            name="Connection",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("tenant", models.CharField(max_length=36)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("connected", "Connected"),
                            ("needs-reconnecting", "Needs reconnecting"),
                            ("disconnected", "Disconnected"),
                        ],
                        default="connected",
                        max_length=20,
                    ),
                ),
                ("state_why", models.CharField(blank=True, max_length=300)),
                ("xero_connection", models.CharField(blank=True, max_length=36)),
                ("connected_at", models.DateTimeField()),
                ("organisation", models.CharField(max_length=255)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("short_code", models.CharField(blank=True, max_length=30)),
                ("period_lock_date", models.DateField(null=True)),
                ("end_of_year_lock_date", models.DateField(null=True)),
                ("sales_account", models.CharField(blank=True, max_length=36)),
                ("invoice_account", models.CharField(blank=True, max_length=36)),
                (
                    "invoice_status",
                    models.CharField(
                        choices=[
                            ("DRAFT", "Draft"),
                            ("SUBMITTED", "Awaiting approval"),
                            ("AUTHORISED", "Awaiting payment"),
                        ],
                        default="AUTHORISED",
                        max_length=10,
                    ),
                ),
                ("freight_account", models.CharField(blank=True, max_length=36)),
                ("surcharge_account", models.CharField(blank=True, max_length=36)),
                ("clearing_account", models.CharField(blank=True, max_length=36)),
                ("automatic_sync", models.BooleanField(default=False)),
                ("automatic_since", models.DateTimeField(null=True)),
                ("mark_as_paid", models.BooleanField(default=False)),
                (
                    "removed_payments",
                    models.CharField(
                        choices=[("reopen", "The invoice is open again"), ("flag", "A person is asked")],
                        default="reopen",
                        max_length=6,
                    ),
                ),
                ("payments_to_xero", models.BooleanField(default=False)),
                ("auto_reconcile", models.BooleanField(default=False)),
                ("fee_account", models.CharField(blank=True, max_length=36)),
                (
                    "credit_note_status",
                    models.CharField(
                        choices=[("DRAFT", "Draft"), ("AUTHORISED", "Approved, and set against its invoice")],
                        default="AUTHORISED",
                        max_length=10,
                    ),
                ),
                ("refunds_to_xero", models.BooleanField(default=True)),
                ("follow_terms", models.BooleanField(default=False)),
                ("tax_type_gst", models.CharField(blank=True, max_length=50)),
                ("tax_type_free", models.CharField(blank=True, max_length=50)),
                ("settings_saved_at", models.DateTimeField(null=True)),
                ("lease_owner", models.CharField(blank=True, max_length=64)),
                ("lease_epoch", models.PositiveBigIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("minute_left", models.IntegerField(null=True)),
                ("minute_resets_at", models.DateTimeField(null=True)),
                ("day_left", models.IntegerField(null=True)),
                ("day_resets_at", models.DateTimeField(null=True)),
                ("parked_until", models.DateTimeField(null=True)),
                ("drain_after", models.DateTimeField(null=True)),
                ("chart_read_at", models.DateTimeField(null=True)),
                ("tracking_read_at", models.DateTimeField(null=True)),
                ("contacts_read_at", models.DateTimeField(null=True)),
                ("compared_at", models.DateTimeField(null=True)),
                ("last_checked_at", models.DateTimeField(null=True)),
                ("invoices_read_to", models.DateTimeField(null=True)),
                ("credits_read_to", models.DateTimeField(null=True)),
                ("credits_read_at", models.DateTimeField(null=True)),
                ("polled_at", models.DateTimeField(null=True)),
                ("poll_after", models.DateTimeField(null=True)),
                (
                    "connected_by",
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="connections", to="suppliers.supplier"
                    ),
                ),
                (
                    "consent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="connections",
                        to="sync.consent",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("supplier", "tenant"), name="one_row_an_organisation"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "disconnected"), _negated=True),
                        fields=("supplier",),
                        name="one_live_connection_a_supplier",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "disconnected"), _negated=True),
                        fields=("tenant",),
                        name="one_supplier_a_live_organisation",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConnectAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("state", models.CharField(max_length=100, unique=True)),
                ("verifier", models.BinaryField(null=True)),
                ("tenants", models.JSONField(default=list)),
                ("began_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="suppliers.supplier"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "consent",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sync.consent"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("contact_id", models.CharField(max_length=36)),
                ("name", models.CharField(max_length=500)),
                ("folded_name", models.CharField(max_length=500)),
                ("number", models.CharField(blank=True, max_length=50)),
                ("status", models.CharField(max_length=20)),
                ("merged_to", models.CharField(blank=True, max_length=36)),
                ("is_customer", models.BooleanField(default=False)),
                ("is_supplier", models.BooleanField(default=False)),
                ("email", models.CharField(blank=True, max_length=255)),
                ("tax_number", models.CharField(blank=True, max_length=50)),
                ("phone", models.CharField(blank=True, max_length=60)),
                ("addresses", models.JSONField(default=list)),
                ("terms", models.CharField(blank=True, max_length=30)),
                ("terms_day", models.IntegerField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="contacts", to="sync.connection"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["connection", "folded_name"], name="contact_by_name"),
                    models.Index(fields=["connection", "number"], name="contact_by_number"),
                ],
                "constraints": [models.UniqueConstraint(fields=("connection", "contact_id"), name="one_contact_an_id")],
            },
        ),
        migrations.CreateModel(
            name="ContactRefusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("customer", models.UUIDField()),
                ("contact_id", models.CharField(max_length=36)),
                ("ask", models.BooleanField(default=False)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contact_refusals",
                        to="sync.connection",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "customer", "contact_id"), name="one_refusal_a_pair")
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditInXero",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("credit_id", models.CharField(max_length=36)),
                ("name", models.CharField(max_length=100)),
                ("contact_id", models.CharField(max_length=36)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("date", models.DateField(null=True)),
                ("total", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                ("remaining", provender.basics.money.AmountField(decimal_places=2, max_digits=15)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credits_in_xero",
                        to="sync.connection",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["connection", "contact_id"], name="credit_of_contact")],
                "constraints": [models.UniqueConstraint(fields=("connection", "credit_id"), name="one_credit_an_id")],
            },
        ),
        migrations.CreateModel(
            name="CustomerPull",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "Being read"),
                            ("preview", "Preview"),
                            ("applying", "Being applied"),
                            ("applied", "Applied"),
                            ("undoing", "Being undone"),
                            ("undone", "Undone"),
                        ],
                        default="reading",
                        max_length=10,
                    ),
                ),
                ("read_at", models.DateTimeField()),
                ("applied_at", models.DateTimeField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                ("contacts", models.PositiveIntegerField(default=0)),
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
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="customer_pulls", to="sync.connection"
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-read_at"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CustomerPullRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("suggested", "Suggested"),
                            ("question", "A question"),
                            ("new", "New"),
                            ("seller", "Only a supplier"),
                            ("linked", "Linked"),
                            ("here", "Only here"),
                            ("refused", "Can’t be taken"),
                        ],
                        max_length=10,
                    ),
                ),
                ("contact_id", models.CharField(blank=True, max_length=36)),
                ("name", models.CharField(blank=True, max_length=255)),
                ("about", models.CharField(blank=True, max_length=500)),
                ("customer", models.UUIDField(null=True)),
                ("likely", models.JSONField(default=list)),
                ("signs", models.CharField(blank=True, max_length=40)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("hints", models.JSONField(default=list)),
                ("after", models.JSONField(default=dict)),
                (
                    "choice",
                    models.CharField(
                        blank=True,
                        choices=[("new", "Add as a customer"), ("link", "Link"), ("not", "Not the same")],
                        max_length=4,
                    ),
                ),
                ("chosen", models.UUIDField(null=True)),
                (
                    "applied",
                    models.CharField(
                        blank=True,
                        choices=[("new", "Add as a customer"), ("link", "Link"), ("not", "Not the same")],
                        max_length=4,
                    ),
                ),
                ("finished", models.BooleanField(default=False)),
                ("outcome", models.CharField(blank=True, max_length=300)),
                (
                    "pull",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="sync.customerpull"
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "indexes": [models.Index(fields=["pull", "state", "position"], name="customer_row_by_state")],
            },
        ),
        migrations.CreateModel(
            name="Dispatch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=20)),
                (
                    "operation",
                    models.CharField(
                        choices=[("create", "Create"), ("change", "Change"), ("void", "Void")], max_length=6
                    ),
                ),
                ("key", models.CharField(max_length=128, unique=True)),
                ("claimed_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField()),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="dispatches", to="sync.connection"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DispatchDocument",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("document", models.UUIDField()),
                ("position", models.PositiveSmallIntegerField()),
                ("revision", models.PositiveIntegerField()),
                ("xero_id", models.CharField(blank=True, max_length=36)),
                ("number", models.CharField(max_length=255)),
                ("total", models.DecimalField(decimal_places=2, max_digits=15, null=True)),
                ("element", models.TextField()),
                ("line_keys", models.JSONField(default=list)),
                ("refusal", models.TextField(blank=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sync.connection"
                    ),
                ),
                (
                    "dispatch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="documents", to="sync.dispatch"
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("connection", "kind", "document"), name="one_open_dispatch_a_document"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tenant", models.CharField(max_length=36)),
                ("category", models.CharField(max_length=40)),
                ("kind", models.CharField(max_length=40)),
                ("resource", models.CharField(max_length=36)),
                ("happened", models.CharField(max_length=40)),
                ("received_at", models.DateTimeField()),
                ("heard_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("heard_at", None)), fields=["tenant"], name="event_unheard"),
                    models.Index(fields=["received_at"], name="event_by_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "category", "kind", "resource", "happened"), name="one_row_an_event"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Item",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("item_id", models.CharField(max_length=36)),
                ("code", models.CharField(max_length=30)),
                ("name", models.CharField(blank=True, max_length=100)),
                ("sold", models.BooleanField(default=True)),
                ("tracked", models.BooleanField(default=False)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="items", to="sync.connection"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("connection", "item_id"), name="one_item_an_id")],
            },
        ),
        migrations.CreateModel(
            name="ItemProduct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("product", models.UUIDField()),
                ("item_id", models.CharField(max_length=36)),
                ("pulled_at", models.DateTimeField()),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="item_products", to="sync.connection"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("connection", "product"), name="one_item_a_product")],
            },
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("document", models.UUIDField()),
                ("xero_id", models.CharField(max_length=36)),
                ("matched", models.BooleanField(default=False)),
                ("number", models.CharField(blank=True, max_length=255)),
                ("status", models.CharField(blank=True, max_length=20)),
                ("total", models.DecimalField(decimal_places=2, max_digits=15, null=True)),
                ("updated", models.CharField(blank=True, max_length=40)),
                ("sent", models.TextField(blank=True)),
                ("lines", models.JSONField(default=dict)),
                ("revision", models.PositiveIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="links", to="sync.connection"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "kind", "document"), name="one_twin_a_document"),
                    models.UniqueConstraint(fields=("connection", "kind", "xero_id"), name="one_document_a_twin"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OptionBinding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("xero_id", models.CharField(max_length=36)),
                ("bound_at", models.DateTimeField()),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="option_bindings",
                        to="sync.connection",
                    ),
                ),
                (
                    "option",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="properties.option"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "option"), name="one_xero_option_an_option")
                ],
            },
        ),
        migrations.CreateModel(
            name="Problem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("document", models.UUIDField()),
                ("revision", models.PositiveIntegerField(default=0)),
                ("cause", models.CharField(max_length=40)),
                ("words", models.JSONField(default=dict)),
                ("raw", models.TextField(blank=True)),
                ("shown", models.TextField(blank=True)),
                ("customer", models.UUIDField(null=True)),
                ("found_at", models.DateTimeField()),
                ("solved_at", models.DateTimeField(null=True)),
                ("how", models.CharField(blank=True, max_length=200)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="problems", to="sync.connection"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("solved_at", None)), fields=["connection", "cause"], name="problem_open"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("solved_at", None)),
                        fields=("connection", "kind", "document"),
                        name="one_open_problem_a_document",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Pull",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "Being read"),
                            ("preview", "Preview"),
                            ("applying", "Being applied"),
                            ("applied", "Applied"),
                            ("undoing", "Being undone"),
                            ("undone", "Undone"),
                        ],
                        default="reading",
                        max_length=10,
                    ),
                ),
                ("read_at", models.DateTimeField()),
                ("applied_at", models.DateTimeField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                ("items", models.PositiveIntegerField(default=0)),
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
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pulls", to="sync.connection"
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-read_at"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PullRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("changed", "Changed"),
                            ("unchanged", "Unchanged"),
                            ("gone", "Gone or no longer sold"),
                            ("refused", "Can’t be taken"),
                        ],
                        max_length=10,
                    ),
                ),
                ("item_id", models.CharField(blank=True, max_length=36)),
                ("code", models.CharField(max_length=200)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("tracked", models.BooleanField(default=False)),
                ("product", models.UUIDField(null=True)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("hints", models.JSONField(default=list)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("price_moves", models.BooleanField(default=False)),
                ("chosen", models.JSONField(default=list)),
                ("applied", models.JSONField(default=list)),
                ("finished", models.BooleanField(default=False)),
                ("outcome", models.CharField(blank=True, max_length=300)),
                (
                    "pull",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="sync.pull"),
                ),
            ],
            options={
                "ordering": ["position"],
                "indexes": [models.Index(fields=["pull", "state", "position"], name="pull_row_by_state")],
            },
        ),
        migrations.CreateModel(
            name="PullRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("parts", models.JSONField(default=provender.sync.models.every_part)),
                (
                    "connection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pull_rule", to="sync.connection"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TaxRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tax_type", models.CharField(max_length=50)),
                ("name", models.CharField(max_length=100)),
                ("rate", models.DecimalField(decimal_places=4, max_digits=9)),
                ("applies_to", models.JSONField(default=list)),
                ("status", models.CharField(max_length=20)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tax_rates", to="sync.connection"
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [models.UniqueConstraint(fields=("connection", "tax_type"), name="one_rate_a_type")],
            },
        ),
        migrations.CreateModel(
            name="ToApprove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("document", models.UUIDField()),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sync.connection"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "kind", "document"), name="one_approval_a_document")
                ],
            },
        ),
        migrations.CreateModel(
            name="TrackingCategory",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("category_id", models.CharField(max_length=36)),
                ("name", models.CharField(max_length=100)),
                ("status", models.CharField(max_length=20)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tracking_categories",
                        to="sync.connection",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "category_id"), name="one_category_an_id")
                ],
            },
        ),
        migrations.CreateModel(
            name="TrackingOption",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("category_id", models.CharField(max_length=36)),
                ("option_id", models.CharField(max_length=36)),
                ("name", models.CharField(max_length=100)),
                ("status", models.CharField(max_length=20)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tracking_options",
                        to="sync.connection",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "option_id"), name="one_tracking_option_an_id")
                ],
            },
        ),
        migrations.CreateModel(
            name="WithoutItemCodes",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("document", models.UUIDField()),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sync.connection"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "kind", "document"), name="one_choice_a_document")
                ],
            },
        ),
        migrations.CreateModel(
            name="WithoutTracking",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("document", models.UUIDField()),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sync.connection"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "kind", "document"), name="one_untracked_document")
                ],
            },
        ),
        migrations.CreateModel(
            name="CategoryBinding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("category_id", models.CharField(max_length=36)),
                ("bound_at", models.DateTimeField()),
                (
                    "property",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="properties.property"
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="category_bindings",
                        to="sync.connection",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "property"), name="one_category_a_property"),
                    models.UniqueConstraint(fields=("connection", "category_id"), name="one_property_a_category"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("method", models.CharField(max_length=6)),
                ("path", models.CharField(max_length=200)),
                ("query", models.CharField(blank=True, max_length=500)),
                ("seconds", models.FloatField()),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("outcome", models.CharField(max_length=20)),
                ("count", models.PositiveIntegerField(default=0)),
                ("about", models.TextField(blank=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="calls", to="sync.connection"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["connection", "-at"], name="call_newest_first")],
            },
        ),
        migrations.CreateModel(
            name="Backoff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("document", models.UUIDField()),
                ("tries", models.PositiveSmallIntegerField()),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sync.connection"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "kind", "document"), name="one_backoff_a_document")
                ],
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_id", models.CharField(max_length=36)),
                ("code", models.CharField(blank=True, max_length=10)),
                ("name", models.CharField(max_length=150)),
                ("type", models.CharField(max_length=30)),
                ("account_class", models.CharField(max_length=20)),
                ("tax_type", models.CharField(blank=True, max_length=50)),
                ("status", models.CharField(max_length=20)),
                ("system_account", models.CharField(blank=True, max_length=40)),
                ("takes_payments", models.BooleanField(default=False)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="accounts", to="sync.connection"
                    ),
                ),
            ],
            options={
                "ordering": ["code", "name"],
                "constraints": [models.UniqueConstraint(fields=("connection", "account_id"), name="one_account_an_id")],
            },
        ),
    ]
    operations = [CreateTables(tables)]
