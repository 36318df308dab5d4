"""Read YAML files of the shop's own: policies, surveys, evaluations, the sample shop.

libyaml is some ten times faster than PyYAML's own parser, which is used where it is missing. What
strangers write (the front matter of articles) is not read here: libyaml recurses without a bound.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from opsbot.errors import InvalidInputError

try:
    from yaml import CBaseLoader as WordLoader
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML was built without libyaml
    from yaml import BaseLoader as WordLoader  # type: ignore[assignment]
    from yaml import SafeLoader as Loader  # type: ignore[assignment]


def load_yaml(text: str) -> Any:
    """Return what the text holds.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    return yaml.load(text, Loader=Loader)


def load_words(text: str) -> Any:
    """Return what the text holds, every value as it is written: `yes` and `1004` are words.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    return yaml.load(text, Loader=WordLoader)  # noqa: S506  (it makes nothing but texts)


def compose_yaml(text: str) -> yaml.Node | None:
    """Return the text as nodes that know their line.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    node: yaml.Node | None = yaml.compose(text, Loader=Loader)
    return node


def compose_mapping(path: Path, text: str, *, noun: str) -> yaml.MappingNode:
    """Return the text of a file as nodes: a mapping whose keys occur once.

    Raises:
        InvalidInputError: it is not; the text names the file and the line. `noun`: what to call
            such a file, with its article.
    """
    try:
        root = compose_yaml(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidInputError(
            f"{path}, line {line}: this is not YAML: {error.problem}."
        ) from error
    except yaml.YAMLError as error:
        raise InvalidInputError(f"{path}: this is not YAML: {error}.") from error
    if not isinstance(root, yaml.MappingNode):
        raise InvalidInputError(f"{path}, line 1: {noun} is a mapping of keys to values.")
    for key in _repeated_keys(root):
        line = key.start_mark.line + 1
        raise InvalidInputError(f"{path}, line {line}: the key {key.value} occurs twice.")
    return root


def line_of(node: yaml.Node, location: Sequence[str | int]) -> int:
    """Return the line of what lies at a location, or of what is nearest above it."""
    line = node.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = [pair for pair in node.value if pair[0].value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def words_of_error(error: Any) -> str:
    """Return what is wrong with a value, of one of pydantic's `errors()`."""
    if error["type"] == "extra_forbidden":
        return "there is no such key; check its spelling"
    if error["type"] == "missing":
        return "this key is missing"
    return str(error["msg"]).removeprefix("Value error, ")


def _repeated_keys(node: yaml.Node) -> Iterator[yaml.Node]:
    """Find keys that YAML would let override an earlier value without a word."""
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _repeated_keys(child)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, child in node.value:
            if key.value in seen:
                yield key
            seen.add(key.value)
            yield from _repeated_keys(child)
