"""Work against the time there is: load by week, overload, and when a job is done."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from opsbot.errors import InvalidInputError
from opsbot.planning.bounds import above, at_least

LONGEST_SEARCH = 730
"""Days after which a job without room is refused."""
_HAIR = 1e-6


@dataclass(frozen=True)
class Operation:
    """One step of making an item, at one work centre."""

    center: str
    setup_minutes: float
    """Once a job."""
    run_minutes: float
    """For one unit."""
    queue_days: int = 0
    """Calendar days that parts wait before it."""

    def minutes(self, quantity: float) -> float:
        """Return set-up and run for a quantity, minutes.

        Raises:
            InvalidInputError: a value is negative.
        """
        at_least(0, self.setup_minutes, "The set-up time")
        at_least(0, self.run_minutes, "The run time of a unit")
        at_least(0, quantity, "The quantity")
        return self.setup_minutes + self.run_minutes * quantity


@dataclass(frozen=True)
class Work:
    """Minutes that a work centre has to give in a week."""

    center: str
    week: date
    """Its Monday."""
    minutes: float
    job: str
    """The work order behind it."""


@dataclass(frozen=True)
class WeekLoad:
    """Load and capacity of one work centre in one week, in minutes."""

    center: str
    week: date
    load: float
    capacity: float
    jobs: tuple[str, ...]

    @property
    def overload(self) -> float:
        """Minutes that do not fit; 0 when all do."""
        return max(0.0, self.load - self.capacity)

    @property
    def utilisation(self) -> float:
        """Load in capacity; infinite where there is work and no time."""
        return _utilisation(self.load, self.capacity)


@dataclass(frozen=True)
class Step:
    """When one operation is worked on."""

    center: str
    days: tuple[tuple[date, float], ...]
    """The days it takes, in order, with the minutes of each."""

    @property
    def first(self) -> date:
        """The day it begins."""
        return self.days[0][0]

    @property
    def last(self) -> date:
        """The day it is done."""
        return self.days[-1][0]

    @property
    def minutes(self) -> float:
        """Minutes of all its days."""
        return sum(minutes for _, minutes in self.days)


def day_capacity(
    shift_minutes: float, efficiency: float, exceptions: Iterable[float] = ()
) -> float:
    """Return the minutes of one day: shifts x efficiency, and exceptions added or taken off.

    Args:
        shift_minutes: minutes that people or machines are there.
        efficiency: share of it that is work, 0.85 for 85 %; above 1 is allowed.
        exceptions: minutes more (overtime) or less (maintenance, absence) on that day.

    Returns:
        Minutes; 0 when the exceptions take all of it.

    Raises:
        InvalidInputError: the shift or the efficiency is negative.
    """
    at_least(0, shift_minutes, "The shift")
    at_least(0, efficiency, "The efficiency")
    return max(0.0, shift_minutes * efficiency + sum(exceptions))


def week_loads(
    work: Iterable[Work], capacity: Callable[[str, date], float], *, weeks: Sequence[date]
) -> list[WeekLoad]:
    """Compare load and capacity, by work centre and week, as if each week had no end.

    Args:
        work: what is planned, in any order; work outside the weeks is left out.
        capacity: minutes of a centre in the week that begins on a Monday.
        weeks: Mondays.

    Returns:
        A row for each centre that has work in any of the weeks, and each week.

    Raises:
        InvalidInputError: work takes less than no time.
    """
    by_place: defaultdict[tuple[str, date], list[Work]] = defaultdict(list)
    for one in work:
        at_least(0, one.minutes, "Work")
        if one.week in weeks:
            by_place[one.center, one.week].append(one)
    return [
        WeekLoad(
            center,
            week,
            load=sum(one.minutes for one in by_place.get((center, week), ())),
            capacity=capacity(center, week),
            jobs=tuple(dict.fromkeys(one.job for one in by_place.get((center, week), ()))),
        )
        for center in sorted({center for center, _ in by_place})
        for week in weeks
    ]


def bottleneck(loads: Iterable[WeekLoad]) -> str | None:
    """Return the work centre with the highest load in all its capacity; None without loads."""
    load: defaultdict[str, float] = defaultdict(float)
    capacity: defaultdict[str, float] = defaultdict(float)
    for one in loads:
        load[one.center] += one.load
        capacity[one.center] += one.capacity
    if not load:
        return None
    return max(sorted(load), key=lambda center: _utilisation(load[center], capacity[center]))


def schedule(
    operations: Sequence[Operation],
    quantity: float,
    free: Mapping[str, Callable[[date], float]],
    *,
    start: date,
) -> list[Step]:
    """Put the steps of a job into the free minutes of the days, one after the other.

    A step begins where the one before it ended, on the same day if time is left at its centre; it
    may be interrupted by full or closed days. Each step takes its minutes off what later steps of
    this job find at the same centre. Hours within a day are not looked into.

    Args:
        operations: in the order they are done.
        quantity: units of the job.
        free: free minutes of a day, by work centre, other jobs already taken off.
        start: the first day, when all materials are there.

    Returns:
        A step for each operation; the last one's `last` is the day the job is done.

    Raises:
        InvalidInputError: there are no operations, a centre is not known, or there is no room
            within two years.
    """
    above(0, quantity, "The quantity")
    if not operations:
        raise InvalidInputError("Without operations there is nothing to schedule.")
    used: defaultdict[tuple[str, date], float] = defaultdict(float)
    day, steps = start, []
    for operation in operations:
        if operation.center not in free:
            raise InvalidInputError(f"There is no work centre {operation.center}.")
        at_least(0, operation.queue_days, "The queue time")
        day += timedelta(days=operation.queue_days)
        step = _place(operation, quantity, free[operation.center], used, day)
        steps.append(step)
        day = step.last
    return steps


def days_needed(minutes: float, minutes_a_day: float) -> int:
    """Return the whole days that work takes at an even capacity.

    Raises:
        InvalidInputError: the work is negative, or a day has no time.
    """
    at_least(0, minutes, "Work")
    above(0, minutes_a_day, "The time of a day")
    return ceil(minutes / minutes_a_day - _HAIR)


def _utilisation(load: float, capacity: float) -> float:
    if capacity > 0:
        return load / capacity
    return float("inf") if load else 0.0


def _place(
    operation: Operation,
    quantity: float,
    free: Callable[[date], float],
    used: defaultdict[tuple[str, date], float],
    start: date,
) -> Step:
    left = minutes = operation.minutes(quantity)
    days: list[tuple[date, float]] = []
    for later in range(LONGEST_SEARCH):
        day = start + timedelta(days=later)
        room = free(day) - used[operation.center, day]
        if room <= _HAIR and left > 0:
            continue
        taken = min(max(room, 0.0), left)
        used[operation.center, day] += taken
        days.append((day, taken))
        left -= taken
        if left <= _HAIR:
            return Step(operation.center, tuple(days))
    raise InvalidInputError(
        f"{operation.center} has no room for {minutes:.0f} minutes within two years."
    )
