"""What feedback is about: a fixed list of aspects, each known by sentences of its meaning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from opsbot.commerce.orders import Order, OrderLine, OrderState
from opsbot.planning.periods import Period
from opsbot.surveys.models import Feedback
from opsbot.texts import mask_personal
from opsbot.yamls import load_yaml

NEAR = 0.45
"""Cosine from which a text is about an aspect."""
CLOSE = 0.06
"""Other aspects count too when they are hardly further away than the nearest."""


class Encoder(Protocol):
    """Turns texts into vectors."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), each row of length 1."""
        ...


@dataclass
class Topic:
    """One aspect, and the texts that are about it."""

    key: str
    label: str
    texts: list[str] = field(default_factory=list)


def count_topics(texts: Sequence[str], encoder: Encoder) -> dict[str, Topic]:
    """Sort texts by what they are about; those that are about nothing on the list are left out."""
    if not texts:
        return {}
    aspects = _aspects()
    sentences = [(key, said) for key, (_, says) in aspects.items() for said in says]
    keys = list(aspects)
    known = encoder.encode([said for _, said in sentences])
    different = list(dict.fromkeys(texts))
    cosines = encoder.encode(different) @ known.T
    columns = {key: [i for i, (k, _) in enumerate(sentences) if k == key] for key in keys}
    best = np.stack([cosines[:, columns[key]].max(axis=1) for key in keys], axis=1)
    about: dict[str, list[str]] = {}
    for text, row in zip(different, best, strict=True):
        top = float(row.max())
        near = [k for k, score in zip(keys, row, strict=True) if score >= max(NEAR, top - CLOSE)]
        about[text] = near
    found: dict[str, Topic] = {}
    for text in texts:
        for key in about[text]:
            found.setdefault(key, Topic(key, aspects[key][0])).texts.append(text)
    return found


def said_in(session: Session, period: Period, skus: Sequence[str]) -> list[str]:
    """Return what customers wrote in a period, without personal data, the newest first."""
    query = sa.select(Feedback.text).where(
        Feedback.text != "", Feedback.said_at >= period.start, Feedback.said_at < period.end
    )
    if skus:
        bought = sa.select(OrderLine.order_id).where(OrderLine.sku.in_(skus))
        of_order = sa.and_(Feedback.sku.is_(None), Feedback.order_id.in_(bought))
        query = query.where(sa.or_(Feedback.sku.in_(skus), of_order))
    newest_first = query.order_by(Feedback.said_at.desc(), Feedback.id.desc())
    return [mask_personal(text) for text in session.scalars(newest_first)]


def orders_in(session: Session, period: Period, skus: Sequence[str]) -> int:
    """Return how many orders were placed in a period; with these items, if any are named."""
    query = (
        sa.select(sa.func.count(sa.distinct(Order.id)))
        .where(Order.state != OrderState.CANCELLED)
        .where(Order.placed_at >= period.start, Order.placed_at < period.end)
    )
    if skus:
        query = query.join(OrderLine, OrderLine.order_id == Order.id).where(OrderLine.sku.in_(skus))
    return session.scalar(query) or 0


@lru_cache(maxsize=1)
def _aspects() -> Mapping[str, tuple[str, list[str]]]:
    text = Path(__file__).with_name("topics.yaml").read_text(encoding="utf-8")
    return {key: (one["label"], one["says"]) for key, one in load_yaml(text)["topics"].items()}
