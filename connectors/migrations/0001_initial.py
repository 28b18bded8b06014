import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import connectors.vault
from audit.schema import partitioned, tenant_policy


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Exchange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tenant_id", models.BigIntegerField()),
                ("connection_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("trace_id", models.TextField()),
                ("method", models.TextField()),
                ("url", models.TextField()),
                ("status", models.IntegerField(null=True)),
                ("seconds", models.DecimalField(decimal_places=3, max_digits=10)),
                ("request_id", models.TextField()),
                ("request_body", models.TextField()),
                ("answer_body", models.TextField()),
                ("error", models.TextField()),
            ],
            options={
                "db_table": "connectors_exchange",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="App",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=40)),
                ("environment", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=100)),
                ("credentials", connectors.vault.EncryptedJSONField(default=dict, editable=False)),
            ],
            options={
                "ordering": ("provider", "environment", "name"),
            },
        ),
        migrations.CreateModel(
            name="Tenant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(help_text="The customer's name, as people call it.", max_length=200, unique=True),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="America/New_York",
                        help_text="For schedules and dates, e.g. America/Chicago.",
                        max_length=64,
                    ),
                ),
                (
                    "active",
                    models.BooleanField(
                        default=True, help_text="An inactive tenant keeps everything, and nothing is sent or read."
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Connection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=40)),
                ("environment", models.CharField(max_length=20)),
                (
                    "account_id",
                    models.CharField(
                        blank=True,
                        help_text="The company's id with the provider; signing in fills it.",
                        max_length=100,
                        verbose_name="company id",
                    ),
                ),
                (
                    "account_name",
                    models.CharField(blank=True, editable=False, max_length=200, verbose_name="company name"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("new", "not connected yet"),
                            ("connected", "connected"),
                            ("attention", "needs somebody to sign in again"),
                            ("paused", "paused by a person"),
                        ],
                        default="new",
                        editable=False,
                        max_length=20,
                    ),
                ),
                ("attention", models.TextField(blank=True, editable=False)),
                ("credentials", connectors.vault.EncryptedJSONField(default=dict, editable=False)),
                ("settings", models.JSONField(default=dict, editable=False)),
                ("findings", models.JSONField(default=list, editable=False)),
                ("checked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="connections", to="connectors.app"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="connections", to="connectors.tenant"
                    ),
                ),
            ],
            options={
                "ordering": ("tenant", "provider"),
            },
        ),
        migrations.CreateModel(
            name="Budget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("owner", models.CharField(max_length=60)),
                ("level", models.DecimalField(decimal_places=3, max_digits=12)),
                ("filled_at", models.DateTimeField()),
                ("blocked_until", models.DateTimeField(null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="connectors.tenant"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="app",
            name="tenant",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: every tenant may use it. Otherwise only this one.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="apps",
                to="connectors.tenant",
            ),
        ),
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("owner", models.CharField(max_length=60)),
                ("secrets", connectors.vault.EncryptedJSONField(default=dict, editable=False)),
                ("generation", models.BigIntegerField(default=0)),
                ("expires_at", models.DateTimeField(null=True)),
                ("lifetime_seconds", models.IntegerField(default=0)),
                ("obtained_at", models.DateTimeField(null=True)),
                ("refresh_expires_at", models.DateTimeField(null=True)),
                ("hard_expires_at", models.DateTimeField(null=True)),
                ("refreshing_until", models.DateTimeField(null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tokens",
                        to="connectors.tenant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("state_hash", models.CharField(max_length=64)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sign_ins", to="connectors.connection"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="connectors.tenant"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "state_hash"), name="one_sign_in_of_a_state")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(fields=["tenant", "provider"], name="connectors__tenant__417267_idx"),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.UniqueConstraint(
                condition=models.Q(("account_id", ""), _negated=True),
                fields=("provider", "environment", "account_id"),
                name="one_connection_of_a_company",
                violation_error_message="This company is already connected.",
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.UniqueConstraint(
                fields=("tenant", "owner"), name="one_budget_of_an_owner", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="app",
            constraint=models.UniqueConstraint(
                fields=("tenant", "provider", "environment", "name"),
                name="one_app_of_a_name",
                nulls_distinct=False,
                violation_error_message="There is already an app of this name for this provider and environment.",
            ),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.UniqueConstraint(
                fields=("tenant", "owner"), name="one_token_of_an_owner", nulls_distinct=False
            ),
        ),
    ]


NO_TENANT_READS = ("app", "token", "signin", "budget")
CONNECTION_COLUMNS = (
    "id, tenant_id, app_id, provider, environment, account_id, account_name, status, attention, settings, findings, "
    "checked_at"
)

Migration.operations += [
    *tenant_policy("connectors_tenant", tenant_column="id"),
    *(
        operation
        for name in NO_TENANT_READS
        for operation in tenant_policy(f"connectors_{name}", readable_by_tenant=False)
    ),
    *tenant_policy("connectors_connection", readable_by_tenant=False),
    migrations.RunSQL(
        f"GRANT SELECT ({CONNECTION_COLUMNS}) ON connectors_connection TO {settings.TENANT_ROLE}",
        f"REVOKE SELECT ({CONNECTION_COLUMNS}) ON connectors_connection FROM {settings.TENANT_ROLE}",
    ),
    *partitioned(
        "connectors_exchange",
        """
        tenant_id bigint NOT NULL,
        connection_id bigint NOT NULL,
        at timestamptz NOT NULL,
        trace_id text NOT NULL,
        method text NOT NULL,
        url text NOT NULL,
        status integer,
        seconds numeric(10, 3) NOT NULL,
        request_id text NOT NULL,
        request_body text NOT NULL,
        answer_body text NOT NULL,
        error text NOT NULL
        """,
    ),
    migrations.RunSQL(
        "CREATE INDEX connectors_exchange_trace ON connectors_exchange (tenant_id, trace_id)",
        "DROP INDEX connectors_exchange_trace",
    ),
    *tenant_policy("connectors_exchange"),
]
