"""Suppliers that staff name."""

from typing import Annotated

from opsbot.toolkit.arguments import argument

SupplierName = Annotated[
    str,
    argument(
        "supplier",
        "Of which supplier?",
        description="A supplier by name; empty: all.",
        # Names of two words or more with a capital each, or whatever follows "supplier".
        pattern=r"\b(?:supplier|vendor) (?:called |named )?"
        r"((?-i:[^\W\da-z_][\w'-]+(?:(?: &| and)? [^\W\da-z_][\w'-]+)*))"
        r"|\b(?:at|from|is|does|for|with) "
        r"((?-i:[^\W\da-z_][\w'-]+(?:(?: &| and)? [^\W\da-z_][\w'-]+)+))",
        max_length=80,
    ),
]
