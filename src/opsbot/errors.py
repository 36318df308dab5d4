"""Every error opsbot raises on purpose.

OpsbotError
├── NotFoundError        it does not exist, or it is not the caller's to see
├── NotAllowedError      we know who is asking, or do not, and the answer is no
│   └── NotVerifiedError   the caller must first prove who they are, to a higher level
├── ConflictError        the request makes sense, but the record's state forbids it
│   ├── PolicyError        a clause of the shop's policy forbids it
│   └── StaleError         the facts changed since the preview was shown
├── InvalidInputError    a value the caller can correct and send again
│   └── AmbiguousError     several records fit; the caller must choose one
├── RateLimitedError     too many tries; later it may work
└── UnavailableError     the model, the index or the mail server did not answer

The text of an error is written for the person (or model) who caused it.
"""

from collections.abc import Sequence


class OpsbotError(Exception):
    """Base of every deliberate error."""

    code = "error"
    """The stable word for this kind of error, in tool results and problem documents."""


class NotFoundError(OpsbotError):
    """There is no such record among those the caller may see."""

    code = "not_found"

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"I could not find {kind} {key}.")
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


class ConflictError(OpsbotError):
    """The record is in a state that does not allow the request."""

    code = "invalid_state"


class PolicyError(ConflictError):
    """A clause of the shop's policy forbids the request.

    Attributes:
        clause: id of the clause, such as `returns.window`.
        quote: the text of that clause, as the customer may read it.
        alternatives: sentences that say what is possible instead.
    """

    code = "policy_denied"

    def __init__(
        self, message: str, *, clause: str, quote: str, alternatives: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.clause = clause
        self.quote = quote
        self.alternatives = tuple(alternatives)


class StaleError(ConflictError):
    """The facts changed after the preview was shown; nothing was done."""

    code = "stale"


class InvalidInputError(OpsbotError):
    """A value the caller can correct."""

    code = "validation"


class AmbiguousError(InvalidInputError):
    """Several records fit what was said.

    Attributes:
        candidates: the texts to choose from, in a sensible order.
    """

    code = "ambiguous"

    def __init__(self, message: str, *, candidates: Sequence[str]) -> None:
        super().__init__(message)
        self.candidates = tuple(candidates)


class RateLimitedError(OpsbotError):
    """Too many tries in a short time.

    Attributes:
        retry_after: seconds until another try is worth it.
    """

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnavailableError(OpsbotError):
    """Something opsbot depends on did not answer."""

    code = "unavailable"
