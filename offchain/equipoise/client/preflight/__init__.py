"""Holds a configuration against the chain before anything is sent: every finding at once."""

from __future__ import annotations

from equipoise.client.chain import Chain
from equipoise.client.config import DeploymentConfig
from equipoise.client.deploy.create2 import check_factory
from equipoise.client.deploy.plan import Plan
from equipoise.client.preflight.findings import Finding, Findings, refuse
from equipoise.client.preflight.lending import check_lending
from equipoise.client.preflight.people import check_funds, check_people, estimated_gas
from equipoise.client.preflight.venues import (
    Listing,
    check_codes,
    check_feed,
    check_pool,
    check_router,
    read_token,
)
from equipoise.errors import InputError

__all__ = ["Finding", "Findings", "estimated_gas", "inspect", "refuse"]


def inspect(chain: Chain, deployer: str, config: DeploymentConfig, plan: Plan) -> Findings:
    """What is wrong or doubtful with deploying `config` here; reads only.

    Raises InputError at once when this is another chain than `chain_id` in the configuration: nothing else
    would make sense then.
    """
    if config.chain_id not in (None, chain.chain_id):
        raise InputError(
            f"the configuration is for chain {config.chain_id}, this is chain {chain.chain_id}: choose its "
            "--network, or correct chain_id; nothing was sent"
        )
    findings = Findings()
    try:
        check_factory(chain)
    except InputError as error:
        findings.error("CREATE2", str(error))
    check_people(chain, deployer, config, findings)
    check_funds(chain, deployer, plan, findings)
    check_codes(chain, config, findings)
    check_router(chain, config, findings)
    now = chain.timestamp()
    cash = Listing(
        config.cash,
        read_token(chain, config.cash, findings, config.cash_decimals),
        check_feed(chain, config.cash, now, findings),
    )
    basket = [
        Listing(asset, read_token(chain, asset, findings), check_feed(chain, asset, now, findings))
        for asset in config.assets
    ]
    for listing in basket:
        check_pool(chain, config, cash, listing, findings)
    check_lending(chain, config, cash, basket, findings)
    return findings
