"""How the files in knowledge/policies/ become rules, and how their words are held to the values."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from opsbot.errors import InvalidInputError
from opsbot.toolkit.policy.schema import PolicyFile, ReturnsFile, RightsFile, Rules
from opsbot.toolkit.policy.schema_changes import ChangesFile, IdentityFile
from opsbot.toolkit.policy.schema_money import LoyaltyFile, RefundsFile
from opsbot.toolkit.policy.schema_orders import DeliveryFile, OrdersFile
from opsbot.toolkit.results import Clause
from opsbot.yamls import compose_mapping, line_of, load_yaml, words_of_error

FileT = TypeVar("FileT", bound=PolicyFile)

FILES = (
    "rights", "returns", "orders", "delivery", "refunds", "loyalty", "changes", "identity",
)  # fmt: skip
"""Names of the policy files."""

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
QUOTED = frozenset({
    "withdrawal.right", "withdrawal.effects", "withdrawal.exempt", "guarantee.law",
    "guarantee.warranty", "returns.window", "returns.postage", "returns.send", "returns.damaged",
    "returns.keep_item", "returns.store_credit", "returns.review", "cancellation.before_packing",
    "cancellation.while_packing", "cancellation.after_handover", "cancellation.made_to_order",
    "address.until_packed", "address.same_country", "address.code", "address.redirect",
    "delivery.late", "delivery.lost", "delivery.not_received", "delivery.damaged",
    "guarantee.reject", "returns.missing_part", "returns.value", "warranty.claim",
    "warranty.registration",
    "changes.cancel_reason", "changes.items", "changes.once", "changes.payment",
    "changes.gift_card", "changes.exchange", "changes.refund_to", "changes.coming_back_once",
    "refunds.limits", "refunds.never_more", "goodwill.limits", "loyalty.earning",
    "loyalty.pending", "loyalty.using", "loyalty.returns", "loyalty.expiry", "loyalty.tiers",
})  # fmt: skip
"""Clauses that decisions name; the files must have them."""


@dataclass(frozen=True)
class Policies:
    """All the shop's rules, as one version."""

    rights: RightsFile
    returns: ReturnsFile
    orders: OrdersFile
    delivery: DeliveryFile
    refunds: RefundsFile
    loyalty: LoyaltyFile
    changes: ChangesFile
    identity: IdentityFile
    version: str
    """Day of the newest file, and a hash of all of them: `2026-11-01-3fa2b1c4`."""

    def clause(self, clause_id: str) -> Clause:
        """Return a clause by its id.

        Raises:
            KeyError: there is none; ids that decisions name are checked when the files load.
        """
        for file in self.files:
            for clause in file.clauses:
                if clause.id == clause_id:
                    return Clause(clause.id, clause.title, clause.text)
        raise KeyError(clause_id)

    @property
    def files(self) -> Sequence[PolicyFile]:
        """The files, in a fixed order."""
        return (
            self.rights, self.returns, self.orders, self.delivery, self.refunds, self.loyalty,
            self.changes, self.identity,
        )  # fmt: skip

    def clauses(self) -> list[Clause]:
        """Return every clause, in the order of the files."""
        return [Clause(c.id, c.title, c.text) for file in self.files for c in file.clauses]

    def warranty_months(self, return_class: str) -> int:
        """Return how many months of the shop's own warranty goods of this class have."""
        warranty = self.rights.warranty
        return warranty.months_by_class.get(return_class, warranty.months)


def load_policies(folder: Path) -> Policies:
    """Read the policy files of `folder`.

    Raises:
        InvalidInputError: a file is missing or unknown, is not YAML, or has a wrong or unknown
            key; a clause names a number that is not enforced, or leaves out one that is; the
            files contradict each other. The text names the file, the line and the field.
    """
    for path in sorted(folder.glob("*.y*ml")):
        if path.stem not in FILES or path.suffix != ".yaml":
            names = ", ".join(f"{name}.yaml" for name in FILES)
            raise InvalidInputError(f"{path} is not a policy file; there are {names}.")
    policies = Policies(
        rights=_read(folder / "rights.yaml", RightsFile),
        returns=_read(folder / "returns.yaml", ReturnsFile),
        orders=_read(folder / "orders.yaml", OrdersFile),
        delivery=_read(folder / "delivery.yaml", DeliveryFile),
        refunds=_read(folder / "refunds.yaml", RefundsFile),
        loyalty=_read(folder / "loyalty.yaml", LoyaltyFile),
        changes=_read(folder / "changes.yaml", ChangesFile),
        identity=_read(folder / "identity.yaml", IdentityFile),
        version="",
    )
    _check_clauses(folder, policies)
    _check_classes(folder, policies)
    _check_times(folder, policies)
    return replace(policies, version=_version(policies))


def _version(policies: Policies) -> str:
    content = [file.model_dump(mode="json") for file in policies.files]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{max(file.version for file in policies.files)}-{digest[:8]}"


def _read(path: Path, kind: type[FileT]) -> FileT:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"The policy file {path} cannot be read: {error}.") from error
    root = compose_mapping(path, text, noun="a policy file")
    try:
        file = kind.model_validate(load_yaml(text))
    except ValidationError as error:
        first = error.errors()[0]
        line = line_of(root, first["loc"])
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InvalidInputError(
            f"{path}, line {line}: {where}: {words_of_error(first)}."
        ) from error
    for clause in file.clauses:
        _check_numbers(path, file, clause.id, clause.text, clause.values)
    return file


def _check_numbers(
    path: Path, file: PolicyFile, clause: str, text: str, values: Sequence[str]
) -> None:
    """Hold the words of a clause to the values that are enforced."""
    named = set(_NUMBER.findall(text))
    wanted: set[str] = set()
    for value in values:
        forms = _forms(path, file, clause, value)
        if not forms & named:
            raise InvalidInputError(f"{path}: the text of {clause} does not name {value}.")
        wanted |= forms
    if unknown := sorted(named - wanted):
        raise InvalidInputError(
            f"{path}: the text of {clause} names {unknown[0]}, which none of its values is."
        )


def _forms(path: Path, file: PolicyFile, clause: str, dotted: str) -> set[str]:
    """Return how an enforced value may be written in a sentence."""
    value: Any = file
    for part in dotted.split("."):
        value = _part_of(value, part)
        if value is None:
            raise InvalidInputError(f"{path}: {clause} names {dotted}, which is no value here.")
    if isinstance(value, time):
        return {f"{value:%H:%M}", f"{value.hour}:{value:%M}"}
    if isinstance(value, int) and ("_minor" in dotted):
        return {f"{value / 100:.2f}"} | ({str(value // 100)} if value % 100 == 0 else set())
    if isinstance(value, str):
        return {str(int(value[3:]))}
    return {str(value)}


def _part_of(value: Any, name: str) -> Any:
    """Return what a rule has under a name; of a list, the one with that `name`, `tool` or place."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, tuple):
        named = [
            one for one in value if name in (getattr(one, "name", None), getattr(one, "tool", None))
        ]
        return named[0] if named else None
    return getattr(value, name, None)


def _check_clauses(folder: Path, policies: Policies) -> None:
    ids = [clause.id for clause in policies.clauses()]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise InvalidInputError(f"{folder}: the clause {twice[0]} occurs twice.")
    named = set(QUOTED) | {clause for file in policies.files for clause in _named_by(file)}
    if missing := sorted(named - set(ids)):
        raise InvalidInputError(f"{folder}: there is no clause {missing[0]}, but a rule names it.")


def _check_classes(folder: Path, policies: Policies) -> None:
    """Refuse a return class that returns.yaml does not have: a rule for it would never hold."""
    named = {
        "rights.yaml": [
            *policies.rights.warranty.months_by_class,
            *(
                name
                for region in policies.rights.regions.values()
                if region.withdrawal is not None
                for name in (
                    *region.withdrawal.exempt_classes,
                    *region.withdrawal.exempt_when_opened,
                )
            ),
        ],
        "loyalty.yaml": policies.loyalty.earn.not_for_classes,
    }
    for file, names in named.items():
        if unknown := [name for name in names if name not in policies.returns.classes]:
            message = f"{folder / file}: there is no return class {unknown[0]} in returns.yaml"
            raise InvalidInputError(f"{message}; check its spelling.")


def _check_times(folder: Path, policies: Policies) -> None:
    """Refuse a time to send goods back that is shorter than the law's."""
    for name, region in policies.rights.regions.items():
        law = region.withdrawal
        if law is not None and policies.returns.send_within_days < law.send_back_within_days:
            raise InvalidInputError(
                f"{folder / 'returns.yaml'}: send_within_days is shorter than the law of {name} "
                f"allows: {law.send_back_within_days} days."
            )


def _named_by(rules: Rules) -> Iterator[str]:
    for name in type(rules).model_fields:
        value = getattr(rules, name)
        if name == "clause":
            yield value
        parts = value.values() if isinstance(value, dict) else value
        for part in parts if isinstance(value, dict | tuple) else (value,):
            if isinstance(part, Rules):
                yield from _named_by(part)
