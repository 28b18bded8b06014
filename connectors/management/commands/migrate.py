"""Migrations run as the owner of the tables and leave rights behind that suffice for workers and tenants.

Three roles: the one that signs in owns everything; workers are `work`, which may change rows but no table; the API and
finance pages are `tenant`, which may read what a table's migration grants it, of its tenants' rows.
"""

from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.commands import migrate
from django.db import DatabaseError, connections, transaction
from django.db.backends.utils import CursorWrapper


class Command(migrate.Command):
    def execute(self, *args: Any, **options: Any) -> str | None:
        """Lays the assumed role down for the whole command, since its checks connect before it starts its work."""
        connection = connections[options["database"]]
        role = connection.settings_dict["OPTIONS"].pop("assume_role", None)
        try:
            with connection.cursor() as cursor:
                cursor.execute("RESET ROLE")
                prepare_roles(cursor)
            output = super().execute(*args, **options)
            call_command("createcachetable", database=options["database"], verbosity=0)
            return output
        finally:
            if role:
                connection.settings_dict["OPTIONS"]["assume_role"] = role
                if connection.is_usable():
                    with connection.cursor() as cursor:
                        cursor.execute(f"SET ROLE {role}")


def prepare_roles(cursor: CursorWrapper) -> None:
    """Makes the two roles if need be, lets the signed-in user become them, and gives `work` its rights on tables."""
    for role in (settings.WORK_ROLE, settings.TENANT_ROLE):
        if not _may_become(cursor, role):
            _add_role(cursor, role)
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() == (True,):
            raise CommandError(
                f"Row-level security does not hold for {role}. Run: ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS"
            )
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    cursor.execute("SELECT FROM pg_default_acl WHERE defaclrole = current_user::regrole AND defaclobjtype = 'r'")
    if cursor.fetchone() is None:
        for rights, things in (("SELECT, INSERT, UPDATE, DELETE", "TABLES"), ("USAGE, SELECT", "SEQUENCES")):
            cursor.execute(f"GRANT {rights} ON ALL {things} IN SCHEMA public TO {settings.WORK_ROLE}")
            cursor.execute(f"ALTER DEFAULT PRIVILEGES GRANT {rights} ON {things} TO {settings.WORK_ROLE}")


def _may_become(cursor: CursorWrapper, role: str) -> bool:
    right = "SET" if _version(cursor) >= 160_000 else "MEMBER"
    cursor.execute(f"SELECT pg_has_role(current_user, oid, '{right}') FROM pg_roles WHERE rolname = %s", [role])
    return bool(cursor.fetchone() == (True,))


def _add_role(cursor: CursorWrapper, role: str) -> None:
    """A second try finds what another database of the same server, migrated at the same time, has made meanwhile."""
    for is_last_try in (False, True):
        cursor.execute("SELECT current_user, EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role])
        user, exists = cursor.fetchone()
        statements = [] if exists else [f"CREATE ROLE {role} NOLOGIN NOBYPASSRLS"]
        statements += [
            f'GRANT {role} TO "{user}"' + (" WITH SET TRUE, INHERIT FALSE" if _version(cursor) >= 160_000 else "")
        ]
        try:
            with transaction.atomic(using=cursor.db.alias):
                for statement in statements:
                    cursor.execute(statement)
            return
        except DatabaseError as error:
            if is_last_try and not _may_become(cursor, role):
                raise CommandError(
                    f"The database user {user} may not make the role {role} ({str(error).splitlines()[0]}). "
                    "Let a superuser run:\n" + "".join(f"{statement};\n" for statement in statements)
                ) from None


def _version(cursor: CursorWrapper) -> int:
    cursor.execute("SELECT current_setting('server_version_num')::int")
    return int(cursor.fetchone()[0])
