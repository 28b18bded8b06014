"""Files are found by the bill that they are attached to; the index is built while everything goes on."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("syncs", "0007_postings_taken_back")]

    operations = [
        AddIndexConcurrently(
            model_name="remoterecord",
            index=models.Index(
                condition=models.Q(("kind", "image")),
                fields=["tenant", "connection", "party_id"],
                name="remote_record_files_of",
            ),
        ),
    ]
