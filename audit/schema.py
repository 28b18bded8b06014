"""What the database itself guards: who sees which rows, what is never changed, and where old rows can be dropped.

Migrations of all apps put these operations beside the tables they make. A trigger here refuses; none decides anything,
and none reads the time.
"""

from django.conf import settings
from django.db.migrations import RunSQL

SPAN = 10_000_000  # ids in one partition


def tenant_policy(table: str, *, tenant_column: str = "tenant_id", readable_by_tenant: bool = True) -> list[RunSQL]:
    """Row-level security: workers and the owner see every row, the tenant role those of its tenants and never writes.

    The tenants are the ids in the setting `mlconnector.tenants`, separated by commas; without it there are none. They
    are read once a statement, so that an index on the column is used.
    """
    tenants = "(SELECT string_to_array(current_setting('mlconnector.tenants', true), ',')::bigint[])::bigint[]"
    grant = f"GRANT SELECT ON {table} TO {settings.TENANT_ROLE};" if readable_by_tenant else ""
    return [
        RunSQL(
            f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY owner ON {table} TO CURRENT_USER USING (true) WITH CHECK (true);
            CREATE POLICY work ON {table} TO {settings.WORK_ROLE} USING (true) WITH CHECK (true);
            CREATE POLICY tenant ON {table} FOR SELECT TO {settings.TENANT_ROLE}
                USING ({tenant_column} = ANY ({tenants}));
            {grant}
            """,
            f"""
            REVOKE ALL ON {table} FROM {settings.TENANT_ROLE};
            DROP POLICY tenant ON {table}; DROP POLICY work ON {table}; DROP POLICY owner ON {table};
            ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
            """,
        )
    ]


def append_only(table: str) -> list[RunSQL]:
    """Refuses UPDATE, DELETE and TRUNCATE to everybody, the owner included; dropping a partition stays possible.

    For a partitioned table this comes after `partitioned`: row triggers reach partitions by themselves, the trigger on
    TRUNCATE is put on each, now and when one is added.
    """
    parts = f"""
        SELECT '{table}'::regclass AS part UNION
        SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = '{table}'::regclass
    """
    return [
        RunSQL(
            f"""
            {REFUSE}
            CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION mlconnector_refuse();
            DO $$
            DECLARE part regclass;
            BEGIN
                FOR part IN {parts} LOOP
                    EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s '
                                   'EXECUTE FUNCTION mlconnector_refuse()', part);
                END LOOP;
            END $$;
            """,
            f"""
            DROP TRIGGER refuse_change ON {table};
            DO $$
            DECLARE part regclass;
            BEGIN
                FOR part IN {parts} LOOP
                    EXECUTE format('DROP TRIGGER refuse_truncate ON %s', part);
                END LOOP;
            END $$;
            """,
        )
    ]


def partitioned(table: str, columns_sql: str, *, span: int = SPAN) -> list[RunSQL]:
    """Makes a table with a bigint `id` of its own sequence, partitioned by ranges of that id, and its first partitions.

    `columns_sql` is what stands between the parentheses besides the id. A unique constraint has to contain the id.
    Partitions ahead of need are made by `SELECT mlconnector_extend_partitions()`, which workers may call.
    """
    return [
        RunSQL(
            f"""
            {EXTEND}
            CREATE SEQUENCE {table}_id_seq;
            CREATE TABLE {table} (
                id bigint NOT NULL DEFAULT nextval('{table}_id_seq') PRIMARY KEY,
                {columns_sql}
            ) PARTITION BY RANGE (id);
            ALTER SEQUENCE {table}_id_seq OWNED BY {table}.id;
            INSERT INTO mlconnector_partitioned VALUES ('{table}', 0, {span});
            SELECT mlconnector_extend_partitions();
            """,
            f"""
            DELETE FROM mlconnector_partitioned WHERE table_name = '{table}';
            DROP TABLE {table};
            """,
        )
    ]


REFUSE = """
    CREATE OR REPLACE FUNCTION mlconnector_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% keeps what was once written: % is refused.', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END $$;
"""

# A partition is made beside its table and then attached, because that lets readers and writers go on. Nobody but the
# owner may use one directly: the policies of the table do not hold there.
EXTEND = f"""
    CREATE TABLE IF NOT EXISTS mlconnector_partitioned (
        table_name text PRIMARY KEY,
        next_id bigint NOT NULL,
        span bigint NOT NULL
    );
    REVOKE ALL ON mlconnector_partitioned FROM {settings.WORK_ROLE};
    CREATE OR REPLACE FUNCTION mlconnector_extend_partitions() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        entry record;
        part text;
        last bigint;
        made integer := 0;
    BEGIN
        FOR entry IN SELECT * FROM mlconnector_partitioned ORDER BY table_name FOR UPDATE LOOP
            last := coalesce(pg_sequence_last_value(pg_get_serial_sequence(entry.table_name, 'id')::regclass), 0);
            WHILE entry.next_id < (last / entry.span + 2) * entry.span LOOP
                part := format('%s_from_%s', entry.table_name, entry.next_id);
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, entry.table_name);
                EXECUTE format('REVOKE ALL ON %I FROM {settings.WORK_ROLE}, {settings.TENANT_ROLE}', part);
                EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                               entry.table_name, part, entry.next_id, entry.next_id + entry.span);
                IF EXISTS (SELECT FROM pg_trigger
                           WHERE tgrelid = entry.table_name::regclass AND tgname = 'refuse_truncate') THEN
                    EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I '
                                   'EXECUTE FUNCTION mlconnector_refuse()', part);
                END IF;
                entry.next_id := entry.next_id + entry.span;
                UPDATE mlconnector_partitioned SET next_id = entry.next_id WHERE table_name = entry.table_name;
                made := made + 1;
            END LOOP;
        END LOOP;
        RETURN made;
    END $$;
    REVOKE ALL ON FUNCTION mlconnector_extend_partitions() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION mlconnector_extend_partitions() TO {settings.WORK_ROLE};
"""
