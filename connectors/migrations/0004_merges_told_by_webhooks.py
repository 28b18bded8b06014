from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0003_shares_of_a_budget"),
    ]

    operations = [
        migrations.AddField(
            model_name="hint",
            name="merged_into",
            field=models.TextField(blank=True, db_default=""),
        ),
    ]
