"""A mapping may say which code of the AP network stands for an account or dimension; the columns stay as they are."""

from django.db import migrations, models

SUBJECTS = (
    ("funding_account", "bank account that payments are posted to, by method"),
    ("in_transit", "payments in transit"),
    ("discount", "discounts taken"),
    ("code", "account or dimension that the AP network has under a code of its own"),
)
SOURCE = "The payment method, or * for every other; or a kind and id in the ERP."
TARGET = "The account's id in the ERP; of a code, its id at the AP network."


class Migration(migrations.Migration):
    dependencies = (("syncs", "0004_discounts"),)

    operations = (
        migrations.AlterField("mapping", "source", models.TextField(help_text=SOURCE)),
        migrations.AlterField("mapping", "subject", models.CharField(choices=SUBJECTS, max_length=40)),
        migrations.AlterField("mapping", "target", models.TextField(help_text=TARGET)),
    )
