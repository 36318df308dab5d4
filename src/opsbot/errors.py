"""Every error opsbot raises on purpose.

OpsbotError
├── NotFoundError        it does not exist, or it is not the caller's to see
├── NotAllowedError      we know who is asking, or do not, and the answer is no
│   ├── NotVerifiedError           the caller must first prove who they are, to a higher level
│   ├── ConfirmationRequiredError  a person must confirm it, in a place a model cannot reach
│   └── ApprovalRequiredError      a second person, with one of some roles, must agree
├── ConflictError        the request makes sense, but the record's state forbids it
│   ├── PolicyError        a clause of the shop's policy forbids it
│   ├── OutOfStockError    there are not enough pieces
│   ├── StaleError         the facts changed since the preview was shown
│   └── CollisionError     somebody else was faster, or the same id came with other contents
├── InvalidInputError    a value the caller can correct and send again
│   └── AmbiguousError     several records fit; the caller must choose one
├── RateLimitedError     too many tries; later it may work
└── UnavailableError     the model, the index or the mail server did not answer

The text of an error is written for the person (or model) who caused it. Its `code` is one of
`CODES`, and `details()` returns what a program may use beside the text.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any


class OpsbotError(Exception):
    """Base of every deliberate error."""

    code = "unavailable"
    """The stable word for this kind of error, in tool results and problem documents."""

    def details(self) -> dict[str, Any]:
        """Return what may be told beside code and text: plain values, no ids of rows."""
        return {}


_MOST_WORDS = 6
"""A whole sentence is no name, and is not said back."""


class NotFoundError(OpsbotError):
    """There is no such record among those the caller may see."""

    code = "not_found"

    def __init__(self, kind: str, key: str) -> None:
        short = len(key.split()) <= _MOST_WORDS
        words = f"{kind} {key}" if short else "what you mean; please name it in a few words"
        super().__init__(f"I could not find {words}.")
        self.kind = kind
        self.key = key


class NotAllowedError(OpsbotError):
    """The caller may not do this."""

    code = "forbidden"


class NotVerifiedError(NotAllowedError):
    """The caller has not proved enough of who they are.

    Attributes:
        level: the identity level that is needed, 1 to 3.
    """

    code = "not_verified"

    def __init__(self, message: str, *, level: int) -> None:
        super().__init__(message)
        self.level = level

    def details(self) -> dict[str, Any]:
        """Return the level."""
        return {"level": self.level}


class ConfirmationRequiredError(NotAllowedError):
    """A person must confirm this where a model or a program cannot do it for them."""

    code = "confirmation_required"


class ApprovalRequiredError(NotAllowedError):
    """A second member of staff must agree.

    Attributes:
        roles: who may: people with one of these roles.
    """

    code = "approval_required"

    def __init__(self, message: str, *, roles: Sequence[str]) -> None:
        super().__init__(message)
        self.roles = tuple(roles)

    def details(self) -> dict[str, Any]:
        """Return the roles."""
        return {"roles": list(self.roles)}


class ConflictError(OpsbotError):
    """The record is in a state that does not allow the request.

    Attributes:
        state: the state it is in, if that helps.
        allowed: the states it would have to be in.
        instead: name of the tool that does or tells what was meant, if one does; empty: none.
    """

    code = "invalid_state"

    def __init__(
        self, message: str, *, state: str = "", allowed: Sequence[str] = (), instead: str = ""
    ) -> None:
        super().__init__(message)
        self.state = state
        self.allowed = tuple(allowed)
        self.instead = instead

    def details(self) -> dict[str, Any]:
        """Return the states and the other tool, where they are known."""
        found = {"state": self.state, "allowed": list(self.allowed), "instead": self.instead}
        return {key: value for key, value in found.items() if value}


class PolicyError(ConflictError):
    """A clause of the shop's policy forbids the request.

    Attributes:
        clause: id of the clause, such as `returns.window`.
        quote: the text of that clause, as the customer may read it.
        alternatives: sentences that say what is possible instead.
        field: the argument whose value it refuses, and `allowed` the values it takes.
    """

    code = "policy_denied"

    def __init__(
        self,
        message: str,
        *,
        clause: str,
        quote: str,
        alternatives: Sequence[str] = (),
        instead: str = "",
        field: str = "",
        allowed: Sequence[str] = (),
    ) -> None:
        super().__init__(message, allowed=allowed, instead=instead)
        self.field = field
        self.clause = clause
        self.quote = quote
        self.alternatives = tuple(alternatives)

    def details(self) -> dict[str, Any]:
        """Return the clause, its text, and what is possible instead."""
        found = {
            "clause": self.clause,
            "quote": self.quote,
            "alternatives": list(self.alternatives),
        }
        more = {"instead": self.instead, "field": self.field, "allowed": list(self.allowed)}
        return found | {key: value for key, value in more.items() if value}


class OutOfStockError(ConflictError):
    """There are not enough pieces.

    Attributes:
        next_date: the day more is expected, if one is known.
    """

    code = "out_of_stock"

    def __init__(self, message: str, *, next_date: date | None = None) -> None:
        super().__init__(message)
        self.next_date = next_date

    def details(self) -> dict[str, Any]:
        """Return the day, where one is known."""
        return {"next_date": self.next_date.isoformat()} if self.next_date else {}


class StaleError(ConflictError):
    """The facts changed after the preview was shown; nothing was done."""

    code = "stale"


class CollisionError(ConflictError):
    """Somebody else changed it at the same time, or one id was used for two things."""

    code = "conflict"


class InvalidInputError(OpsbotError):
    """A value the caller can correct.

    Attributes:
        field: the argument or form field it is about; empty: none, or several.
    """

    code = "validation"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field

    def details(self) -> dict[str, Any]:
        """Return the field, where it is one."""
        return {"field": self.field} if self.field else {}


class AmbiguousError(InvalidInputError):
    """Several records fit what was said.

    Attributes:
        candidates: the texts to choose from, in a sensible order.
    """

    code = "ambiguous"

    def __init__(self, message: str, *, candidates: Sequence[str], field: str = "") -> None:
        super().__init__(message, field=field)
        self.candidates = tuple(candidates)

    def details(self) -> dict[str, Any]:
        """Return the texts to choose from."""
        return super().details() | {"candidates": list(self.candidates)}


class RateLimitedError(OpsbotError):
    """Too many tries in a short time.

    Attributes:
        retry_after: seconds until another try is worth it.
    """

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    def details(self) -> dict[str, Any]:
        """Return the seconds to wait."""
        return {"retry_in": self.retry_after}


class UnavailableError(OpsbotError):
    """Something opsbot depends on did not answer.

    Attributes:
        as_of: how old the newest is that we know instead, if there is anything.
    """

    code = "unavailable"

    def __init__(self, message: str, *, as_of: datetime | None = None) -> None:
        super().__init__(message)
        self.as_of = as_of

    def details(self) -> dict[str, Any]:
        """Return how old the last known state is, where there is one."""
        return {"as_of": self.as_of.isoformat()} if self.as_of else {}


CODES = {
    "not_found": "It does not exist, or it is not the caller's to see: the two read the same.",
    "not_verified": "The caller must prove more of who they are. `level`: how much.",
    "forbidden": "It is not for this caller.",
    "validation": "A value does not fit. `field`: which.",
    "ambiguous": "Several records fit. `candidates`: the texts to choose from.",
    "invalid_state": "The record's state forbids it. `state`, `allowed`: where they help.",
    "policy_denied": "A rule forbids it. `clause`, `quote`: which; `alternatives`: what goes.",
    "out_of_stock": "Not enough pieces. `next_date`: when more is expected.",
    "confirmation_required": "A person must confirm it, where a model cannot.",
    "approval_required": "A second person must agree. `roles`: who may.",
    "stale": "The facts changed after the preview; nothing was done.",
    "conflict": "Somebody else was faster, or one id came with two contents.",
    "rate_limited": "Too many tries. `retry_in`: seconds to wait.",
    "unavailable": "Something did not answer; later it may. `as_of`: how old the last state is.",
}
"""Every code that ever leaves opsbot, and what it means. The set is closed."""
