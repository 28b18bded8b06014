"""Secrets at rest: a field that encrypts JSON, and the rotation of everything that it holds.

Keys come from FERNET_KEYS: the first encrypts, all decrypt. To rotate, put the new key first, restart every process,
run `manage.py rotate_credentials`, then take the old key out.
"""

from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.fernet import InvalidToken, MultiFernet
from django.apps import apps
from django.core.exceptions import FieldError
from django.db import connection
from fernet_fields import EncryptedField

UNREADABLE = (
    "The stored credentials are incomplete or cannot be read with today's keys: enter them again, "
    "or put the old key back into FERNET_KEYS."
)


class Undecryptable(dict[str, Any]):
    """What a row shows whose secret cannot be read with today's keys: empty, so that a list page still opens.

    Saved again, it is written back as it was found: the right key still reads it.
    """

    def __init__(self, found: bytes) -> None:
        super().__init__()
        self.found = found


class EncryptedJSONField(EncryptedField):  # type: ignore[misc]
    """A small JSON object, encrypted whole; it can be replaced, not searched, sorted or computed with."""

    description = "Encrypted JSON object"

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any = None) -> Any: ...

        def __set__(self, instance: object, value: dict[str, Any]) -> None: ...

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if hasattr(value, "resolve_expression") or hasattr(value, "as_sql"):
            raise FieldError(f"{self.name} is encrypted: assign a value and save(), no expressions or bulk_update().")
        if value is None:
            return None
        if isinstance(value, Undecryptable):
            return connection.Database.Binary(value.found)
        return connection.Database.Binary(self.fernet.encrypt(msgspec.json.encode(value)))

    def from_db_value(self, value: Any, expression: Any, connection: Any, *args: Any) -> Any:
        if value is None:
            return None
        try:
            return msgspec.json.decode(self.fernet.decrypt(bytes(value)))
        except (InvalidToken, msgspec.DecodeError):
            return Undecryptable(bytes(value))


def rotate() -> int:
    """Encrypt every secret with the first key again, row by row; how many were rotated.

    Raises InvalidToken when a secret cannot be read with any of today's keys: nothing of that row is changed.
    """
    rotated = 0
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedJSONField):
                rotated += _rotate_column(model._meta.db_table, field)
    return rotated


def _rotate_column(table: str, field: EncryptedJSONField) -> int:
    keys = MultiFernet(field.fernet._fernets) if hasattr(field.fernet, "_fernets") else MultiFernet([field.fernet])
    rotated = 0
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT id, "{field.column}" FROM "{table}" WHERE "{field.column}" IS NOT NULL ORDER BY id')
        for row_id, secret in cursor.fetchall():
            cursor.execute(
                f'UPDATE "{table}" SET "{field.column}" = %s WHERE id = %s AND "{field.column}" = %s',
                [keys.rotate(bytes(secret)), row_id, bytes(secret)],
            )
            rotated += cursor.rowcount
    return rotated
