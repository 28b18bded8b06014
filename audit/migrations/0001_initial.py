from django.db import migrations, models

from audit import models as audit
from audit.schema import append_only, partitioned, tenant_policy

EVENT = """
    tenant_id bigint CHECK (tenant_id > 0),
    at timestamptz NOT NULL,
    verb text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    actor text NOT NULL,
    why text NOT NULL,
    trace_id text NOT NULL,
    data json NOT NULL
"""

# A subject and a trace are looked for without knowing the tenant, hence indexes of their own.
EVENT_INDEXES = """
    CREATE INDEX audit_event_tenant ON audit_event (tenant_id, id);
    CREATE INDEX audit_event_subject ON audit_event (subject_id);
    CREATE INDEX audit_event_trace ON audit_event (trace_id) WHERE trace_id <> '';
"""

# An event's place may be written once; what is numbered is as final as the event.
EVENT_ORDER = """
    CREATE TABLE audit_eventorder (
        event_id bigint PRIMARY KEY,
        tenant_id bigint NOT NULL,
        transaction_id bigint NOT NULL,
        number bigint CHECK (number > 0),
        digest bytea CHECK ((digest IS NULL) = (number IS NULL)),
        UNIQUE (tenant_id, number)
    );
    CREATE INDEX audit_eventorder_unnumbered ON audit_eventorder (tenant_id, event_id) WHERE number IS NULL;
    CREATE TRIGGER refuse_change BEFORE UPDATE ON audit_eventorder FOR EACH ROW
        WHEN (old.number IS NOT NULL OR old.event_id <> new.event_id OR old.tenant_id <> new.tenant_id)
        EXECUTE FUNCTION mlconnector_refuse();
    CREATE TRIGGER refuse_delete BEFORE DELETE ON audit_eventorder FOR EACH ROW EXECUTE FUNCTION mlconnector_refuse();
    CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit_eventorder EXECUTE FUNCTION mlconnector_refuse();
"""

SEAL = """
    CREATE TABLE audit_seal (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant_id bigint NOT NULL,
        number bigint NOT NULL,
        first bigint NOT NULL,
        last bigint NOT NULL,
        count bigint NOT NULL,
        at timestamptz NOT NULL,
        root_hash text NOT NULL,
        previous_hash text NOT NULL,
        hash text NOT NULL,
        UNIQUE (tenant_id, number)
    );
"""

SEALING = """
    CREATE TABLE audit_sealing (
        tenant_id bigint PRIMARY KEY,
        holder text NOT NULL,
        fence bigint NOT NULL,
        until timestamptz NOT NULL
    );
"""


MODELS = [
    migrations.CreateModel(
        name="Event",
        fields=[
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            (
                "tenant_id",
                models.BigIntegerField(help_text="Empty for what concerns the whole installation.", null=True),
            ),
            ("at", models.DateTimeField()),
            ("verb", models.TextField()),
            ("subject_kind", models.TextField()),
            ("subject_id", models.TextField()),
            ("actor", models.TextField(help_text='"system" or the name of a person.')),
            ("why", models.TextField(blank=True, help_text="The person's reason.")),
            ("trace_id", models.TextField(blank=True)),
            ("data", audit.WrittenJSON()),
        ],
        options={"db_table": "audit_event"},
    ),
    migrations.CreateModel(
        name="EventOrder",
        fields=[
            ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
            ("tenant_id", models.BigIntegerField(help_text="0 for the installation.")),
            ("transaction_id", models.BigIntegerField(help_text="The transaction that wrote the event.")),
            ("number", models.BigIntegerField(null=True)),
            (
                "digest",
                models.BinaryField(help_text="Of the event as it was when it got its number.", null=True),
            ),
        ],
        options={"db_table": "audit_eventorder"},
    ),
    migrations.CreateModel(
        name="Seal",
        fields=[
            ("id", models.BigAutoField(primary_key=True, serialize=False)),
            ("tenant_id", models.BigIntegerField(help_text="0 for the installation.")),
            ("number", models.BigIntegerField()),
            ("first", models.BigIntegerField(help_text="Number of the first event.")),
            ("last", models.BigIntegerField(help_text="Number of the last event.")),
            ("count", models.BigIntegerField()),
            ("root_hash", models.TextField()),
            ("previous_hash", models.TextField()),
            ("hash", models.TextField()),
            ("at", models.DateTimeField()),
        ],
        options={"db_table": "audit_seal"},
    ),
    migrations.CreateModel(
        name="Sealing",
        fields=[
            (
                "tenant_id",
                models.BigIntegerField(help_text="0 for the installation.", primary_key=True, serialize=False),
            ),
            ("holder", models.TextField()),
            ("fence", models.BigIntegerField()),
            ("until", models.DateTimeField()),
        ],
        options={"db_table": "audit_sealing"},
    ),
]


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=MODELS),
        *partitioned("audit_event", EVENT),
        migrations.RunSQL(EVENT_INDEXES, migrations.RunSQL.noop),
        *tenant_policy("audit_event"),
        *append_only("audit_event"),
        migrations.RunSQL(EVENT_ORDER, "DROP TABLE audit_eventorder;"),
        *tenant_policy("audit_eventorder"),
        migrations.RunSQL(SEAL, "DROP TABLE audit_seal;"),
        *tenant_policy("audit_seal"),
        *append_only("audit_seal"),
        migrations.RunSQL(SEALING, "DROP TABLE audit_sealing;"),
        *tenant_policy("audit_sealing", readable_by_tenant=False),
    ]
