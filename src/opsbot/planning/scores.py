"""Scores of surveys, each with the interval that says how sure it is.

NPS: adjusted-Wald interval (Rocks 2016). CSAT: Wilson interval. CES: t interval of the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import atan, copysign, cos, inf, pi, sin, sqrt
from statistics import NormalDist, fmean, stdev

CONFIDENCE = 0.95
TOO_FEW = 10
INDICATIVE = 30
PROMOTER, DETRACTOR = 9, 6
SATISFIED = 4
EASY = 5
EFFORT_SCALE = (1.0, 7.0)


class Weight(StrEnum):
    """How much a score can carry, by the number of answers behind it."""

    TOO_FEW = "too_few"
    """Under 10: show counts only."""
    INDICATIVE = "indicative"
    """10 to 29."""
    FIRM = "firm"


@dataclass(frozen=True)
class Score:
    """One score and its 95 % interval."""

    value: float
    low: float
    high: float
    n: int
    """Answers behind it."""
    centre: float
    """Middle of the interval before it is cut to the scale; what comparisons rest on."""
    error: float
    """Standard error of the centre."""

    @property
    def weight(self) -> Weight:
        """How much the score can carry."""
        if self.n < TOO_FEW:
            return Weight.TOO_FEW
        return Weight.INDICATIVE if self.n < INDICATIVE else Weight.FIRM


@dataclass(frozen=True)
class ScoreChange:
    """The difference of two scores, and whether it is more than chance."""

    difference: float
    z: float
    enough: bool
    """Whether both scores rest on 10 answers or more."""

    @property
    def is_real(self) -> bool:
        """Whether the difference is worth calling a change, at 95 %."""
        return self.enough and abs(self.z) >= _normal_quantile()


def net_promoter_score(answers: Sequence[int]) -> Score | None:
    """Score answers from 0 to 10; see `net_promoter_counts`. None without answers."""
    promoters = sum(answer >= PROMOTER for answer in answers)
    detractors = sum(answer <= DETRACTOR for answer in answers)
    return net_promoter_counts(promoters, detractors, n=len(answers))


def net_promoter_counts(promoters: int, detractors: int, *, n: int) -> Score | None:
    """Return 100 x (promoters - detractors) / n, from -100 to 100. None when n is 0."""
    if n == 0:
        return None
    padded = n + 3
    up, down = (promoters + 0.75) / padded, (detractors + 0.75) / padded
    error = sqrt((up + down - (up - down) ** 2) / padded)
    margin = _normal_quantile() * error
    return Score(
        value=100 * (promoters - detractors) / n,
        low=max(-100.0, 100 * (up - down - margin)),
        high=min(100.0, 100 * (up - down + margin)),
        n=n,
        centre=100 * (up - down),
        error=100 * error,
    )


def satisfaction_score(answers: Sequence[int]) -> Score | None:
    """Score answers from 1 to 5: the share of 4 and 5, in percent. None without answers."""
    return share_score(sum(answer >= SATISFIED for answer in answers), n=len(answers))


def share_score(hits: int, *, n: int) -> Score | None:
    """Return `hits` of `n` in percent, with its Wilson interval. None when n is 0."""
    if n == 0:
        return None
    z = _normal_quantile()
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    margin = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Score(
        value=100 * share,
        low=100 * max(0.0, centre - margin),
        high=100 * min(1.0, centre + margin),
        n=n,
        centre=100 * centre,
        error=100 * margin / z,
    )


def effort_score(answers: Sequence[int]) -> Score | None:
    """Score answers from 1 to 7 ("made it easy"): their mean. None without answers.

    The interval of a single answer is the whole scale: one answer says nothing about the others.
    """
    n = len(answers)
    if n == 0:
        return None
    lowest, highest = EFFORT_SCALE
    mean = fmean(answers)
    if n == 1:
        return Score(mean, lowest, highest, n=1, centre=mean, error=highest - lowest)
    error = stdev(answers) / sqrt(n)
    margin = _t_quantile(n - 1) * error
    return Score(
        value=mean,
        low=max(lowest, mean - margin),
        high=min(highest, mean + margin),
        n=n,
        centre=mean,
        error=error,
    )


def easy_share(answers: Sequence[int]) -> Score | None:
    """Return the share of effort answers from 5 to 7, in percent. None without answers."""
    return share_score(sum(answer >= EASY for answer in answers), n=len(answers))


def compare_scores(before: Score, after: Score) -> ScoreChange:
    """Tell how far a score moved between two periods, and whether that is more than chance."""
    shift = after.centre - before.centre
    error = sqrt(before.error**2 + after.error**2)
    # Without any error, every answer of each period was the same.
    z = shift / error if error else copysign(inf, shift) if shift else 0.0
    enough = Weight.TOO_FEW not in (before.weight, after.weight)
    return ScoreChange(after.value - before.value, z=z, enough=enough)


def _normal_quantile() -> float:
    return NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def _t_quantile(freedom: int) -> float:
    """Return the two-sided 95 % point of Student's t, by halving the interval it lies in."""
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if _t_coverage(middle, freedom) < CONFIDENCE:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _t_coverage(t: float, freedom: int) -> float:
    """Return P(|T| <= t); the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4."""
    angle = atan(t / sqrt(freedom))
    odd = freedom % 2
    term = cos(angle) if odd else 1.0
    total = 0.0
    for step in range(freedom // 2):
        total += term
        factor = 2 * step + 1 + odd
        term *= factor / (factor + 1) * cos(angle) ** 2
    if odd:
        return 2 / pi * (angle + sin(angle) * total)
    return sin(angle) * total
