"""Numbers of documents that staff name: work orders, purchase orders, lots."""

from typing import Annotated

from opsbot.toolkit.arguments import argument

WorkOrderNumber = Annotated[
    str,
    argument(
        "work_order_number",
        "Which work order? Its number looks like WO-00017.",
        description="Number of a work order, such as WO-00017.",
        pattern=r"\b(?:WO|work order|production order)[\s#:-]*(?:no\.?|number)?[\s#:-]*(\d{1,6})\b",
        max_length=20,
    ),
]
PurchaseOrderNumber = Annotated[
    str,
    argument(
        "purchase_order_number",
        "Which purchase order? Its number looks like PO-00042.",
        description="Number of a purchase order, such as PO-00042.",
        pattern=r"\b(?:PO|purchase order)[\s#:-]*(?:no\.?|number)?[\s#:-]*(\d{1,6})\b",
        max_length=20,
    ),
]
LotNumber = Annotated[
    str,
    argument(
        "lot_number",
        "Which lot? Its number looks like LOT-00231.",
        description="Number of a lot or batch, such as LOT-00231.",
        pattern=r"\b(?:LOT|batch)[\s#:-]*(?:no\.?|number)?[\s#:-]*(?:L[\s-]?)?(\d{1,6})\b(?!,\d)"
        r"|\b(L-\d{3,6})\b",
        max_length=20,
    ),
]
