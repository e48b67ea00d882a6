// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRiskGuard} from "../../contracts/interfaces/IRiskGuard.sol";
import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {RiskGuard} from "../../contracts/vault/RiskGuard.sol";
import {Proof} from "./Cheats.sol";
import {Reports} from "./Doubles.sol";

/// @title The modes form a ladder, and every fact moves along it in one direction only
/// @dev For all parameters that the setter accepts, all report times, all health factors.
contract GuardProofs is Proof {
    Reports internal reports;
    RiskGuard internal guard;

    function setUp() public {
        reports = new Reports(new address[](0));
        guard = new RiskGuard(
            OWNER,
            GUARDIAN,
            IVolatilityOracle(address(reports)),
            IRiskGuard.Params(36 hours, 4 days, 21 days, 45 days, 1.3e18, 1.45e18, 1.6e18)
        );
    }

    function _facts(
        IRiskGuard.Params memory p,
        uint64 now_,
        uint64 volatilitiesAt,
        uint64 correlationsAt,
        bool hasCoordinates
    ) private {
        vm.assume(volatilitiesAt <= now_ && correlationsAt <= now_);
        vm.warp(now_);
        reports.set(volatilitiesAt, correlationsAt, hasCoordinates);
        vm.prank(OWNER);
        guard.setParams(p);
    }

    /// @dev EQ-100: A lower health factor never allows more.
    function check_modeAt_lowerHealth_neverLooser(
        IRiskGuard.Params memory p,
        uint64 now_,
        uint64 volatilitiesAt,
        uint64 correlationsAt,
        bool hasCoordinates,
        uint256 health,
        uint256 lower
    ) public {
        _facts(p, now_, volatilitiesAt, correlationsAt, hasCoordinates);
        vm.assume(lower <= health);
        assert(guard.modeAt(lower) >= guard.modeAt(health));
        assert(guard.modeAt(health) >= guard.riskMode());
    }

    /// @dev EQ-100: Older volatilities never allow more, unless there were none at all.
    function check_riskMode_olderReports_neverLooser(
        IRiskGuard.Params memory p,
        uint64 now_,
        uint64 volatilitiesAt,
        uint64 correlationsAt,
        bool hasCoordinates,
        uint64 olderVolatilities,
        uint64 olderCorrelations
    ) public {
        vm.assume(0 < olderVolatilities && olderVolatilities <= volatilitiesAt);
        vm.assume(olderCorrelations <= correlationsAt);
        _facts(p, now_, volatilitiesAt, correlationsAt, hasCoordinates);
        IRiskGuard.Mode before = guard.riskMode();
        reports.set(olderVolatilities, olderCorrelations, hasCoordinates);
        assert(guard.riskMode() >= before);
        reports.set(volatilitiesAt, correlationsAt, false);
        assert(guard.riskMode() >= before);
    }

    /// @dev EQ-100 EQ-101: Pausing never allows more; deposits are closed while they are paused, and from DeleverOnly on.
    function check_pause_anyFacts_neverLooser(
        IRiskGuard.Params memory p,
        uint64 now_,
        uint64 volatilitiesAt,
        uint64 correlationsAt,
        bool hasCoordinates,
        uint256 health
    ) public {
        _facts(p, now_, volatilitiesAt, correlationsAt, hasCoordinates);
        IRiskGuard.Mode before = guard.modeAt(health);
        assert(guard.depositsAllowed(health) == (before <= IRiskGuard.Mode.NoIncrease));
        vm.prank(GUARDIAN);
        guard.pauseIncreases();
        assert(guard.modeAt(health) >= before);
        assert(guard.modeAt(health) != IRiskGuard.Mode.Normal);
        vm.prank(GUARDIAN);
        guard.pauseDeposits();
        assert(!guard.depositsAllowed(health));
    }

    /// @dev EQ-100: The table of modes, as it stands in contracts/README.md.
    function check_modeAt_anyFacts_isTheTable(
        IRiskGuard.Params memory p,
        uint64 now_,
        uint64 volatilitiesAt,
        uint64 correlationsAt,
        bool hasCoordinates,
        uint256 health
    ) public {
        _facts(p, now_, volatilitiesAt, correlationsAt, hasCoordinates);
        bool owes = health != type(uint256).max;
        bool silent = volatilitiesAt != 0 && now_ - volatilitiesAt > p.deleverAfter;
        IRiskGuard.Mode expected = IRiskGuard.Mode.Normal;
        if (
            volatilitiesAt == 0 ||
            now_ - volatilitiesAt > p.volatilitiesFreshFor ||
            now_ - correlationsAt > p.correlationsFreshFor ||
            !hasCoordinates ||
            (owes && health < p.increaseHealthWad)
        ) expected = IRiskGuard.Mode.NoIncrease;
        if (silent || (owes && health < p.triggerHealthWad)) expected = IRiskGuard.Mode.DeleverOnly;
        assert(guard.modeAt(health) == expected);
    }

    /// @dev EQ-100: What the setter accepts is what it says, and the ladder of health factors is in order.
    function check_setParams_accepted_inRangeAndStored(IRiskGuard.Params memory p) public {
        vm.prank(OWNER);
        guard.setParams(p);
        assert(keccak256(abi.encode(guard.params())) == keccak256(abi.encode(p)));
        assert(1.05e18 <= p.triggerHealthWad && p.triggerHealthWad <= p.increaseHealthWad);
        assert(p.increaseHealthWad <= p.targetHealthWad && p.targetHealthWad <= 5e18);
        assert(p.volatilitiesFreshFor <= p.deleverAfter && p.deleverAfter <= 30 days);
    }
}
