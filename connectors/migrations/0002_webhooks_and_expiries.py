import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import connectors.clock
from audit.schema import partitioned, tenant_policy


def give_apps_an_address(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """One that nobody can guess, for each app that is there already."""
    rows = apps.get_model("connectors", "App").objects
    for id in rows.values_list("pk", flat=True):
        rows.filter(pk=id).update(public_id=connectors.clock.unguessable())


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tenant_id", models.BigIntegerField(null=True)),
                ("at", models.DateTimeField()),
                (
                    "outcome",
                    models.TextField(
                        choices=[
                            ("received", "not looked at yet"),
                            ("accepted", "accepted"),
                            ("refused", "refused: not signed by the provider"),
                            ("unreadable", "signed, but not understood"),
                        ]
                    ),
                ),
                ("digest", models.TextField()),
                ("body", models.BinaryField()),
                ("hints", models.IntegerField()),
                ("unknown", models.IntegerField(verbose_name="of unknown companies")),
                ("why", models.TextField()),
            ],
            options={
                "db_table": "connectors_webhook_delivery",
                "verbose_name": "webhook",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="ExpiryNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("what", models.CharField(max_length=30)),
                ("expires_at", models.DateTimeField()),
                ("days", models.IntegerField(verbose_name="days before")),
                ("text", models.TextField()),
                ("made_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(null=True)),
                ("tries", models.IntegerField(default=0)),
                ("failure", models.TextField(blank=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("sent_to", models.TextField(blank=True)),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("-id",),
                "verbose_name": "end of a sign-in",
                "verbose_name_plural": "ends of sign-ins",
            },
        ),
        migrations.CreateModel(
            name="Hint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_id", models.CharField(max_length=100, verbose_name="company id")),
                ("kind", models.CharField(max_length=30)),
                ("remote_id", models.TextField(verbose_name="id there")),
                ("event", models.TextField()),
                ("delivery_id", models.BigIntegerField()),
                ("received_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "hint of a webhook",
                "verbose_name_plural": "hints of webhooks",
            },
        ),
        migrations.CreateModel(
            name="MeteredReads",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField()),
                ("reads", models.BigIntegerField()),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField(verbose_name="last one")),
            ],
            options={
                "verbose_name_plural": "metered reads",
                "ordering": ("-month", "-reads"),
            },
        ),
        migrations.AddField(
            model_name="app",
            name="monthly_reads",
            field=models.BigIntegerField(
                blank=True,
                help_text="How many reads a month the provider allows this registration. Empty: not watched.",
                null=True,
                verbose_name="metered reads a month",
            ),
        ),
        migrations.AddField(
            model_name="app",
            name="public_id",
            field=models.CharField(editable=False, max_length=64, null=True),
        ),
        migrations.RunPython(give_apps_an_address, migrations.RunPython.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="app",
            name="public_id",
            field=models.CharField(default=connectors.clock.unguessable, editable=False, max_length=64, unique=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="doubted_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="hinted_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="upkeep_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="webhook_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="tenant",
            name="email",
            field=models.CharField(
                blank=True,
                help_text="Who is told before a sign-in ends; several addresses with commas between.",
                max_length=500,
                verbose_name="e-mail",
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("hinted_at", None), _negated=True), fields=["hinted_at"], name="connection_hinted"
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("status", "new"), _negated=True), fields=["upkeep_at"], name="connection_upkeep"
            ),
        ),
        migrations.AddField(
            model_name="expirynotice",
            name="connection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="expiry_notices", to="connectors.connection"
            ),
        ),
        migrations.AddField(
            model_name="expirynotice",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="connectors.tenant"
            ),
        ),
        migrations.AddField(
            model_name="hint",
            name="app",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="connectors.app"),
        ),
        migrations.AddField(
            model_name="hint",
            name="connection",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="hints", to="connectors.connection"
            ),
        ),
        migrations.AddField(
            model_name="hint",
            name="tenant",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="connectors.tenant"
            ),
        ),
        migrations.AddField(
            model_name="meteredreads",
            name="connection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="metered_reads", to="connectors.connection"
            ),
        ),
        migrations.AddField(
            model_name="meteredreads",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="connectors.tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="expirynotice",
            constraint=models.UniqueConstraint(
                fields=("tenant", "connection", "what", "expires_at", "days"), name="one_notice_of_a_threshold"
            ),
        ),
        migrations.AddIndex(
            model_name="hint",
            index=models.Index(
                condition=models.Q(("settled_at", None)), fields=["tenant", "connection", "id"], name="hint_to_settle"
            ),
        ),
        migrations.AddIndex(
            model_name="hint",
            index=models.Index(fields=["tenant", "connection", "kind", "remote_id"], name="hint_of_record"),
        ),
        migrations.AddConstraint(
            model_name="hint",
            constraint=models.UniqueConstraint(
                fields=("tenant", "app", "account_id", "event", "kind", "remote_id"),
                name="one_hint_of_an_event",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="meteredreads",
            constraint=models.UniqueConstraint(fields=("tenant", "connection", "month"), name="one_count_of_a_month"),
        ),
    ]


Migration.operations += [
    *tenant_policy("connectors_expirynotice"),
    *tenant_policy("connectors_meteredreads"),
    *tenant_policy("connectors_hint", readable_by_tenant=False),
    *partitioned(
        "connectors_webhook_delivery",
        """
        tenant_id bigint,
        app_id bigint NOT NULL,
        at timestamptz NOT NULL,
        outcome text NOT NULL,
        digest text NOT NULL,
        body bytea NOT NULL,
        hints integer NOT NULL,
        unknown integer NOT NULL,
        why text NOT NULL
        """,
    ),
    *tenant_policy("connectors_webhook_delivery", readable_by_tenant=False),
]
