"""Write the tables of settings and tools into the README, and the reference of the tools.

Both come from the declarations.

Run: python scripts/build_reference.py [--check]
"""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from opsbot.content import content_root
from opsbot.settings import PREFIX, Settings
from opsbot.toolkit.loading import load_tools
from opsbot.toolkit.reference import tools_page

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
REFERENCE = ROOT / "docs" / "reference" / "tools.md"


def main() -> int:
    """Rewrite the files, or with --check tell whether they are fresh."""
    old = README.read_text("utf-8")
    fresh = {
        README: _put(_put(old, "settings", _settings()), "tools", _tools()),
        REFERENCE: tools_page(load_tools(ROOT / "tools").values()),
    }
    stale = [path for path, text in fresh.items() if _read(path) != text]
    if "--check" in sys.argv:
        for path in stale:
            name = path.relative_to(ROOT)
            print(f"{name} is older than the settings or tools: python scripts/build_reference.py")
        return int(bool(stale))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fresh[path], "utf-8")
    return 0


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _put(text: str, name: str, lines: list[str]) -> str:
    block = "\n".join((f"<!-- {name} -->", *lines, f"<!-- /{name} -->"))
    return re.sub(rf"<!-- {name} -->.*?<!-- /{name} -->", lambda _: block, text, flags=re.DOTALL)


def _settings() -> list[str]:
    return ["| setting | default | meaning |", "|---|---|---|", *_rows(Settings, PREFIX)]


def _rows(model: type[BaseModel], prefix: str) -> Iterator[str]:
    notes = _notes(model)
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _rows(field.annotation, f"{prefix}{name.upper()}__")
        else:
            note = notes.get(name, "").replace("|", "\\|")
            yield f"| `{prefix}{name.upper()}` | {_default(field)} | {note} |"


def _notes(model: type[BaseModel]) -> dict[str, str]:
    """Return the note under each field, from the source of the class."""
    found = re.findall(r'^    (\w+):.*\n    """(.+?)"""', inspect.getsource(model), re.MULTILINE)
    return dict(found)


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, Path):
        root = content_root()
        bundled = value.is_relative_to(root)
        return f"the bundled `{value.relative_to(root)}/`" if bundled else f"`{value}`"
    if value in (None, "", []) or isinstance(value, SecretStr):
        return "unset"
    return f"`{value}`"


def _tools() -> list[str]:
    lines = ["| tool | for | effect | what it does |", "|---|---|---|---|"]
    for tool in load_tools(ROOT / "tools").values():
        need = ", ".join(sorted(tool.roles)) if tool.roles else f"level {int(tool.level)}"
        who = tool.audience.value + (
            f" ({need})" if tool.roles or tool.audience == "customer" else ""
        )
        first = tool.description.splitlines()[0]
        lines.append(f"| `{tool.name}` | {who} | {tool.effect} | {first} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
