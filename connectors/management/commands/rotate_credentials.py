"""`manage.py rotate_credentials`: every secret encrypted under the first key of FERNET_KEYS."""

from getpass import getuser
from typing import Any

from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from audit.log import NewEvent, record
from connectors.reality import present
from connectors.vault import rotate


class Command(BaseCommand):
    """All of them or none; says how many, after which the old key may be taken out."""

    help = "Encrypt every stored credential and token again with the first key of FERNET_KEYS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--by", default="", help="who is doing this, for the audit; the login name by default")

    def handle(self, *args: Any, **options: Any) -> None:
        by, now = options["by"] or getuser(), present().now()
        try:
            with transaction.atomic():
                rotated = rotate()
                record(
                    [
                        NewEvent(
                            tenant_id=None,
                            at=now,
                            verb="credentials_rotated",
                            subject_kind="installation",
                            subject_id="",
                            actor=by,
                            data={"secrets": rotated},
                        )
                    ]
                )
        except InvalidToken as error:
            raise CommandError(
                "A secret cannot be read with any of today's keys, so nothing was changed. Put the key that it was "
                "encrypted with back into FERNET_KEYS, behind the new one, and run this again."
            ) from error
        self.stdout.write(f"{rotated} secrets are encrypted under the first key. The old keys can be taken out now.")
