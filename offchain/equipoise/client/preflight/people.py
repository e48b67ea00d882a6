"""Accounts of people: signers, owner, guardian, and the deployer with its purse."""

from __future__ import annotations

from equipoise.client.chain import Chain
from equipoise.client.config import DeploymentConfig
from equipoise.client.deploy.head import is_local
from equipoise.client.deploy.plan import Plan
from equipoise.client.preflight.findings import Findings

__all__ = ["check_funds", "check_people", "estimated_gas"]

_RESERVED = 0x10000
"""Addresses below belong to precompiles and to nobody: placeholders."""

_CALL_GAS = 60_000
_CREATION_GAS = 100_000
_GAS_PER_CODE_BYTE = 200
_GAS_PER_DATA_BYTE = 16
_MARGIN = 1.2

# of the mnemonic "test test … junk", by which every development node funds its accounts
_KNOWN_KEYS = {
    "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
    "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
    "0x90f79bf6eb2c4f870365e785982e1f101e93b906",
    "0x15d34aaf54267db7d7c367839aaf71a00a2c6a65",
    "0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
    "0x976ea74026e726554db657fa54763abd0c3a0aa9",
    "0x14dc79964da2c08b23698b3d3cc7ca32193d9955",
    "0x23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f",
    "0xa0ee7a142d267c1f36714e4a8f75612f20a79720",
}


def check_people(chain: Chain, deployer: str, config: DeploymentConfig, findings: Findings) -> None:
    """Signers, owner and guardian: nobody twice, nobody with two offices, nobody who does not exist."""
    signers = [signer.lower() for signer in config.oracle.signers]
    offices = {"guardian": config.guardian, "fee_recipient": config.fee_recipient}
    if config.owner:
        offices["owner"] = config.owner
    people = offices | {f"oracle.signers[{i}]": signer for i, signer in enumerate(config.oracle.signers)}
    local = is_local(chain)
    for subject, address in people.items():
        if int(address, 16) < _RESERVED:
            findings.error(
                subject, f"{address} is a placeholder that belongs to nobody: put an account there"
            )
        elif not local and address.lower() in _KNOWN_KEYS:
            findings.error(subject, f"{address} is a test account whose key everybody knows: name another")
    if len(set(signers)) != len(signers):
        twice = sorted({signer for signer in signers if signers.count(signer) > 1})
        findings.error("oracle.signers", f"{twice} stand there twice: each signer counts once")
    threshold, count = config.oracle.threshold, len(signers)
    if not count // 2 < threshold <= count:
        findings.error(
            "oracle.threshold", f"{threshold} of {count} is no majority: give {count // 2 + 1} to {count}"
        )
    for office, address in {**offices, "deployer": deployer}.items():
        if office != "fee_recipient" and address.lower() in signers:
            findings.error("oracle.signers", f"{address} is the {office} too: a signer has no other office")
    if config.guardian.lower() == (config.owner or "").lower():
        findings.error("guardian", f"{config.guardian} is the owner too: the guardian watches the owner")
    if config.guardian.lower() == deployer.lower():
        findings.warning("guardian", f"{deployer} is the deployer, which should have no power in the end")
    if config.owner and config.owner.lower() == deployer.lower():
        findings.warning("owner", f"{deployer} is the deployer, which would keep every power")
    elif config.owner and not chain.code(config.owner) and not local:
        findings.warning(
            "owner", f"{config.owner} is a plain account: one key changes every parameter at once"
        )
    if threshold == 1:
        findings.warning("oracle.threshold", "one signer alone decides what the volatilities are")


def estimated_gas(plan: Plan) -> int:
    """Of every step that is not yet done, rather a fifth too much {gas}."""
    missing = [len(made.creation_code) for made in plan.creations.values() if not made.step.is_done()]
    settings = plan.steps[len(plan.creations) :]
    # a setting can only be asked for where the contracts stand
    left = len(settings) if missing else sum(not step.is_done() for step in settings)
    per_byte = _GAS_PER_CODE_BYTE + _GAS_PER_DATA_BYTE
    return sum(_CREATION_GAS + per_byte * size for size in missing) + _CALL_GAS * left


def check_funds(chain: Chain, deployer: str, plan: Plan, findings: Findings) -> None:
    """Whether the deployer can pay for what is left to do, at the price of gas now."""
    gas, price = estimated_gas(plan), int(chain.request("eth_gasPrice"), 16)
    cost, balance = round(gas * price * _MARGIN), int(chain.request("eth_getBalance", deployer, "latest"), 16)
    if balance < cost:
        findings.error(
            "deployer",
            f"{deployer} has {balance / 1e18:.6g} ETH; about {gas / 1e6:.1f} M gas at "
            f"{price / 1e9:.4g} gwei cost "
            f"{cost / 1e18:.6g}: send it {(cost - balance) / 1e18:.6g} more",
        )
