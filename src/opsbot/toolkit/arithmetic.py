"""Work out what people write with digits and signs, exactly."""

import ast
import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException

from opsbot.errors import InvalidInputError

_MOST_SIGNS = 50
_SIGNS: Mapping[type[ast.operator], Callable[[Decimal, Decimal, Context], Decimal]] = {
    ast.Add: lambda a, b, context: context.add(a, b),
    ast.Sub: lambda a, b, context: context.subtract(a, b),
    ast.Mult: lambda a, b, context: context.multiply(a, b),
    ast.Div: lambda a, b, context: context.divide(a, b),
}
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_NEEDS = "Please write numbers with + - * / and parentheses, such as 3 * 24.00 + 4.90."


def calculate(expression: str) -> Decimal:
    """Return what a sum comes to, to 28 digits and without the noughts at its end.

    Args:
        expression: digits with + - * / % and parentheses; "," parts thousands or decimals.

    Raises:
        InvalidInputError: it is something else, is too long, or divides by nought.
    """
    text = expression.replace("×", "*").replace("−", "-")  # noqa: RUF001
    text = re.sub(r"(?<=[\d\s)])x(?=[\d\s(])", "*", text)
    text = _THOUSANDS.sub("", re.sub(r"[€$£]|EUR|USD|GBP", "", text)).replace(",", ".")
    text = _PERCENT.sub(r"(\1/100)", text).strip().rstrip("=? ")
    if not re.fullmatch(r"[\d.+\-*/()\s]+", text) or "**" in text or "//" in text:
        raise InvalidInputError(_NEEDS)
    if len(re.findall(r"[-+*/]", text)) > _MOST_SIGNS:
        raise InvalidInputError("That is too long for one sum.")
    try:
        tree = ast.parse(text, mode="eval")
        value = _value(tree.body, text, Context(prec=28))
        return _plain(value)
    except (SyntaxError, DecimalException, RecursionError) as error:
        raise InvalidInputError(_NEEDS) from error


def _value(node: ast.expr, text: str, context: Context) -> Decimal:
    if isinstance(node, ast.Constant):
        return Decimal(ast.get_source_segment(text, node) or "")
    if isinstance(node, ast.BinOp) and (sign := _SIGNS.get(type(node.op))):
        return sign(_value(node.left, text, context), _value(node.right, text, context), context)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand, text, context)
        return context.minus(value) if isinstance(node.op, ast.USub) else value
    raise InvalidInputError(_NEEDS)


def _plain(value: Decimal) -> Decimal:
    rounded = (
        value.quantize(Decimal("0.0001")) if value == value.quantize(Decimal("0.0001")) else value
    )
    whole = rounded.normalize()
    exponent = whole.as_tuple().exponent
    return whole.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else whole
