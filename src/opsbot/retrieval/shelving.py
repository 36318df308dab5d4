"""Fill a shelf from the rows, and let it follow what changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from opsbot.retrieval.models import (
    ArticleRow,
    ArticleStatus,
    Audience,
    IndexState,
    PassageRow,
    VectorRow,
)
from opsbot.retrieval.packing import unpack_int8
from opsbot.retrieval.postings import Mask, Postings, Rows
from opsbot.retrieval.rows import read_changes, read_state, split_batches
from opsbot.retrieval.shelf import Packed, Segment, Shelf

_AT_ONCE = 10_000
"""Rows that are turned into arrays together."""
_TIER = 4
"""A segment is joined to the one before it unless that is so many times larger."""
_DEAD = 0.25
"""Share of removed passages from which a segment is made anew without them."""

_Part = tuple[Segment, Mask]


def load_shelf(session: Session) -> Shelf:
    """Build the shelf of the index as the session sees it."""
    state = read_state(session)
    if state is None:
        return Shelf(0, "", None)
    parts = dict[Audience, list[_Part]]()
    for rows in session.execute(_query(), execution_options={"yield_per": _AT_ONCE}).partitions():
        for segment in _build(rows):
            parts.setdefault(segment.audience, []).append(_whole(segment))
    return _make(state, [_merge(own) for own in parts.values()])


def follow(session: Session, shelf: Shelf) -> Shelf:
    """Return the shelf that comes after `shelf`, of the index as the session sees it.

    Only what changed is read, unless too much did.
    """
    state = read_state(session)
    if state is None or state.model_key != shelf.model_key or shelf.version < state.followed_from:
        return load_shelf(session)
    changes = read_changes(session, shelf.version)
    gone = np.array([id_ for id_, change in changes.items() if not change.added], np.int64)
    # What another transaction added while the shelf was loaded may be there already.
    there = {int(i) for segment in shelf.segments for i in segment.ids[_find(segment, changes)]}
    new = [id_ for id_, change in changes.items() if change.added and id_ not in there]
    parts = [
        (segment, _strike(segment, alive, gone))
        for segment, alive in zip(shelf.segments, shelf.alive, strict=True)
    ]
    for some in split_batches(new):
        rows = session.execute(_query().where(PassageRow.id.in_(some))).all()
        parts.extend(_whole(segment) for segment in _build(rows))
    return _make(state, list(_compact(parts)))


def _make(state: IndexState, parts: Sequence[_Part]) -> Shelf:
    return Shelf(
        state.version,
        state.model_key,
        state.threshold,
        state.calibration,
        tuple(segment for segment, _ in parts),
        tuple(alive for _, alive in parts),
    )


def _query() -> Select[int, bytes, Audience, str, list[str], bytes, bytes]:
    return (
        select(
            PassageRow.id,
            PassageRow.terms,
            ArticleRow.audience,
            ArticleRow.language,
            ArticleRow.products,
            VectorRow.text,
            VectorRow.title,
        )
        .join(ArticleRow, ArticleRow.id == PassageRow.article_id)
        .join(VectorRow, VectorRow.content_hash == PassageRow.content_hash)
        .join(IndexState, IndexState.model_key == VectorRow.model_key)
        .where(ArticleRow.status == ArticleStatus.READABLE)
        .order_by(PassageRow.id)
    )


def _build(rows: Iterable[Any]) -> Iterator[Segment]:
    """Yield a segment for each audience."""
    by_audience = dict[Audience, list[Any]]()
    for row in rows:
        by_audience.setdefault(row.audience, []).append(row)
    for audience, own in by_audience.items():
        languages = tuple(sorted({row.language for row in own}))
        places = {language: place for place, language in enumerate(languages)}
        about = dict[str, list[int]]()
        for number, row in enumerate(own):
            for product in row.products:
                about.setdefault(product, []).append(number)
        yield Segment(
            audience,
            np.array([row.id for row in own], np.int64),
            languages,
            np.array([places[row.language] for row in own], np.uint8),
            {product: np.array(numbers, np.int64) for product, numbers in about.items()},
            np.array([not row.products for row in own], np.bool_),
            Packed.make(*unpack_int8([row.text for row in own])),
            Packed.make(*unpack_int8([row.title for row in own])),
            Postings.build([row.terms for row in own]),
        )


def _whole(segment: Segment) -> _Part:
    return segment, np.ones(len(segment), np.bool_)


def _find(segment: Segment, ids: Iterable[int]) -> Rows:
    """Return the rows of those passages that the segment has."""
    rows: Rows = np.flatnonzero(np.isin(segment.ids, np.fromiter(ids, np.int64)))
    return rows


def _strike(segment: Segment, alive: Mask, gone: Rows) -> Mask:
    struck = alive & ~np.isin(segment.ids, gone)
    return alive if struck.sum() == alive.sum() else struck


def _compact(parts: Sequence[_Part]) -> Iterator[_Part]:
    """Join small segments, and drop what was removed once it is much."""
    by_audience = dict[Audience, list[_Part]]()
    for part in parts:
        if not part[1].any():
            continue
        own = by_audience.setdefault(part[0].audience, [])
        own.append(part if part[1].mean() > 1 - _DEAD else _merge([part]))
        while len(own) > 1 and len(own[-2][0]) <= _TIER * len(own[-1][0]):
            own[-2:] = [_merge(own[-2:])]
    for own in by_audience.values():
        yield from own


def _merge(parts: Sequence[_Part]) -> _Part:
    """Join segments of one audience into one, without what was removed."""
    if len(parts) == 1 and parts[0][1].all():
        return parts[0]
    segments, kept = [segment for segment, _ in parts], [alive for _, alive in parts]
    languages = tuple(sorted({name for segment in segments for name in segment.languages}))
    spoken = [
        np.array([languages.index(name) for name in segment.languages], np.uint8)[segment.language]
        for segment in segments
    ]
    return _whole(
        Segment(
            segments[0].audience,
            _join([segment.ids for segment in segments], kept),
            languages,
            _join(spoken, kept),
            _join_products([segment.products for segment in segments], kept),
            _join([segment.general for segment in segments], kept),
            _join_vectors([segment.text for segment in segments], kept),
            _join_vectors([segment.title for segment in segments], kept),
            Postings.merge([segment.postings for segment in segments], kept),
        )
    )


def _join(arrays: Sequence[Any], kept: Sequence[Mask]) -> Any:
    return np.concatenate([array[mask] for array, mask in zip(arrays, kept, strict=True)])


def _join_vectors(many: Sequence[Packed], kept: Sequence[Mask]) -> Packed:
    signs = [packed.signs[:, mask] for packed, mask in zip(many, kept, strict=True)]
    return Packed(
        _join([packed.values for packed in many], kept),
        _join([packed.scales for packed in many], kept),
        np.ascontiguousarray(np.concatenate(signs, axis=1)),
    )


def _join_products(many: Sequence[Mapping[str, Rows]], kept: Sequence[Mask]) -> dict[str, Rows]:
    joined, start = dict[str, list[Rows]](), 0
    for products, mask in zip(many, kept, strict=True):
        numbers = np.cumsum(mask) - 1 + start
        for product, rows in products.items():
            joined.setdefault(product, []).append(numbers[rows[mask[rows]]])
        start += int(mask.sum())
    return {product: np.concatenate(rows) for product, rows in joined.items()}
