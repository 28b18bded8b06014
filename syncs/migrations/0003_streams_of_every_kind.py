"""Integrations that were paired before every kind flowed get the streams that they lack."""

from django.db import migrations

KINDS = "'dimension', 'purchase_order', 'credit', 'image'"
LACKING = f"""
INSERT INTO syncs_stream (tenant_id, integration_id, kind, due_at, holder, fence, failures, paused, leases_lost)
SELECT i.tenant_id, i.id, kinds.kind, NULL, '', 0, 0, false, 0
FROM syncs_integration i CROSS JOIN unnest(ARRAY[{KINDS}]) AS kinds (kind)
ON CONFLICT (tenant_id, integration_id, kind) DO NOTHING
"""
UNUSED = f"""
DELETE FROM syncs_stream s WHERE s.kind IN ({KINDS})
  AND NOT EXISTS (SELECT FROM syncs_syncrecord r WHERE r.stream_id = s.id)
  AND NOT EXISTS (SELECT FROM syncs_syncrun r WHERE r.stream_id = s.id)
"""


class Migration(migrations.Migration):
    dependencies = (("syncs", "0002_schedules_and_runs"),)

    operations = (migrations.RunSQL(LACKING, UNUSED),)
