import django.db.models.deletion
from django.db import migrations, models

import audit.models
from audit.schema import append_only, partitioned, tenant_policy


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("connectors", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tenant_id", models.BigIntegerField()),
                ("sync_record_id", models.BigIntegerField()),
                ("revision", models.IntegerField()),
                ("action", models.TextField()),
                ("record_key", models.TextField()),
                ("request_key", models.TextField()),
                ("batch", models.TextField()),
                ("place", models.IntegerField()),
                ("delivery_fingerprint", models.TextField()),
                ("body_hash", models.TextField()),
                ("body", audit.models.WrittenJSON()),
                ("context", audit.models.WrittenJSON()),
                ("link_id", models.TextField()),
                ("link_version", models.TextField()),
                ("fence", models.BigIntegerField()),
                ("trace_id", models.TextField()),
                ("started_at", models.DateTimeField()),
                ("deadline", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("outcome", models.TextField()),
                ("code", models.TextField()),
                ("message", models.TextField()),
                ("exchange_id", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "syncs_attempt",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="RemoteRevision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tenant_id", models.BigIntegerField()),
                ("remote_record_id", models.BigIntegerField()),
                ("revision", models.IntegerField()),
                ("version", models.TextField()),
                ("fingerprint", models.TextField()),
                ("gone", models.TextField()),
                ("observed_at", models.DateTimeField()),
                ("trace_id", models.TextField()),
                ("body", audit.models.WrittenJSON()),
            ],
            options={
                "db_table": "syncs_remote_revision",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Feed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("holder", models.TextField(blank=True)),
                ("fence", models.BigIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("woken_until", models.DateTimeField(null=True)),
                ("failures", models.IntegerField(default=0)),
                ("leases_lost", models.IntegerField(default=0)),
                ("paused", models.BooleanField(default=False)),
                ("interval_seconds", models.IntegerField(default=300)),
                ("stage", models.CharField(blank=True, max_length=30)),
                ("cursor", models.JSONField(default=dict)),
                ("changes_cursor", models.JSONField(default=dict)),
                ("sweep", models.IntegerField(default=0)),
                ("full_after", models.DateTimeField(null=True)),
                ("records_read", models.BigIntegerField(default=0)),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="feed", to="connectors.connection"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="feeds", to="connectors.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Integration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("active", models.BooleanField(default=False, editable=False)),
                ("activated_at", models.DateTimeField(editable=False, null=True)),
                (
                    "ap_network",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="integrations_as_ap_network",
                        to="connectors.connection",
                    ),
                ),
                (
                    "erp",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="integrations_as_erp",
                        to="connectors.connection",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="integrations", to="connectors.tenant"
                    ),
                ),
            ],
            options={
                "ordering": ("tenant", "id"),
            },
        ),
        migrations.CreateModel(
            name="Mapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "subject",
                    models.CharField(
                        choices=[
                            ("funding_account", "bank account that payments are posted to, by method"),
                            ("in_transit", "payments in transit"),
                        ],
                        max_length=40,
                    ),
                ),
                ("source", models.TextField(help_text="The payment method, or * for every other.")),
                ("target", models.TextField(help_text="The account's id in the ERP.")),
                ("valid_from", models.DateTimeField()),
                ("valid_to", models.DateTimeField(null=True)),
                ("changed_by", models.TextField()),
                ("why", models.TextField()),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="mappings", to="syncs.integration"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="mappings", to="connectors.tenant"
                    ),
                ),
            ],
            options={
                "ordering": ("integration", "subject", "source", "-valid_from"),
            },
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=60)),
                ("value", models.JSONField()),
                ("valid_from", models.DateTimeField()),
                ("valid_to", models.DateTimeField(null=True)),
                ("changed_by", models.TextField()),
                ("why", models.TextField()),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="policies", to="syncs.integration"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="policies", to="connectors.tenant"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "policies",
                "ordering": ("integration", "key", "-valid_from"),
            },
        ),
        migrations.CreateModel(
            name="Problem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=60)),
                ("cause_key", models.TextField()),
                ("cause", models.TextField()),
                ("actor", models.CharField(max_length=40)),
                ("remedy", models.TextField()),
                ("opened_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(null=True)),
                ("records", models.IntegerField(default=0)),
                ("money", models.JSONField(default=dict)),
                (
                    "connection",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="problems",
                        to="connectors.connection",
                    ),
                ),
                (
                    "integration",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="problems",
                        to="syncs.integration",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="problems", to="connectors.tenant"
                    ),
                ),
            ],
            options={
                "ordering": ("-seen_at",),
            },
        ),
        migrations.CreateModel(
            name="RemoteRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=30)),
                ("remote_id", models.TextField()),
                ("version", models.TextField()),
                ("version_number", models.BigIntegerField(null=True)),
                ("modified_at", models.DateTimeField(null=True)),
                ("seen_at", models.DateTimeField()),
                ("revision", models.IntegerField(default=1)),
                ("sweep", models.IntegerField(default=0)),
                ("fingerprint", models.TextField()),
                (
                    "gone",
                    models.TextField(
                        blank=True, choices=[("deleted", "deleted there"), ("merged", "merged into another")]
                    ),
                ),
                ("merged_into", models.TextField(blank=True)),
                ("number", models.TextField(blank=True)),
                ("name", models.TextField(blank=True)),
                ("party_id", models.TextField(blank=True)),
                ("date", models.DateField(null=True)),
                ("due_date", models.DateField(null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("amount_minor", models.BigIntegerField(null=True)),
                ("balance_minor", models.BigIntegerField(null=True)),
                ("status", models.TextField(blank=True)),
                ("key", models.TextField(blank=True)),
                ("body", audit.models.WrittenJSON()),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="remote_records",
                        to="connectors.connection",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="connectors.tenant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Application",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.IntegerField()),
                ("target_kind", models.CharField(max_length=30)),
                ("target_id", models.TextField()),
                ("currency", models.CharField(max_length=3)),
                ("gross_minor", models.BigIntegerField()),
                ("discount_minor", models.BigIntegerField()),
                ("net_minor", models.BigIntegerField()),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="connectors.connection",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="connectors.tenant",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="applications",
                        to="syncs.remoterecord",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Stream",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("holder", models.TextField(blank=True)),
                ("fence", models.BigIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("woken_until", models.DateTimeField(null=True)),
                ("failures", models.IntegerField(default=0)),
                ("leases_lost", models.IntegerField(default=0)),
                ("paused", models.BooleanField(default=False)),
                ("kind", models.CharField(max_length=30)),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="streams", to="syncs.integration"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="streams", to="connectors.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SyncRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "to be sent"),
                            ("sending", "being sent"),
                            ("synced", "in step"),
                            ("in_doubt", "sent, answer lost: being looked up"),
                            ("waiting", "waiting for another record"),
                            ("held", "held: needs a person"),
                            ("out_of_scope", "out of scope by a rule"),
                            ("ignored", "ignored by a person"),
                        ],
                        default="pending",
                        max_length=20,
                    ),
                ),
                ("record_key", models.CharField(max_length=32)),
                ("wanted", models.IntegerField(default=1)),
                ("sent", models.IntegerField(default=0)),
                ("settled", models.IntegerField(default=0)),
                ("wanted_fingerprint", models.TextField()),
                ("settled_fingerprint", models.TextField(blank=True)),
                ("trace_id", models.TextField()),
                ("attempts", models.IntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("attempt_id", models.BigIntegerField(null=True)),
                ("target_id", models.TextField(blank=True)),
                ("target_version", models.TextField(blank=True)),
                ("waiting_kind", models.CharField(blank=True, max_length=30)),
                ("waiting_id", models.TextField(blank=True)),
                ("code", models.CharField(blank=True, max_length=60)),
                ("reason", models.TextField(blank=True)),
                ("synced_at", models.DateTimeField(null=True)),
                (
                    "problem",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="sync_records",
                        to="syncs.problem",
                    ),
                ),
                (
                    "remote_record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="deliveries", to="syncs.remoterecord"
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="syncs.stream",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="connectors.tenant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SyncRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("counts", models.JSONField(default=dict)),
                ("error", models.TextField(blank=True)),
                (
                    "feed",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="syncs.feed"
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="syncs.stream"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="connectors.tenant"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="UnreadableRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=30)),
                ("remote_id", models.TextField()),
                ("why", models.TextField()),
                ("raw", models.TextField()),
                ("seen_at", models.DateTimeField()),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unreadable_rows",
                        to="connectors.connection",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="connectors.tenant"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="feed",
            index=models.Index(fields=["due_at"], name="syncs_feed_due_at_e85cf6_idx"),
        ),
        migrations.AddIndex(
            model_name="integration",
            index=models.Index(fields=["tenant", "active"], name="syncs_integ_tenant__98c908_idx"),
        ),
        migrations.AddConstraint(
            model_name="integration",
            constraint=models.UniqueConstraint(
                condition=models.Q(("active", True)), fields=("erp",), name="one_active_integration_of_an_erp"
            ),
        ),
        migrations.AddConstraint(
            model_name="integration",
            constraint=models.UniqueConstraint(
                condition=models.Q(("active", True)), fields=("ap_network",), name="one_active_integration_of_a_network"
            ),
        ),
        migrations.AddConstraint(
            model_name="integration",
            constraint=models.CheckConstraint(
                condition=models.Q(("erp", models.F("ap_network")), _negated=True), name="two_different_connections"
            ),
        ),
        migrations.AddConstraint(
            model_name="mapping",
            constraint=models.UniqueConstraint(
                condition=models.Q(("valid_to", None)),
                fields=("tenant", "integration", "subject", "source"),
                name="one_mapping_in_force",
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.UniqueConstraint(
                condition=models.Q(("valid_to", None)),
                fields=("tenant", "integration", "key"),
                name="one_policy_in_force",
            ),
        ),
        migrations.AddIndex(
            model_name="problem",
            index=models.Index(fields=["tenant", "resolved_at"], name="syncs_probl_tenant__5b9d75_idx"),
        ),
        migrations.AddConstraint(
            model_name="problem",
            constraint=models.UniqueConstraint(
                condition=models.Q(("resolved_at", None)),
                fields=("tenant", "code", "cause_key"),
                name="one_open_problem_of_a_cause",
            ),
        ),
        migrations.AddIndex(
            model_name="remoterecord",
            index=models.Index(fields=["tenant", "kind", "number"], name="syncs_remot_tenant__03f97b_idx"),
        ),
        migrations.AddIndex(
            model_name="remoterecord",
            index=models.Index(fields=["tenant", "connection", "kind", "sweep"], name="remote_record_sweep"),
        ),
        migrations.AddIndex(
            model_name="remoterecord",
            index=models.Index(
                condition=models.Q(("key", ""), _negated=True),
                fields=["tenant", "connection", "key"],
                name="remote_record_of_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="remoterecord",
            constraint=models.UniqueConstraint(
                fields=("tenant", "connection", "kind", "remote_id"), name="one_remote_record_of_an_id"
            ),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(
                fields=["tenant", "connection", "target_kind", "target_id"], name="syncs_appli_tenant__735481_idx"
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.UniqueConstraint(
                fields=("tenant", "payment", "place"), name="one_application_at_a_place"
            ),
        ),
        migrations.AddIndex(
            model_name="stream",
            index=models.Index(fields=["due_at"], name="syncs_strea_due_at_61cf6f_idx"),
        ),
        migrations.AddConstraint(
            model_name="stream",
            constraint=models.UniqueConstraint(fields=("tenant", "integration", "kind"), name="one_stream_of_a_kind"),
        ),
        migrations.AddIndex(
            model_name="syncrecord",
            index=models.Index(
                fields=["tenant", "stream", "state", "next_attempt_at"], name="syncs_syncr_tenant__ac1f00_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="syncrecord",
            index=models.Index(fields=["tenant", "stream", "target_id"], name="syncs_syncr_tenant__765e51_idx"),
        ),
        migrations.AddIndex(
            model_name="syncrecord",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["tenant", "waiting_kind", "waiting_id"],
                name="sync_record_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="syncrecord",
            constraint=models.UniqueConstraint(
                fields=("tenant", "stream", "remote_record"), name="one_delivery_of_a_record"
            ),
        ),
        migrations.AddConstraint(
            model_name="syncrecord",
            constraint=models.UniqueConstraint(fields=("tenant", "stream", "record_key"), name="one_delivery_of_a_key"),
        ),
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(fields=["tenant", "started_at"], name="syncs_syncr_tenant__5123a3_idx"),
        ),
        migrations.AddConstraint(
            model_name="unreadablerow",
            constraint=models.UniqueConstraint(
                fields=("tenant", "connection", "kind", "remote_id"), name="one_unreadable_row_of_an_id"
            ),
        ),
    ]


TABLES = (
    "integration",
    "feed",
    "stream",
    "remoterecord",
    "syncrecord",
    "application",
    "problem",
    "mapping",
    "policy",
    "syncrun",
    "unreadablerow",
)

Migration.operations += [
    *(operation for name in TABLES for operation in tenant_policy(f"syncs_{name}")),
    *partitioned(
        "syncs_remote_revision",
        """
        tenant_id bigint NOT NULL,
        remote_record_id bigint NOT NULL,
        revision integer NOT NULL,
        version text NOT NULL,
        fingerprint text NOT NULL,
        gone text NOT NULL,
        observed_at timestamptz NOT NULL,
        trace_id text NOT NULL,
        body json NOT NULL
        """,
    ),
    *append_only("syncs_remote_revision"),
    *tenant_policy("syncs_remote_revision"),
    *partitioned(
        "syncs_attempt",
        """
        tenant_id bigint NOT NULL,
        sync_record_id bigint NOT NULL,
        revision integer NOT NULL,
        action text NOT NULL,
        record_key text NOT NULL,
        request_key text NOT NULL,
        batch text NOT NULL,
        place integer NOT NULL,
        delivery_fingerprint text NOT NULL,
        body_hash text NOT NULL,
        body json NOT NULL,
        context json NOT NULL,
        link_id text NOT NULL,
        link_version text NOT NULL,
        fence bigint NOT NULL,
        trace_id text NOT NULL,
        started_at timestamptz NOT NULL,
        deadline timestamptz NOT NULL,
        ended_at timestamptz,
        outcome text NOT NULL,
        code text NOT NULL,
        message text NOT NULL,
        exchange_id bigint
        """,
    ),
    *tenant_policy("syncs_attempt"),
    migrations.RunSQL(
        """
        CREATE INDEX syncs_remote_revision_record ON syncs_remote_revision (tenant_id, remote_record_id);
        CREATE INDEX syncs_attempt_record ON syncs_attempt (tenant_id, sync_record_id);
        """,
        "DROP INDEX syncs_remote_revision_record; DROP INDEX syncs_attempt_record;",
    ),
]
