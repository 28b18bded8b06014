"""The README of the stories, made of the tests' names: `python -m tests.scenarios.readme` writes it."""

import ast
from pathlib import Path

FOLDER = Path(__file__).parent
README = FOLDER / "README.md"
HEAD = """# Stories

Each is told through the whole engine and judged by both companies' books. A number is that of a scenario which a
stand-in for AvidXchange has to be able to play; most are told under several contract profiles (`contracts.py`). Add a
story by writing a test whose name says it, then `python -m tests.scenarios.readme`.
"""


def listing() -> str:
    """The README as the tests are now."""
    parts = [HEAD]
    for path in sorted(FOLDER.glob("test_*.py")):
        module = ast.parse(path.read_text())
        stories = [one.name for one in module.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")]
        told = "\n".join(f"- {name.removeprefix('test_').replace('_', ' ')}" for name in stories)
        parts.append(f"## {(ast.get_docstring(module) or '').splitlines()[0]}\n\n{told}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    README.write_text(listing())
