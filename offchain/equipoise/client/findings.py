"""What follows from the facts about a vault: why it is in its mode, what else is wrong, what to do.

Pure: facts in, sentences out. The mode is the contracts'; the reasons are derived here from the same facts,
and the gravest of them must give the same mode (EQ-190).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["FAULTS", "MODES", "Finding", "findings_of", "mode_of", "span"]

MODES = ("Normal", "NoIncrease", "DeleverOnly", "InKindOnly")
"""`IRiskGuard.Mode`, in its order: from the least to the most restricted."""
FAULTS = (
    "",
    "unlisted",
    "feed failed",
    "not positive",
    "from the future",
    "stale",
    "out of bounds",
    "sequencer down",
    "pool failed",
    "pool disagrees",
)
"""Names of `IPriceOracle.Fault`, in its order."""
SEVERITIES = ("error", "warning", "info")
_DEPEG = 0.01  # of the deposit token, told from here on
_NEARLY_USED = 0.8  # of the loss budget
_OLD_HEAD = 600  # seconds since a node's last block from which on it is told
_OWN_CLOCK = (1337, 31337)  # local chains, whose time is not the world's
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One thing that an operator should know.

    Attributes
    ----------
    code
        Stable name, for machines.
    severity
        "error" needs somebody now, "warning" soon, "info" is good to know.
    text, remedy
        What is so, with figures and limits; and what to do next, empty where waiting is all.
    mode
        The mode that it causes, None for none.
    incident
        Heading in offchain/RUNBOOK.md.
    """

    code: str
    severity: str
    text: str
    remedy: str = ""
    mode: str | None = None
    incident: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def findings_of(facts: Facts) -> list[Finding]:
    """All findings, the gravest first: by mode, then by severity."""
    kinds = (
        _prices,
        _venue,
        _reports,
        _health,
        _pauses,
        _ripcord,
        _signers,
        _cash,
        _market,
        _head,
        _services,
    )
    found = [finding for kind in kinds for finding in kind(facts)]
    found += [*_waiting(facts), *_auction(facts)]
    return sorted(found, key=lambda f: (-MODES.index(f.mode or MODES[0]), SEVERITIES.index(f.severity)))


def mode_of(findings: list[Finding]) -> str:
    """The mode that the findings explain."""
    return max((finding.mode or MODES[0] for finding in findings), key=MODES.index, default=MODES[0])


def span(seconds: float) -> str:
    """A time as people say it: 45 s, 12 min, 26.5 h, 3.2 d."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    value, unit = (seconds / _HOUR, "h") if seconds < 3 * _DAY else (seconds / _DAY, "d")
    return f"{f'{value:.1f}'.removesuffix('.0')} {unit}"


# ------------------------------------------------------------------ why the mode


def _prices(facts: Facts) -> Iterator[Finding]:
    for symbol, row in facts["assets"].items():
        if not row["price_fault"]:
            continue
        name = facts["cash_symbol"] if symbol == "cash" else symbol
        detail = f" ({row['fault_detail']})" if row["fault_detail"] else ""
        text = f"{name}: price {row['price_fault']}{detail}"
        remedy = "wait for the feed's next round; users: ape run exit --in-kind"
        yield Finding("price-fault", "error", text, remedy, "InKindOnly", "Feed frozen or wrong")


def _venue(facts: Facts) -> Iterator[Finding]:
    if not facts["venue_answers"]:
        text = "the lending venue does not tell the health factor"
        yield Finding(
            "venue-silent",
            "error",
            text,
            "see what the venue's own status says; users: ape run exit --in-kind",
            "InKindOnly",
            "Aave paused, without LTV, or illiquid",
        )
    for token in facts["foreign_collateral"] or ():
        text = f"somebody gave {token} as collateral: the vault depends on its feed at the venue, too"
        remedy = f"ape run keep collateral {token} --drop"
        yield Finding("foreign-collateral", "warning", text, remedy, None, "Collateral that somebody gave")
    for symbol, row in facts["assets"].items():
        if not row["balance"]:
            continue
        incident = "Aave paused, without LTV, or illiquid"
        if row["backs_debt"] is False:
            text = f"{symbol} backs no new debt at the venue (LTV 0, frozen or paused)"
            yield Finding("no-ltv", "warning", text, "", None, incident)
        if row["payable"] is not None and row["payable"] < 1:
            text = f"the venue can pay out {row['payable']:.0%} of the vault's {symbol} now"
            yield Finding("illiquid", "warning", text, "users: ape run exit --in-kind", None, incident)


def _reports(facts: Facts) -> Iterator[Finding]:
    relay = "equipoise relay scripts/configs/relay.yaml --once"
    age, incident = facts["volatilities_age_s"], "Stale oracle"
    if age is None:
        text = "no volatilities were ever posted: the vault waits in cash"
        yield Finding("volatilities-never", "error", text, relay, "NoIncrease", incident)
        return
    if age > facts["volatilities_delever_after_s"]:
        text = f"volatilities are {span(age)} old, more than {span(facts['volatilities_delever_after_s'])}"
        yield Finding("volatilities-silent", "error", text, relay, "DeleverOnly", incident)
    elif age > facts["volatilities_fresh_for_s"]:
        text = f"volatilities are {span(age)} old, fresh for {span(facts['volatilities_fresh_for_s'])}"
        yield Finding("volatilities-stale", "error", text, relay, "NoIncrease", incident)
    age = facts["correlations_age_s"]
    if age is None:
        yield Finding(
            "correlations-never", "error", "no correlations were ever posted", relay, "NoIncrease", incident
        )
    elif age > facts["correlations_fresh_for_s"]:
        text = f"correlations are {span(age)} old, fresh for {span(facts['correlations_fresh_for_s'])}"
        yield Finding("correlations-stale", "error", text, relay, "NoIncrease", incident)
    if age is not None and not facts["has_coordinates"]:
        text = "no verified coordinates for these budgets and correlations"
        yield Finding(
            "coordinates-missing", "error", text, "ape run keep coordinates", "NoIncrease", "Keeper outage"
        )
    ratio = (facts["parity_ratio"] or 0) * facts["parity_fraction"]
    if ratio > 1:
        text = f"realised risk exceeds the reported: volatilities in use are scaled by {ratio:.2f}"
        yield Finding("parity-ratio", "warning", text, "", None, "Compromised signer")


def _health(facts: Facts) -> Iterator[Finding]:
    health = facts["health_factor"]
    if health is None:
        return
    incident = "Falling health factor"
    if health < facts["trigger_health"]:
        text = f"health factor {health:.2f}, below the ripcord's trigger {facts['trigger_health']:.2f}"
        pulled = facts["auction"]["open"] and facts["auction"]["ripcord"]
        remedy = "ape run keep fill" if pulled else "ape run keep ripcord"
        yield Finding("health-trigger", "error", text, remedy, "DeleverOnly", incident)
    elif health < facts["increase_health"]:
        text = f"health factor {health:.2f}, risk rises from {facts['increase_health']:.2f} only"
        remedy = "ape run keep open" if facts["may_open"] != "none" else ""
        yield Finding("health-increase", "warning", text, remedy, "NoIncrease", incident)


def _pauses(facts: Facts) -> Iterator[Finding]:
    for kind, mode in (("increases", "NoIncrease"), ("deposits", None)):
        if facts[f"{kind}_paused"]:
            who = (facts["paused_by"] or {}).get(kind)
            text = f"{kind} are paused by {_who(facts, who) if who else 'somebody: no event tells whom'}"
            how = "ape run propose unpause" if facts["governed"] else "the owner calls guard.unpause()"
            remedy = f"when its cause is over: {how}"
            yield Finding(f"{kind}-paused", "warning", text, remedy, mode, "Compromised guardian")


def _who(facts: Facts, address: str) -> str:
    return {facts["guardian"]: "the guardian", facts["owner"]: "the owner"}.get(address, address)


# ----------------------------------------------------------------- what else


def _ripcord(facts: Facts) -> Iterator[Finding]:
    health, age = facts["health_factor"], facts["volatilities_age_s"]
    silent = age is not None and age > facts["volatilities_delever_after_s"]
    due = health is not None and silent and facts["trigger_health"] <= health < facts["target_health"]
    pulled = facts["auction"]["open"] and facts["auction"]["ripcord"]
    if due and not pulled and facts["mode"] != "InKindOnly":
        target = facts["target_health"]
        text = f"signers are silent and the health factor {health:.3f} is below {target:.3f}"
        yield Finding("ripcord-due", "error", text, "ape run keep ripcord", None, "Falling health factor")


def _signers(facts: Facts) -> Iterator[Finding]:
    have, need = len(facts["signers"]), facts["threshold"]
    if have < need:
        text = f"{have} signers for a threshold of {need}: no report can pass"
        how = "ape run propose signer --add" if facts["governed"] else "the owner's proposeSigner"
        remedy = f"{how} (runbook: Compromised signer)"
        yield Finding("quorum-lost", "error", text, remedy, None, "Compromised signer")


def _cash(facts: Facts) -> Iterator[Finding]:
    price = facts["assets"]["cash"]["price_usd"]
    if price is not None and abs(price - 1) > _DEPEG:
        text = f"{facts['cash_symbol']} trades at {price:.4f} USD"
        remedy = "ape run guardian pause-deposits"
        yield Finding("depeg", "warning", text, remedy, None, "USDC off its peg")


def _market(facts: Facts) -> Iterator[Finding]:
    rate, most = facts["borrow_rate_ann"], facts["max_borrow_rate_ann"]
    if rate is not None and rate > most:
        text = f"borrowing costs {rate:.1%} a year, more than {most:.1%}: nothing more is borrowed"
        yield Finding("borrow-dear", "warning", text, "", None, "Aave paused, without LTV, or illiquid")
    used, budget = facts["loss_budget_used"], facts["loss_budget"]
    if used is not None and used >= _NEARLY_USED * budget:
        text = f"{used / budget:.0%} of the day's loss budget is used: bids may be refused"
        yield Finding("loss-budget", "warning", text, "", None, "Compromised signer")


def _head(facts: Facts) -> Iterator[Finding]:
    age = facts["head_age_s"]
    if facts["chain_id"] not in _OWN_CLOCK and age > _OLD_HEAD:
        text = f"the node's last block is {span(age)} old: it is behind, or it lies"
        remedy = "ask another node before anything is sent"
        yield Finding("head-old", "error", text, remedy, None, "Reorganisation, or a node that lies")


def _services(facts: Facts) -> Iterator[Finding]:
    for service in facts["services"]:
        if not service["ok"]:
            kind = service["kind"]
            text = f"{kind} {service['url']}: {service['reason']}"
            incident = {"keeper": "Keeper outage", "relay": "Relay outage"}.get(kind, "Relay outage")
            remedy = f"restart the {kind} (runbook: {incident})"
            yield Finding(f"{kind}-unhealthy", "warning", text, remedy, None, incident)


def _waiting(facts: Facts) -> Iterator[Finding]:
    for key in ("paused_by", "signer_proposals", "timelock_operations", "governance_proposals"):
        if facts[key] is None:
            text = f"the node gives no logs, so {key.replace('_', ' ')} cannot be told"
            yield Finding("no-logs", "info", text, "ask a node that keeps them")
            return
    for proposal in facts["signer_proposals"]:
        if not proposal["ready_in_s"]:
            text = f"signer {proposal['signer'] or 'threshold'} may be activated by anybody"
            yield Finding("signer-ready", "info", text, "", None, "Compromised signer")
    for operation in facts["timelock_operations"]:
        if not operation["ready_in_s"]:
            text = f"timelock operation {operation['id'][:10]} may be executed by anybody"
            yield Finding("operation-ready", "info", text, "ape run execute latest")


def _auction(facts: Facts) -> Iterator[Finding]:
    if facts["may_open"] != "none" and not facts["auction"]["open"]:
        text = f"an auction may open: {facts['may_open']}"
        yield Finding("may-open", "info", text, "ape run keep open", None, "Keeper outage")
