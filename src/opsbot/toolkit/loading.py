"""How the files in tools/ become tools."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from opsbot.errors import InvalidInputError
from opsbot.toolkit.tool import Tool

AnyTool = Tool[..., Any]


def load_tools(folder: Path) -> dict[str, AnyTool]:
    """Import every public file of `folder` and return its tools by name.

    Raises:
        InvalidInputError: the folder is missing, a file does not import, or two files define a
            tool of the same name; the text names the file.
    """
    if not folder.is_dir():
        raise InvalidInputError(f"OPSBOT_TOOLS_DIR: there is no folder {folder}.")
    tools: dict[str, AnyTool] = {}
    for path in sorted(folder.glob("[!_]*.py")):
        module = _import_file(path)
        for value in vars(module).values():
            if isinstance(value, Tool) and value.function.__module__ == module.__name__:
                if value.name in tools:
                    raise InvalidInputError(f"{path} defines {value.name} a second time.")
                tools[value.name] = value
    return tools


def _import_file(path: Path) -> ModuleType:
    name = f"opsbot_tools.{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidInputError(f"{path} is not a Python file.")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and get_type_hints look modules up by name
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        line = getattr(error, "lineno", None)
        where = f"{path}, line {line}" if line else str(path)
        raise InvalidInputError(
            f"The tool file {where} does not import: {type(error).__name__}: {error}"
        ) from error
    return module
