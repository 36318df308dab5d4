"""Trying the shop's rules over HTTP: for staff, and without any effect."""

from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsbot.channels.dependencies import NowDep, ServicesDep, StaffCallerDep
from opsbot.toolkit.policy import load_policies
from opsbot.toolkit.policy.return_facts import facts_from_json
from opsbot.toolkit.policy_trials import (
    Asked,
    changed_policies,
    explain,
    facts_of_order,
    trial_as_json,
    try_policies,
)

api = APIRouter(prefix="/v1/policy", tags=["policy"])


class Simulation(BaseModel):
    """What is to be decided, and by which rules."""

    model_config = ConfigDict(extra="forbid")

    facts: dict[str, Any] | None = None
    """Of a return: country, customer, channel, return_class, reason, condition, paid_minor,
    bought_on, delivered_on, and what else `opsbot.toolkit.policy.return_facts` has."""
    order: Asked | None = None
    """Or items of an order."""
    today: date | None = None
    """Absent: today."""
    changes: dict[str, Annotated[str, Field(max_length=100_000)]] = Field(default_factory=dict)
    """Changed policy files by name, such as `returns.yaml`, to compare with the rules that hold."""
    last: int = Field(default=0, ge=0, le=1000)
    """With `changes`: so many past returns are decided again by both."""

    @model_validator(mode="after")
    def _asks_something(self) -> "Simulation":
        if self.facts is not None and self.order is not None:
            raise ValueError("give facts or an order, not both")
        if self.facts is None and self.order is None and not (self.changes and self.last):
            raise ValueError("give facts, an order, or changes with last")
        return self


@api.post("/simulate")
def post_simulate(
    asked: Simulation, _staff: StaffCallerDep, services: ServicesDep, now: NowDep
) -> dict[str, Any]:
    """Say what the rules decide, and what changed files would. Nothing is stored."""
    settings = services.settings
    folder = settings.knowledge_dir / "policies"
    live = load_policies(folder)
    tried = changed_policies(folder, asked.changes) if asked.changes else None
    zone, currency = settings.time_zone, settings.currency
    found: dict[str, Any] = {"decisions": [], "trial": None}
    with services.database.read() as session:
        facts = [("", facts_from_json(asked.facts))] if asked.facts is not None else []
        if asked.order is not None:
            facts = facts_of_order(session, asked.order, live, zone=zone, now=now)
        today = asked.today or now.astimezone(ZoneInfo(settings.time_zone)).date()
        found["decisions"] = [
            {"item": item} | explain(one, rules, today, currency=currency)
            for item, one in facts
            for rules in (live, tried)
            if rules is not None
        ]
        if tried is not None and asked.last:
            trial = try_policies(
                session, live, tried, last=asked.last, zone=zone, currency=currency
            )
            found["trial"] = trial_as_json(trial)
    return found
