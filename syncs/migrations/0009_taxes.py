"""An account can be mapped for the tax on bills; only the wording of the choices changes, no row does."""

from django.db import migrations, models

SUBJECTS = (
    ("funding_account", "bank account that payments are posted to, by method"),
    ("in_transit", "payments in transit"),
    ("discount", "discounts taken"),
    ("tax", "tax on bills and credits"),
    ("code", "account or dimension that the AP network has under a code of its own"),
)


class Migration(migrations.Migration):
    dependencies = (("syncs", "0008_files_of_a_bill"),)

    operations = (migrations.AlterField("mapping", "subject", models.CharField(choices=SUBJECTS, max_length=40)),)
