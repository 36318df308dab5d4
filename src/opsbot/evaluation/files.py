"""Reading the files of conversations, and saying where one is wrong."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from opsbot.errors import InvalidInputError
from opsbot.evaluation.fields import check_field
from opsbot.evaluation.kinds import read_name
from opsbot.evaluation.schema import Script
from opsbot.yamls import compose_mapping, line_of, load_words, words_of_error

_COMMENT_IN_WORDS = re.compile(r"\s+#\S")
"""A `#` right before a word is meant as one: `Cancel order #1004`."""


def load_scripts(folder: Path) -> dict[str, Script]:
    """Return the conversations of a folder and those below it, by their path without `.yaml`.

    A single file is a folder of one.

    Raises:
        InvalidInputError: the folder or a file is wrong; the text names the file and the line.
    """
    if folder.is_file():
        return {folder.stem: load_script(folder)}
    if not folder.is_dir():
        raise InvalidInputError(f"There is no folder or file {folder}.")
    paths = sorted(folder.rglob("*.yaml"))
    if not paths:
        raise InvalidInputError(f"{folder} holds no conversation: there is no file *.yaml.")
    return {
        path.relative_to(folder).with_suffix("").as_posix(): load_script(path) for path in paths
    }


def load_script(path: Path) -> Script:
    """Return the conversation of one file.

    Raises:
        InvalidInputError: it is wrong; the text names the file, the line and the key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} cannot be read: {error}.") from error
    root = compose_mapping(path, text, noun="a conversation")
    _refuse_lost_words(path, text, root)
    try:
        script = Script.model_validate(load_words(text))
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{_place_in_words(first['loc'])}: {words_of_error(first)}"
        line = line_of(root, first["loc"])
        raise InvalidInputError(f"{path}, line {line}: {reason}.") from error
    _check_records(path, root, script)
    return script


def _check_records(path: Path, root: yaml.Node, script: Script) -> None:
    for key, rows in script.records.items():
        place = ["records", key]
        try:
            kind = read_name(key).kind
            for field in (field for row in rows for field in row):
                place = ["records", key, field]
                check_field(kind, field)
        except InvalidInputError as error:
            line = line_of(root, place)
            raise InvalidInputError(f"{path}, line {line}: records: {error}.") from error


def _place_in_words(location: Sequence[str | int]) -> str:
    """Return `turn 2, says` for ("turns", 1, "says")."""
    match location:
        case ["turns", int(number), *rest]:
            return ", ".join([f"turn {number + 1}", *map(str, rest[:1])])
        case []:
            return "the file"
    return ", ".join(map(str, location))


def _refuse_lost_words(path: Path, text: str, root: yaml.Node) -> None:
    """Refuse what YAML would take for a comment, and silently leave out."""
    lines = text.splitlines()
    for scalar in _plain_scalars(root):
        end = scalar.end_mark
        rest = lines[end.line][end.column :] if end.line < len(lines) else ""
        if _COMMENT_IN_WORDS.match(rest):
            raise InvalidInputError(
                f"{path}, line {end.line + 1}: YAML takes {rest.strip()[:40]!r} for a comment; "
                "put the whole text in quotes."
            )


def _plain_scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode) and not node.style:
        yield node
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _plain_scalars(child)
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for child in pair:
                yield from _plain_scalars(child)
