"""The steps of one deployment, in their order, and the handles that stand at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.client.artifacts import Artifact, load_artifact, load_npm_artifact
from equipoise.client.chain import Chain
from equipoise.client.config import AssetConfig, DeploymentConfig
from equipoise.client.contract import Contract
from equipoise.client.deploy.authority import OWNED
from equipoise.client.deploy.create2 import salt_of
from equipoise.client.deploy.described import config_hash, described
from equipoise.client.deploy.governance import governance_steps, offer
from equipoise.client.deploy.steps import Creation, Step, created, is_gone, setting
from equipoise.client.deployment import ACCOUNT, CONTRACTS, GOVERNANCE
from equipoise.errors import InputError
from equipoise.units import to_token

__all__ = ["Plan", "make_plan"]

_ROUTER = "@uniswap/v3-periphery/artifacts/contracts/SwapRouter.sol/SwapRouter"
_NOBODY = "0x" + "0" * 40


@dataclass(frozen=True)
class Plan:
    """`creations` by attribute of `Deployment` (besides those: "account", "router"); `steps` in order."""

    creations: dict[str, Creation]
    steps: list[Step]

    @property
    def addresses(self) -> dict[str, str]:
        """Where each contract will be, or is."""
        return {name: creation.contract.address for name, creation in self.creations.items()}


def make_plan(chain: Chain, deployer: str, config: DeploymentConfig) -> Plan:
    """What has to be done, without asking the chain whether it is. Nothing is sent.

    Raises ToolchainError when the contracts are not compiled, InputError for values that fit no constructor.
    """
    salt = salt_of(config_hash(described(config)), deployer)
    made: dict[str, Creation] = {}

    def make(attribute: str, artifact: Artifact, *args: Any, **options: Any) -> Contract:
        made[attribute] = created(chain, deployer, salt, artifact, args, **options)
        return made[attribute].contract

    def ours(attribute: str, *args: Any, **options: Any) -> Contract:
        return make(attribute, load_artifact(CONTRACTS[attribute]), *args, **options)

    cash, basket = config.cash.token, [asset.token for asset in config.assets]
    router = config.swap_router
    if router is None:  # where only SwapRouter02 was deployed, which speaks another ABI
        router = make("router", load_npm_artifact(_ROUTER), config.uniswap_factory, config.weth).address
    listings = [config.cash.listing(), *(asset.listing() for asset in config.assets)]
    prices = ours("price_oracle", deployer, config.chain.params(), listings)
    realized = ours("realized_volatility", deployer, prices, basket, config.realized.params())
    oracle = ours(
        "volatility_oracle",
        deployer,
        config.guardian,
        realized,
        basket,
        config.budgets_word,
        list(config.oracle.signers),
        config.oracle.threshold,
        config.oracle.params(),
    )
    guard = ours("guard", deployer, config.guardian, oracle, config.guard.params())
    account = (
        make("account", load_artifact(ACCOUNT), config.aave_pool, cash, basket) if config.levered else None
    )
    vault = ours(
        "vault",
        config.name,
        config.symbol,
        deployer,
        cash,
        basket,
        prices,
        guard,
        account or _NOBODY,
        check=lambda address: _check_unbound(account, address),
    )
    auction = ours("auction", deployer, vault, oracle, config.auction.params())
    ours("filler", config.uniswap_factory, auction)
    ours("zap", vault, router, config.aave_pool or _NOBODY)
    ours("lens")

    wiring = _wiring(chain, deployer, config, {name: c.contract for name, c in made.items()})
    opening = _opening(vault, deployer, config)
    owned = [made[name].contract for name in OWNED]
    if config.governance:
        votes = make("votes", load_artifact(GOVERNANCE["votes"]), vault, *_voting_names(config))
        lock = config.governance.delay, config.guardian, deployer
        timelock = make("timelock", load_artifact(GOVERNANCE["timelock"]), *lock)
        rules = config.governance.settings()
        governor = make("governor", load_artifact(GOVERNANCE["governor"]), votes, timelock, vault, rules)
        wiring += governance_steps(deployer, owned, vault, timelock, governor, opening)
    elif config.owner and config.owner.lower() != deployer.lower():
        wiring += [opening, *(offer(contract, deployer, config.owner) for contract in owned)]
    else:
        wiring.append(opening)
    return Plan(made, [*(creation.step for creation in made.values()), *wiring])


def _voting_names(config: DeploymentConfig) -> tuple[str, str]:
    return f"{config.name} Votes", f"v{config.symbol}"


def _check_unbound(account: Contract | None, vault: str) -> None:
    """A lending account obeys who binds it first: a vault does in its constructor, if nobody else has."""
    if account is None:
        return
    bound = account.call("vault")
    if int(bound, 16) and bound != vault:
        raise InputError(
            f"the lending account {account.address} was bound by a stranger ({bound}) before its vault; "
            "nothing of value is there: set another `salt` in the configuration, then run this with --restart"
        )


def _wiring(chain: Chain, deployer: str, config: DeploymentConfig, at: dict[str, Contract]) -> list[Step]:
    vault, prices, auction = at["vault"], at["price_oracle"], at["auction"]
    realized, oracle = at["realized_volatility"], at["volatility_oracle"]
    fees = config.fees.params()

    def has_fees() -> bool:
        recipient = vault.call("feeRecipient").lower()
        return tuple(vault.call("fees")) == fees and bool(recipient == config.fee_recipient.lower())

    return [
        setting(
            realized,
            deployer,
            "name the volatility oracle",
            lambda: bool(realized.call("volatilityOracle") == oracle.address),
            "setVolatilityOracle",
            oracle,
        ),
        *(_twap(chain, deployer, config, prices, asset) for asset in config.assets if asset.twap_window),
        setting(
            vault,
            deployer,
            "name the auction",
            lambda: bool(vault.call("auction") == auction.address),
            "setAuction",
            auction,
        ),
        setting(vault, deployer, "set the fees", has_fees, "setFees", fees, config.fee_recipient),
    ]


def _opening(vault: Contract, deployer: str, config: DeploymentConfig) -> Step:
    """Until this the vault takes no deposit. Any cap but 0 is one that was set, by the guardian perhaps."""
    cap = to_token(config.deposit_cap, config.cash_decimals)
    return setting(
        vault,
        deployer,
        "set the deposit cap",
        lambda: bool(vault.call("depositCap") or not cap),
        "setDepositCap",
        cap,
    )


def _twap(
    chain: Chain, deployer: str, config: DeploymentConfig, prices: Contract, asset: AssetConfig
) -> Step:
    """Have a feed checked by its pool's mean price."""
    factory = Contract(
        chain, config.uniswap_factory, load_artifact("IUniswapV3Factory").abi, "UniswapV3Factory"
    )

    def wanted() -> tuple[str, int, int]:
        pool = factory.call("getPool", asset.token, config.cash.token, asset.pool_fee)
        if int(pool, 16) == 0:
            raise InputError(
                f"{asset.symbol} has no Uniswap V3 pool against cash with a fee of {asset.pool_fee}; correct "
                "pool_fee, or set twap_window to 0"
            )
        return asset.twap(pool)

    return Step(
        f"check {asset.symbol} by its pool",
        lambda: tuple(prices.call("twapOf", asset.token)) == wanted() or is_gone(prices, deployer),
        lambda: prices.send("setTwap", asset.token, wanted(), sender=deployer),
    )
