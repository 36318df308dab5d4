"""The measures by name."""

from collections.abc import Mapping
from types import MappingProxyType

from opsbot.errors import InvalidInputError
from opsbot.formats import format_items
from opsbot.metrics import definitions
from opsbot.metrics.definitions import RETURNS_SETTLE, Measure, Metric, Unit
from opsbot.metrics.grouping import GOODS, PLACE, TIME, Dimension

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.key: metric
        for metric in (
            Metric(
                key="revenue",
                title="Revenue",
                definition="Value of the goods ordered in the period, after discounts, without "
                "tax, shipping, cancelled orders and cancelled units.",
                counts="orders",
                dimensions=(*TIME, *PLACE, *GOODS),
                measures=(Measure("revenue", "Revenue", Unit.MONEY),),
                function=definitions.revenue,
            ),
            Metric(
                key="orders",
                title="Orders",
                definition="Orders placed in the period that were not cancelled.",
                counts="orders",
                dimensions=(*TIME, *PLACE, *GOODS),
                measures=(Measure("orders", "Orders", Unit.COUNT),),
                function=definitions.orders,
            ),
            Metric(
                key="average_order_value",
                title="Average order value",
                definition="Revenue (after discounts, without tax and shipping) divided by the "
                "orders placed in the period that were not cancelled.",
                counts="orders",
                dimensions=(*TIME, *PLACE),
                measures=(Measure("average_order_value", "Average order value", Unit.MONEY),),
                function=definitions.average_order_value,
            ),
            Metric(
                key="otif",
                title="On time in full",
                definition="Share of the orders promised for delivery in the period, up to now, "
                "that arrived complete and by the promised time; what has not arrived has failed. "
                "Without sales over the counter.",
                counts="orders due",
                dimensions=(*TIME, *PLACE, Dimension.CARRIER),
                measures=(Measure("otif", "On time in full", Unit.SHARE),),
                function=definitions.otif,
            ),
            Metric(
                key="return_rate",
                title="Return rate",
                definition="Share of the units delivered in the period that came back, whenever "
                f"that was; final {RETURNS_SETTLE.days} days after the period ends.",
                counts="delivered units",
                dimensions=(*TIME, *PLACE, *GOODS),
                measures=(Measure("return_rate", "Return rate", Unit.SHARE),),
                function=definitions.return_rate,
                settles=RETURNS_SETTLE,
            ),
            Metric(
                key="cycle_time",
                title="Order to delivery",
                definition="Calendar days from placing the order to its last parcel arriving, of "
                "orders delivered in the period: median, and the time 90 % stay within. Without "
                "sales over the counter.",
                counts="orders",
                dimensions=(*TIME, *PLACE, Dimension.CARRIER),
                measures=(
                    Measure("cycle_time", "Median", Unit.DAYS),
                    Measure("cycle_time_p90", "90 % within", Unit.DAYS),
                ),
                function=definitions.cycle_time,
            ),
        )
    }
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
            f"There is no measure {key!r}. There are {format_items(list(METRICS))}."
        ) from None
