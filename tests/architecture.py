"""The rules of the tree, as functions from source code to sentences about what breaks them."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGES = ("mlconnector", "syncs", "connectors", "audit")  # each may import itself and what stands to its right
FOR_PROVIDERS = {f"connectors.{name}" for name in ("records", "base", "errors", "http", "oauth", "clock", "simulators")}
PURE = {"connectors.records", "connectors.base", "connectors.errors"}
PURE_IN_PROVIDERS = {"mapping"}
IMPURE = {"django", "httpx", "time", "random", "secrets", "uuid", "os", "connectors.clock", "connectors.http"}
WEB_AND_DATABASE = {"django", "django_q", "unfold", "fernet_fields", "psycopg", "csp"}
DRIVERS = {"demo", "simulate", "simulate_faults", "bench"}  # besides tests, what may import a simulator
TIME_AND_CHANCE = {"time", "random", "secrets"}
TIME_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "urandom", "localdate", "localtime", "Now"}
TIME_SOURCES = {"datetime", "date", "timezone", "uuid", "os", "functions"}  # not a clock that was handed in
TIME_SQL = re.compile(r"\b(now\(\)|current_(timestamp|date|time)\b|(clock|statement|transaction)_timestamp\()", re.I)
WITHOUT_MONEY = {"faults", "client", "simulator_faults"}  # of a provider: seconds to wait are floats
LONGEST_MODULE, LONGEST_FUNCTION, LARGEST_PROVIDER = 300, 40, 1200


@dataclass(frozen=True)
class Module:
    name: str
    path: Path

    @cached_property
    def source(self) -> str:
        return self.path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def docstring(self) -> str:
        return ast.get_docstring(self.tree) or ""

    @property
    def is_simulator(self) -> bool:
        return self.name.split(".")[-1].startswith("simulator")

    @property
    def is_migration(self) -> bool:
        return ".migrations." in self.name

    def imports(self, *, loaded_only: bool = False) -> Iterator[str]:
        """Every dotted name that may be a module, wherever in the file the import stands."""
        package = self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]
        for_types = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ]
        skipped = {id(part) for node in for_types for part in ast.walk(node)} if loaded_only else set()
        for node in ast.walk(self.tree):
            if id(node) in skipped:
                continue
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
                origin = ".".join([*above, *([node.module] if node.module else [])])
                yield origin
                yield from (f"{origin}.{alias.name}" for alias in node.names)

    def texts(self) -> Iterator[tuple[int, str]]:
        """String constants with their lines, docstrings apart."""
        bare = {id(node.value) for node in ast.walk(self.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
                yield node.lineno, node.value


class Code:
    """All modules below a folder, and which imports which."""

    def __init__(self, root: Path) -> None:
        self.modules: dict[str, Module] = {}
        for package in PACKAGES:
            for path in sorted((root / package).rglob("*.py")):
                parts = path.relative_to(root).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                self.modules[name] = Module(name, path)
        self.providers = sorted(path.parent.name for path in (root / "connectors").glob("*/connector.py"))
        self.provider_folders = {f"connectors.{name}": root / "connectors" / name for name in self.providers}

    def of_providers(self) -> Iterator[tuple[str, Module]]:
        for name, module in self.modules.items():
            folder = ".".join(name.split(".")[:2])
            if folder in self.provider_folders:
                yield folder, module

    def direct(self, module: Module, *, loaded_only: bool = False) -> set[str]:
        """What it imports: modules of ours by their names, others by their top level."""
        found = set()
        for name in module.imports(loaded_only=loaded_only):
            if name.split(".")[0] not in PACKAGES:
                found.add(name.split(".")[0])
            elif name in self.modules:
                found.add(name)
        return found - {module.name, "connectors"}  # that package is empty

    def closure(self, module: Module) -> set[str]:
        """What is loaded with it, packages above each module included."""
        found: set[str] = set()
        waiting = [module.name]
        while waiting:
            name = waiting.pop()
            above = {name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)}
            reached = above | (self.direct(self.modules[name], loaded_only=True) if name in self.modules else set())
            waiting += reached - found
            found |= reached
        return found - {module.name}


def imports_to_the_left(code: Code) -> Iterator[str]:
    for module in code.modules.values():
        rank = PACKAGES.index(module.name.split(".")[0])
        for name in code.direct(module):
            if name.split(".")[0] in PACKAGES[:rank]:
                yield f"{module.name} imports {name}, which stands to its left"


def what_providers_may_not_import(code: Code) -> Iterator[str]:
    for folder, module in code.of_providers():
        for name in code.direct(module):
            if name.split(".")[0] in PACKAGES and not is_within(name, folder) and name not in FOR_PROVIDERS:
                yield f"{module.name} imports {name}"
        for name in code.closure(module):
            if name.split(".")[0] in WEB_AND_DATABASE | {"syncs", "audit", "mlconnector"}:
                yield f"{module.name} loads {name}"


def impurities(code: Code) -> Iterator[str]:
    for module in code.modules.values():
        in_provider = any(is_within(module.name, folder) for folder in code.provider_folders)
        named = in_provider and module.name.split(".")[-1] in PURE_IN_PROVIDERS
        if module.name in PURE or named or module.docstring.startswith("Pure"):
            yield from (f"{module.name} is pure and loads {name}" for name in code.closure(module) & IMPURE)


def misused_simulators(code: Code) -> Iterator[str]:
    for module in code.modules.values():
        drives = bool(DRIVERS & set(module.name.split(".")))
        for name in code.direct(module):
            last = name.split(".")[-1]
            if not module.is_simulator and not drives and last.startswith("simulator"):
                yield f"{module.name} imports the simulator {name}"
            is_package = name in code.modules and code.modules[name].path.name == "__init__.py"
            stands_alone = last.startswith(("simulator", "contract")) or is_package or name == "connectors.clock"
            if module.is_simulator and name.split(".")[0] in PACKAGES and not stands_alone:
                yield f"{module.name} stands in for the provider and imports our {name}"


def names_of_providers(code: Code) -> Iterator[str]:
    words = re.compile("|".join(["intuit", "qbo", *code.providers]), re.I)
    for module in code.modules.values():
        if module.name.startswith("syncs") and not DRIVERS & set(module.name.split(".")):
            for number, line in enumerate(module.source.splitlines(), 1):
                if words.search(line):
                    yield f"{module.path}:{number} names a provider: {line.strip()}"


def readings_of_time_and_chance(code: Code) -> Iterator[str]:
    for module in code.modules.values():
        if module.name == "connectors.clock" or module.name.startswith("mlconnector"):
            continue
        for name in code.direct(module) & TIME_AND_CHANCE:
            yield f"{module.name} imports {name}; connectors.clock has time and chance"
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Call)
                and name_of(node.func) in TIME_CALLS
                and root_of(node.func) in TIME_SOURCES | TIME_CALLS
            ):
                yield f"{module.path}:{node.lineno} calls {ast.unparse(node.func)}"
            if isinstance(node, ast.keyword) and (
                node.arg in {"auto_now", "auto_now_add"} or ast.unparse(node.value) in {"timezone.now", "uuid.uuid4"}
            ):
                yield f"{module.path}:{node.value.lineno} takes {node.arg} from time or chance"
        if not module.is_simulator:  # the providers' query languages have words like SQL's
            for line, text in module.texts():
                if TIME_SQL.search(text):
                    yield f"{module.path}:{line} asks SQL for the time"


def long_modules(code: Code) -> Iterator[str]:
    for module in code.modules.values():
        lines = module.source.count("\n")
        says_why = any(line.startswith("Size:") for line in module.docstring.splitlines())
        if lines > LONGEST_MODULE and not says_why and not module.is_migration:
            yield f"{module.name} has {lines} lines and its docstring no line that begins with Size: and says why"


def long_functions(code: Code) -> Iterator[str]:
    for module in code.modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > LONGEST_FUNCTION and not module.is_migration:
                    yield f"{module.path}:{node.lineno} {node.name} has {lines} lines"


def large_providers(code: Code) -> Iterator[str]:
    """A folder's code without samples, simulator and data files; what reads a data file's shape counts as data."""
    sizes = dict.fromkeys(code.provider_folders, 0)
    says_why = set()
    for folder, module in code.of_providers():
        last = module.name.split(".")[-1]
        if last == "connector" and any(line.startswith("Size:") for line in module.docstring.splitlines()):
            says_why.add(folder)
        if not module.is_simulator and "samples" not in module.name.split(".") and not last.startswith("contract"):
            sizes[folder] += module.source.count("\n")
    for folder, lines in sizes.items():
        if lines >= LARGEST_PROVIDER and folder not in says_why:
            yield f"{folder} has {lines} lines, and no line of its connector.py that begins with Size: says why"


def floats_where_money_is(code: Code) -> Iterator[str]:
    for module in code.modules.values():
        in_provider = any(is_within(module.name, folder) for folder in code.provider_folders)
        has_money = in_provider and module.name.split(".")[-1] not in WITHOUT_MONEY
        if module.name.startswith("syncs") or module.name in PURE or has_money:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call) and name_of(node.func) in {"float", "FloatField"}:
                    yield f"{module.path}:{node.lineno} makes a float"


def careless_catching(code: Code) -> Iterator[str]:
    for module in code.modules.values():
        if module.name.endswith(".tasks") or ".management." in module.name:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
            ):
                yield f"{module.path}:{node.lineno} catches everything"


def nondescript_names(code: Code) -> Iterator[str]:
    for name in code.modules:
        if name.split(".")[-1] in {"utils", "util", "helpers", "common", "misc", "tools"}:
            yield f"{name} does not say what it is about"


def is_within(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}.")


def name_of(function: ast.expr) -> str:
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def root_of(function: ast.expr) -> str:
    return root_of(function.value) if isinstance(function, ast.Attribute) else name_of(function)


RULES: list[Callable[[Code], Iterator[str]]] = [
    imports_to_the_left,
    what_providers_may_not_import,
    impurities,
    misused_simulators,
    names_of_providers,
    readings_of_time_and_chance,
    long_modules,
    long_functions,
    large_providers,
    floats_where_money_is,
    careless_catching,
    nondescript_names,
]
