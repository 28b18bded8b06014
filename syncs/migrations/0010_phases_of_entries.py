"""Journal entries of ours say in a column what they make of their payment; those read before are told by their key."""

from django.db import migrations

TELL = """
UPDATE syncs_remoterecord
SET status = CASE split_part(key, '/', 2) WHEN 'execution' THEN 'executed' WHEN 'reversal' THEN 'reversed' ELSE '' END
WHERE kind = 'ledger_entry' AND key <> '' AND status = ''
"""
FORGET = "UPDATE syncs_remoterecord SET status = '' WHERE kind = 'ledger_entry' AND status <> ''"


class Migration(migrations.Migration):
    dependencies = (("syncs", "0009_taxes"),)

    operations = (migrations.RunSQL(TELL, FORGET),)
