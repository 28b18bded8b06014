"""The tree keeps its rules, and each rule notices when it is broken."""

import re
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from statistics import median

import pytest

from tests import architecture
from tests.architecture import PACKAGES, RULES, Code

ROOT = Path(__file__).resolve().parent.parent
Rule = Callable[[Code], Iterator[str]]


@pytest.fixture(scope="module")
def ours() -> Code:
    return Code(ROOT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_code_keeps_the_rule(rule: Rule, ours: Code) -> None:
    assert sorted(rule(ours)) == []


def test_the_median_module_is_short(ours: Code) -> None:
    assert median(module.source.count("\n") for module in ours.modules.values()) < 120


def test_whatever_the_product_imports_is_installed_with_it(ours: Code) -> None:
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    brought_by = packages_distributions()
    imports = {name.split(".")[0] for module in ours.modules.values() for name in module.imports(loaded_only=True)}
    missing = {
        name
        for name in imports & brought_by.keys() - {*PACKAGES, "tests"}
        if not pinned & {re.sub("[-_.]+", "-", one).lower() for one in brought_by[name]}
    }
    assert missing == set()


BREAKING: dict[str, tuple[Rule, str]] = {
    "audit/log.py": (architecture.imports_to_the_left, "from connectors.records import Money"),
    "connectors/somewhere/connector.py": (architecture.what_providers_may_not_import, "from connectors import http"),
    "connectors/somewhere/client.py": (architecture.what_providers_may_not_import, "from .. import services"),
    "connectors/somewhere/mapping.py": (architecture.impurities, "from connectors import http"),
    "connectors/services.py": (architecture.misused_simulators, "import connectors.somewhere.simulator"),
    "connectors/somewhere/simulator.py": (architecture.misused_simulators, "from connectors.somewhere import mapping"),
    "syncs/plan.py": (architecture.names_of_providers, "SPECIAL = {'Somewhere'}"),
    "syncs/claim.py": (architecture.readings_of_time_and_chance, "SQL = 'UPDATE x SET at = NOW() '"),
    "syncs/wait.py": (architecture.readings_of_time_and_chance, "from time import monotonic"),
    "syncs/seen.py": (architecture.readings_of_time_and_chance, "def f():\n    return timezone.now()"),
    "syncs/models.py": (architecture.readings_of_time_and_chance, "at = DateTimeField(auto_now=True)"),
    "syncs/long.py": (architecture.long_modules, "x = 1\n" * 301),
    "syncs/wide.py": (architecture.long_functions, "def f():\n" + "    x = 1\n" * 40),
    "connectors/somewhere/wire.py": (architecture.large_providers, "x = 1\n" * 1200),
    "syncs/money.py": (architecture.floats_where_money_is, "amount = float('1.10')"),
    "syncs/deliver.py": (architecture.careless_catching, "try:\n    x\nexcept Exception:\n    pass"),
    "syncs/utils.py": (architecture.nondescript_names, ""),
}


@pytest.mark.parametrize("path", BREAKING)
def test_a_rule_notices_code_that_breaks_it(path: str, tmp_path: Path) -> None:
    rule, source = BREAKING[path]
    sound = {
        "connectors/records.py": "",
        "connectors/http.py": "import httpx, connectors.store",
        "connectors/store.py": "from django.db import models",
        "connectors/services.py": "",
        "connectors/somewhere/__init__.py": "",
        "connectors/somewhere/connector.py": "from connectors.records import Money\nfrom .mapping import decode",
        "connectors/somewhere/mapping.py": "def decode():\n    return clock.now()",
        "connectors/somewhere/simulator.py": "from connectors import clock",
        "connectors/clock.py": "import time",
    }
    for name, text in sound.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert list(rule(Code(tmp_path))) == []
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(source)
    assert list(rule(Code(tmp_path))) != []


def test_a_long_module_may_say_why(tmp_path: Path) -> None:
    (tmp_path / "syncs").mkdir()
    (tmp_path / "syncs" / "long.py").write_text('"""Does much.\n\nSize: one table.\n"""\n' + "x = 1\n" * 301)
    assert list(architecture.long_modules(Code(tmp_path))) == []
