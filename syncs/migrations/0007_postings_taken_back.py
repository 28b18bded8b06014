"""Which postings of ours are taken back so that their payment is posted anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("syncs", "0006_decisions_and_stopped_invoices"),
    ]

    operations = [
        migrations.AddField(
            model_name="syncrecord",
            name="taken_back",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]
