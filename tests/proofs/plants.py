"""Faults that proofs must find: a proof that passes whatever the code does proves nothing."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PLANTS", "Plant"]


@dataclass(frozen=True)
class Plant:
    """All `edits` together, in sources by their paths, must give each of `checks` a counterexample."""

    proofs: str
    edits: dict[str, list[tuple[str, str]]]
    checks: tuple[str, ...]


PLANTS = [
    Plant(
        "GuardProofs",
        {
            "contracts/vault/RiskGuard.sol": [
                (
                    "healthFactorWad < _settings.triggerHealthWad",
                    "healthFactorWad + 1 == _settings.triggerHealthWad",
                ),
                ("age > p.volatilitiesFreshFor", "age == uint256(p.volatilitiesFreshFor) + 1"),
                (" || p.increasesPaused", ""),
                (
                    "p.increaseHealthWad, p.triggerHealthWad, 4e18",
                    "p.increaseHealthWad, p.triggerHealthWad - 1, 4e18",
                ),
            ]
        },
        (
            "check_modeAt_lowerHealth_neverLooser",
            "check_riskMode_olderReports_neverLooser",
            "check_pause_anyFacts_neverLooser",
            "check_modeAt_anyFacts_isTheTable",
            "check_setParams_accepted_inRangeAndStored",
        ),
    ),
    Plant(
        "PackingProofs",
        {
            "contracts/math/Word8.sol": [
                ("valuesWad[i] / LANE_TO_WAD)", "(valuesWad[i] + 1) / LANE_TO_WAD)"),
                ("word >> (LANE_BITS * n) == 0", "word >> (LANE_BITS * n + 1) == 0"),
            ],
            "contracts/math/CorrelationMatrix.sol": [
                ("(PAIR_BITS * (k % PAIRS_PER_WORD))", "(PAIR_BITS * (k % 15))")
            ],
            "contracts/math/Float16.sol": [("(HALF + (code % HALF))", "(HALF - 1 + (code % HALF))")],
            "contracts/oracle/Listing.sol": [
                ("uint256(f.feedDecimals) << 184", "uint256(f.feedDecimals) << 183"),
                ("word & ~TWAP_BIT", "word & ~(TWAP_BIT | 1)"),
            ],
        },
        (
            "check_word8_anyValues_eachRoundedDown",
            "check_word8_unusedLanes_areTheBitsAbove",
            "check_pair_anyWords_readsItsLane",
            "check_float16_packDown_isTheGreatestBelow",
            "check_float16_packUp_isTheLeastAbove",
            "check_float16_codes_areInOrder",
            "check_listing_anyFeed_readsBack",
            "check_listing_withTwap_touchesNothingElse",
        ),
    ),
    Plant(
        "AuctionProofs",
        {
            "contracts/vault/RebalanceAuction.sol": [
                ("block.timestamp <= a.endsAt", "block.timestamp < a.endsAt"),
                ("if (id != a.id || !_inCourse(a))", "if (!_inCourse(a))"),
            ]
        },
        (
            "check_open_anyState_neverReplacesOneInCourse",
            "check_ripcord_anyState_onlyWhereDue",
            "check_bid_notInCourse_refused",
        ),
    ),
    Plant(
        "AccessProofs",
        {
            "contracts/vault/RiskGuard.sol": [
                (
                    "setGuardian(address newGuardian) external onlyOwner",
                    "setGuardian(address newGuardian) external",
                )
            ],
            "contracts/oracle/PriceOracle.sol": [
                ("Twap calldata twap) external onlyOwner", "Twap calldata twap) external")
            ],
            "contracts/oracle/RealizedVolatility.sol": [
                (
                    "setParams(Params calldata newParams) external onlyOwner",
                    "setParams(Params calldata newParams) external",
                )
            ],
            "contracts/oracle/VolatilityOracle.sol": [
                (
                    "setBudgets(uint256 newBudgets) external onlyOwner",
                    "setBudgets(uint256 newBudgets) external",
                )
            ],
            "contracts/vault/RiskParityVault.sol": [
                (
                    "address recipient) external onlyOwner nonReentrant",
                    "address recipient) external nonReentrant",
                ),
                (") external onlyAuction nonReentrant", ") external nonReentrant"),
                ("newCap < _ledger.depositCap", "newCap <= _ledger.depositCap"),
                ("if (auction != address(0)) revert", "if (auction == newAuction) revert"),
            ],
            "contracts/vault/RebalanceAuction.sol": [
                ("p.lossBudgetWad > old.lossBudgetWad", "p.lossBudgetWad > old.lossBudgetWad + 1"),
                ("bool tightens = msg.sender == guard.guardian() && ", "bool tightens = "),
            ],
            "contracts/lending/AaveV3Account.sol": [
                (
                    "function repay(uint256 amount) external onlyVault",
                    "function repay(uint256 amount) external",
                ),
                ("if (vault != address(0)) revert", "if (vault == msg.sender) revert"),
            ],
            "node_modules/@openzeppelin/contracts/access/Ownable.sol": [
                ("renounceOwnership() public virtual onlyOwner", "renounceOwnership() public virtual")
            ],
            "contracts/governance/RiskTimelock.sol": [
                (
                    "updateDelay(uint256 newDelay) external override onlySelf",
                    "updateDelay(uint256 newDelay) external override",
                )
            ],
        },
        (
            "check_ownership_anyOther_refused",
            "check_guard_anyOther_refused",
            "check_priceOracle_anyOther_refused",
            "check_realizedVolatility_anyOther_refused",
            "check_volatilityOracle_anyOther_refused",
            "check_vault_anyOther_refused",
            "check_exchange_anyButTheAuction_refused",
            "check_setAuction_again_refused",
            "check_auction_anyOther_refused",
            "check_lendingAccount_anyButTheVault_refused",
            "check_bind_again_refused",
            "check_timelock_anyButItself_refused",
            "check_setDepositCap_guardian_onlyLower",
            "check_setParams_guardian_onlyTightens",
        ),
    ),
]
