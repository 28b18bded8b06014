"""What people decide about deliveries, invoices that stand still at the network, and payments to be fetched again."""

import django.db.models.deletion
from django.db import migrations, models

from audit.schema import tenant_policy


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0002_webhooks_and_expiries"),
        ("syncs", "0005_codes_of_the_network"),
    ]

    operations = [
        migrations.AddField(
            model_name="problem",
            name="left_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="problem",
            name="left_by",
            field=models.TextField(blank=True, db_default=""),
        ),
        migrations.AddField(
            model_name="problem",
            name="left_facts",
            field=models.TextField(blank=True, db_default=""),
        ),
        migrations.AddField(
            model_name="problem",
            name="left_why",
            field=models.TextField(blank=True, db_default=""),
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("link", "linked to a payment of the ERP"),
                            ("bill", "an invoice linked to its bill"),
                            ("vendor", "linked to a vendor that is there"),
                            ("post", "posted anyway"),
                        ],
                        max_length=20,
                    ),
                ),
                ("source_id", models.TextField(blank=True)),
                ("target_id", models.TextField(blank=True)),
                ("bills", models.JSONField(default=list)),
                ("money", models.TextField(blank=True)),
                ("code", models.CharField(blank=True, max_length=60)),
                ("reason", models.TextField(blank=True)),
                ("revision", models.IntegerField(default=0)),
                ("decided_by", models.TextField()),
                ("why", models.TextField()),
                ("decided_at", models.DateTimeField()),
                ("confirmed_by", models.TextField(blank=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "sync_record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="decisions", to="syncs.syncrecord"
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
            options={
                "ordering": ("-decided_at", "-id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["tenant", "what", "target_id"],
                        name="decision_of_target",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["tenant", "what", "source_id"],
                        name="decision_of_source",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None), models.Q(("what", "post"), _negated=True)),
                        fields=("tenant", "sync_record", "what", "source_id"),
                        name="one_decision_in_force",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reread",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField()),
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
                    "remote_record",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="syncs.remoterecord"
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
            options={
                "indexes": [models.Index(fields=["tenant", "connection", "due_at"], name="reread_due")],
            },
        ),
        migrations.CreateModel(
            name="StoppedInvoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("status", models.TextField()),
                ("since", models.DateTimeField()),
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
                    "problem",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="stopped_invoices",
                        to="syncs.problem",
                    ),
                ),
                (
                    "remote_record",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="stopped", to="syncs.remoterecord"
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
            options={
                "indexes": [models.Index(fields=["tenant", "connection"], name="stopped_invoice_of")],
            },
        ),
    ]


# A payment that is known already is fetched again at once, in its turn; from then on it has its own times.
KNOWN = """
INSERT INTO syncs_reread (tenant_id, connection_id, remote_record_id, due_at)
SELECT r.tenant_id, r.connection_id, r.id, r.seen_at FROM syncs_remoterecord r
WHERE r.kind = 'payment' AND r.gone = '' AND r.status IN ('pending', 'executed')
  AND r.connection_id IN (SELECT ap_network_id FROM syncs_integration)
"""

Migration.operations += [
    *(operation for name in ("decision", "reread", "stoppedinvoice") for operation in tenant_policy(f"syncs_{name}")),
    migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
]
