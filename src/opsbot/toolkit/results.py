"""What a tool gives back: words that may be said as they are, and the facts behind them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from opsbot.retrieval.hits import Hit

Json = Any
"""A value that JSON can hold."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    key: str
    label: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """Rows for a person to read and to download."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str | int | float | None]]
    """One value for each column; at most 200 rows."""


@dataclass(frozen=True)
class Chart:
    """Which columns of a table to draw, and how. The server makes the drawing from it."""

    kind: Literal["bar", "line"]
    title: str
    summary: str
    """One sentence that says what the picture shows, for those who do not see it."""
    x: str
    """Key of the column along the axis."""
    y: Sequence[str]
    """Keys of one or more numeric columns."""
    unit: str = ""


@dataclass(frozen=True)
class Card:
    """A small structured block under a reply.

    `kind` is `order`, `shipment`, `product` or `return`; `body` holds what the widget draws:
    order: number, state, steps [{label, state: done|current|todo}], rows [{title, quantity,
    amount}], total, as_of. shipment: carrier, tracking_number, tracking_url, state, eta,
    events [{at, text, place}]. product: sku, title, price, availability. return: number, state,
    steps, refund, deadline.
    """

    kind: Literal["order", "shipment", "product", "return"]
    body: Mapping[str, Json]


@dataclass(frozen=True)
class Result:
    """What a read found, or what a change did."""

    say: str
    """Markdown that may be shown as it is: money and dates are formatted already."""
    facts: Mapping[str, Json] = field(default_factory=dict)
    """What a model may reason over; no ids of rows.

    The key `candidates` may list values of an argument kind for the embedded model:
    `{"order_number": [{"value": "#1004", "words": "Ember bedside lamp, sage"}]}`, best first.
    """
    cards: Sequence[Card] = ()
    table: Table | None = None
    chart: Chart | None = None
    hits: Sequence[Hit] = ()
    """Passages that were found; only these may be cited."""
    quick_replies: Sequence[str] = ()
    proves_order_id: int | None = None
    """Set by the tool that checks an order proof; raises the caller to level 1."""
    proves_customer_id: int | None = None
    """The owner of that order; without an order, the account that was proved: level 2."""
    hands_off: bool = False
    """A person shall take over."""
    undo: "Undo | None" = None
    """Of a change: what takes it back, where only the doing tells it, as a new document's number.
    It wins over the change's own."""


@dataclass(frozen=True)
class Clause:
    """A rule of the shop, as it is enforced and as it may be quoted."""

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class Approval:
    """That a second person must agree: a different member of staff with one of the roles."""

    roles: Sequence[str]
    """Any of these."""
    why: str
    """Why it is needed, to follow "it needs a second person": "above 100.00 EUR"."""


@dataclass(frozen=True)
class Undo:
    """The call that takes a change back. It is proposed and confirmed like any other."""

    tool: str
    arguments: Mapping[str, Json]


@dataclass(frozen=True)
class Change:
    """What a write tool would do: shown first, done only when a person confirms.

    The tool function runs twice: once for the preview, and again inside the transaction that
    executes it, on fresh rows. When `basis` differs between the two, nothing is done. For the
    preview `apply` is rehearsed, and all of it rolled back: what it would refuse is not shown.
    """

    title: str
    """A question that names the change: "Cancel order #1004?"."""
    details: Sequence[str]
    """Exactly what will happen, a line each, amounts included."""
    button: str
    """The verb: "Cancel the order"."""
    basis: Mapping[str, Json]
    """The facts the preview rests on: versions, quantities, amounts."""
    apply: Callable[[], Result]
    """Does it, in the open transaction, or raises what forbids it. Called at most once."""
    can_be_rehearsed: bool = True
    """Whether a rollback undoes all of `apply`; false where it writes a file, or where people call
    the new row by its id, which PostgreSQL does not give out again."""
    clause: Clause | None = None
    """The rule that allows it."""
    approval: Approval | None = None
    """Set: after the person has confirmed, it waits for a second one."""
    undo: Undo | None = None
    """What takes it back, where the world allows it. It is offered only where its tool would agree
    to it once the change is done: a policy, a state or the stock may forbid it."""
