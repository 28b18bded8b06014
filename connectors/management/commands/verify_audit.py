"""`manage.py verify_audit`: are the events as they were sealed?"""

import argparse
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.examine import Examination
from audit.export import examine_export, write_export
from audit.verify import examine, read_chain, tenants_to_verify
from connectors.models import Tenant
from connectors.reality import present


class Command(BaseCommand):
    help = "Recomputes the seals of the audit and says what is wrong; the exit status is 1 if anything is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", type=tenant_number, help="only this tenant; 0 is the installation itself")
        parser.add_argument("--export", type=Path, metavar="FILE", help="also write its events and seals there")
        parser.add_argument("--file", type=Path, metavar="FILE", help="verify such a file instead of the database")

    def handle(self, *, tenant: int | None, export: Path | None, file: Path | None, **options: object) -> None:
        if file and (export or tenant is not None):
            raise CommandError("--file verifies a file, which says itself whose it is: leave out --tenant and --export")
        if export and tenant is None:
            raise CommandError("--export writes the events of one tenant: say which with --tenant")
        try:
            if tenant and tenant not in tenants_to_verify() and not Tenant.objects.filter(pk=tenant).exists():
                raise CommandError(f"There is no tenant {tenant}: leave --tenant out to verify every one.")
            examinations = [examine_file(file)] if file else examine_database(tenant)
            if export and tenant is not None:
                with export.open("w", encoding="utf-8") as stream:
                    write_export(tenant, read_chain(tenant), stream)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        self.report(examinations)

    def report(self, examinations: list[Examination]) -> None:
        findings = [finding for examination in examinations for finding in examination.findings]
        for line in (*(examination.summary() for examination in examinations), *findings):
            self.stdout.write(str(line))
        if findings:
            raise CommandError(f"{len(findings)} findings: the audit is not whole")
        self.stdout.write("the audit is whole")


def tenant_number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no tenant: give its number, 0 for the installation")
    return int(text)


def examine_file(path: Path) -> Examination:
    with path.open(encoding="utf-8", errors="replace") as stream:
        return examine_export(stream)


def examine_database(tenant_id: int | None) -> list[Examination]:
    now = present().now()
    return [examine(each, now=now) for each in (tenants_to_verify() if tenant_id is None else [tenant_id])]
