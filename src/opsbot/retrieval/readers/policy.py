"""The shop's policies: each clause is a section, so that what is quoted is what is enforced."""

from dataclasses import replace
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from opsbot.errors import InvalidInputError
from opsbot.retrieval.front_matter import FrontMatter, read_yaml_mapping
from opsbot.retrieval.models import Audience
from opsbot.retrieval.normalise import normalise_text
from opsbot.retrieval.readers.content import Content, decode
from opsbot.retrieval.structure import find_headings


class _Clause(BaseModel):
    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    id: str = Field(min_length=1, pattern=r"^\S+$")
    title: str = Field(min_length=1)
    text: str = Field(min_length=1)


class _Policy(BaseModel):
    # The values beside the clauses are checked by who enforces them.
    model_config = ConfigDict(extra="ignore")

    title: str | None = None
    audience: Audience = Audience.PUBLIC
    clauses: list[_Clause] = Field(min_length=1)


def read(path: str, content: bytes) -> Content:
    """Read a policy file: a title and its clauses; the anchor of a clause is its id.

    Raises:
        InvalidInputError: it is not UTF-8 or YAML, or a clause lacks id, title or text.
    """
    try:
        policy = _Policy.model_validate(read_yaml_mapping(path, decode(path, content)))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        problem = "is missing" if first["type"] == "missing" else f"is wrong: {first['msg']}"
        raise InvalidInputError(f"{path}: the field `{name}` {problem}.") from error
    title = (
        policy.title or PurePosixPath(path).stem.replace("_", " ").replace("-", " ").capitalize()
    )
    text, anchors = "", dict[int, str]()
    for clause in policy.clauses:
        anchors[len(text)] = clause.id
        text += f"## {' '.join(clause.title.split())}\n\n{normalise_text(clause.text)}\n"
    headings = (replace(h, anchor=anchors.get(h.start, h.anchor)) for h in find_headings(text))
    return Content(text, FrontMatter(title=title, audience=policy.audience), tuple(headings))
