"""The measures by name."""

from collections.abc import Mapping
from types import MappingProxyType

from opsbot.errors import InvalidInputError
from opsbot.formats import format_items
from opsbot.metrics import (
    answering,
    buying,
    capital,
    casework,
    delivery,
    expectation,
    flow,
    making,
    parcels,
    points,
    sales,
    sending_back,
    shop_floor,
    voices,
)
from opsbot.metrics.measures import Metric

SUBJECTS: Mapping[str, tuple[Metric, ...]] = MappingProxyType(
    {
        "Sales": sales.METRICS,
        "Delivery": (*delivery.METRICS, *flow.METRICS),
        "Parcels": parcels.METRICS,
        "Returns": sending_back.METRICS,
        "Stock": (*capital.METRICS, *expectation.METRICS),
        "Suppliers": buying.METRICS,
        "Production and quality": (*making.METRICS, *shop_floor.METRICS),
        "Cases": casework.METRICS,
        "Customers' voice": voices.METRICS,
        "Loyalty": points.METRICS,
        "Answering": answering.METRICS,
    }
)
"""The measures by what they are about."""
METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.key: metric for metrics in SUBJECTS.values() for metric in metrics}
)


def find_metric(key: str) -> Metric:
    """Return the measure of this name.

    Raises:
        InvalidInputError: there is none; the text lists those there are.
    """
    try:
        return METRICS[key]
    except KeyError:
        raise InvalidInputError(
            f"There is no measure {key[:40]!r}. There are {format_items(list(METRICS))}."
        ) from None
