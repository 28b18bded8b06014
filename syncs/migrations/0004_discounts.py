"""An account can be mapped for discounts taken; only the wording of the choices changes, no row does."""

from django.db import migrations, models

SUBJECTS = (
    ("funding_account", "bank account that payments are posted to, by method"),
    ("in_transit", "payments in transit"),
    ("discount", "discounts taken"),
)


class Migration(migrations.Migration):
    dependencies = (("syncs", "0003_streams_of_every_kind"),)

    operations = (migrations.AlterField("mapping", "subject", models.CharField(choices=SUBJECTS, max_length=40)),)
