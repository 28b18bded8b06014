from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0002_webhooks_and_expiries"),
    ]

    operations = [
        migrations.AddField(
            model_name="budget",
            name="part_of",
            field=models.CharField(blank=True, db_default="", max_length=30),
        ),
        migrations.AddIndex(
            model_name="budget",
            index=models.Index(
                condition=models.Q(("part_of", ""), _negated=True),
                fields=["tenant", "part_of", "filled_at"],
                name="parts_of_a_budget",
            ),
        ),
    ]
