"""Tenant: a customer company."""

from django.db import models


class Tenant(models.Model):
    """A customer company whose accounts payable we keep in step."""

    name = models.CharField(max_length=200, unique=True, help_text="The customer's name, as people call it.")
    time_zone = models.CharField(
        max_length=64, default="America/New_York", help_text="For schedules and dates, e.g. America/Chicago."
    )
    email = models.CharField(
        "e-mail",
        max_length=500,
        blank=True,
        help_text="Who is told before a sign-in ends; several addresses with commas between.",
    )
    active = models.BooleanField(
        default=True, help_text="An inactive tenant keeps everything, and nothing is sent or read."
    )

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
