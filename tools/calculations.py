"""Sums, so that nobody does them in their head."""

from typing import Annotated

from opsbot.toolkit.arguments import argument
from opsbot.toolkit.arithmetic import calculate as work_out
from opsbot.toolkit.results import Result
from opsbot.toolkit.tool import ToolContext, tool

Expression = Annotated[
    str,
    argument(
        "expression",
        "Which numbers shall I work with? Please write it like 3 * 24.00 + 4.90.",
        description='Numbers with + - * / % and parentheses, such as "3 * 24.00 - 12.50".',
        pattern=r"(?<![\w.,#/-])(\(*\s*\d[\d.,]*(?:\s*\)*\s*[-+*/x%]\s*\(*\s*\d[\d.,]*\s*\)*)+)",
        max_length=200,
    ),
]


@tool(
    examples=[
        "What is 3 * 24.00 + 4.90?",
        "calculate 129 - 79.50 for me",
        "how much is 79 + 24 + 24 altogether",
        "work out the difference: 149.00 - 120.50",
        "12 x 7.50 makes how much?",
        "please add up 15.90 + 4.90",
        "what does 250 / 4 come to",
        "sum of 19.99 + 5.01",
    ],
    label="Calculating",
)
def calculate(_ctx: ToolContext, expression: Expression) -> Result:
    """Work out a sum or a difference of numbers exactly: totals, price differences, shares."""
    result = work_out(expression)
    return Result(f"{expression.strip()} = **{result}**", facts={"result": str(result)})
