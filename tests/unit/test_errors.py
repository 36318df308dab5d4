"""The set of errors is closed: no other code ever leaves opsbot."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path

import pytest

from opsbot.channels.problems import STATUS, describe
from opsbot.errors import (
    CODES,
    AmbiguousError,
    ApprovalRequiredError,
    CollisionError,
    ConfirmationRequiredError,
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotVerifiedError,
    OpsbotError,
    OutOfStockError,
    PolicyError,
    RateLimitedError,
    StaleError,
    UnavailableError,
)

SOURCE = Path(__file__).parents[2] / "src" / "opsbot"
ONE_OF_EACH = [
    (NotFoundError("order", "#1"), {}),
    (NotVerifiedError("prove it", level=2), {"level": 2}),
    (NotAllowedError("no"), {}),
    (InvalidInputError("no", field="quantity"), {"field": "quantity"}),
    (InvalidInputError("no"), {}),
    (AmbiguousError("which?", candidates=["a", "b"]), {"candidates": ["a", "b"]}),
    (ConflictError("no", state="packed", allowed=["new"]), {"state": "packed", "allowed": ["new"]}),
    (ConflictError("no"), {}),
    (
        PolicyError("no", clause="c", quote="q", alternatives=["x"]),
        {"clause": "c", "quote": "q", "alternatives": ["x"]},
    ),
    (OutOfStockError("none", next_date=date(2026, 12, 1)), {"next_date": "2026-12-01"}),
    (OutOfStockError("none"), {}),
    (ConfirmationRequiredError("press"), {}),
    (ApprovalRequiredError("ask", roles=["manager"]), {"roles": ["manager"]}),
    (StaleError("changed"), {}),
    (CollisionError("twice"), {}),
    (RateLimitedError("slow", retry_after=7), {"retry_in": 7}),
    (
        UnavailableError("down", as_of=datetime(2026, 11, 1, tzinfo=UTC)),
        {"as_of": "2026-11-01T00:00:00+00:00"},
    ),
    (UnavailableError("down"), {}),
]
NAMES = [f"{type(error).__name__} {told}" for error, told in ONE_OF_EACH]


def all_kinds(kind: type[OpsbotError]) -> Iterator[type[OpsbotError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from all_kinds(child)


def test_every_kind_of_error_has_a_code_of_the_closed_set() -> None:
    for path in SOURCE.rglob("*.py"):
        if re.search(r"^class \w+\(\w*Error\)", path.read_text("utf-8"), re.MULTILINE):
            import_module(".".join(path.relative_to(SOURCE.parent).with_suffix("").parts))

    kinds = list(all_kinds(OpsbotError))

    assert len(kinds) > 15
    assert {kind.__name__: kind.code for kind in kinds if kind.code not in CODES} == {}


def test_every_code_of_the_set_is_the_code_of_an_error() -> None:
    assert {error.code for error, _ in ONE_OF_EACH} == set(CODES)


@pytest.mark.parametrize(("error", "told"), ONE_OF_EACH, ids=NAMES)
def test_an_error_tells_what_a_program_may_use(error: OpsbotError, told: dict[str, object]) -> None:
    assert error.details() == told


@pytest.mark.parametrize(("error", "told"), ONE_OF_EACH, ids=NAMES)
def test_an_error_is_a_problem_with_its_own_status(
    error: OpsbotError, told: dict[str, object]
) -> None:
    response = describe(error)

    assert 400 <= response.status_code < 504
    assert response.status_code != 500
    assert any(kind in STATUS for kind in type(error).__mro__)


def test_no_channel_writes_a_code_that_is_not_in_the_set() -> None:
    written = {
        (path.name, word.value.value)
        for folder in ("channels", "conversation")
        for path in (SOURCE / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "code"
        and isinstance(word.value, ast.Constant)
        and isinstance(word.value.value, str)
    }

    assert written
    assert {code for _, code in written} <= set(CODES)
