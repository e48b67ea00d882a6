// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IParameters} from "../interfaces/IParameters.sol";
import {IRiskGuard} from "../interfaces/IRiskGuard.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {Bounds} from "../math/Bounds.sol";

/// @title The mode, computed from facts
contract RiskGuard is IRiskGuard, IParameters, Ownable2Step {
    IVolatilityOracle public immutable volatilityOracle;

    /// @inheritdoc IRiskGuard
    address public guardian;
    /// @inheritdoc IRiskGuard
    bool public increasesPaused;
    /// @inheritdoc IRiskGuard
    bool public depositsPaused;
    Params private _params;

    modifier onlyGuardian() {
        if (msg.sender != guardian && msg.sender != owner()) revert RiskGuard__NotGuardian(msg.sender);
        _;
    }

    constructor(
        address owner,
        address initialGuardian,
        IVolatilityOracle oracle,
        Params memory initialParams
    ) Ownable(owner) {
        if (address(oracle) == address(0)) revert RiskGuard__ZeroAddress();
        volatilityOracle = oracle;
        _setGuardian(initialGuardian);
        _setParams(initialParams);
    }

    // ------------------------------------------------------------------ admin

    /// @inheritdoc IRiskGuard
    function pauseIncreases() external onlyGuardian {
        increasesPaused = true;
        emit IncreasesPaused(msg.sender, true);
    }

    /// @inheritdoc IRiskGuard
    function pauseDeposits() external onlyGuardian {
        depositsPaused = true;
        emit DepositsPaused(msg.sender, true);
    }

    /// @inheritdoc IRiskGuard
    function unpause() external onlyOwner {
        increasesPaused = false;
        depositsPaused = false;
        emit IncreasesPaused(msg.sender, false);
        emit DepositsPaused(msg.sender, false);
    }

    /// @inheritdoc IRiskGuard
    function setParams(Params calldata newParams) external onlyOwner {
        _setParams(newParams);
    }

    /// @inheritdoc IRiskGuard
    function setGuardian(address newGuardian) external onlyOwner {
        _setGuardian(newGuardian);
    }

    function _setGuardian(address newGuardian) private {
        guardian = newGuardian;
        emit GuardianSet(newGuardian);
    }

    function _setParams(Params memory p) private {
        Bounds.check("volatilitiesFreshFor", p.volatilitiesFreshFor, 10 minutes, 7 days);
        Bounds.check("deleverAfter", p.deleverAfter, p.volatilitiesFreshFor, 30 days);
        Bounds.check("correlationsFreshFor", p.correlationsFreshFor, 1 hours, 90 days);
        _params = p;
        emit ParamsSet(p);
    }

    // ------------------------------------------------------------------- mode

    /// @inheritdoc IRiskGuard
    function riskMode() public view returns (Mode) {
        (uint256 volatilitiesAt, uint256 correlationsAt, bool hasCoordinates) = volatilityOracle
            .reportTimes();
        // without any report there is no risk yet: the vault waits in cash
        if (volatilitiesAt == 0) return Mode.NoIncrease;
        Params memory p = _params;
        uint256 age = block.timestamp - volatilitiesAt;
        // before the coordinates are looked at: clearing them must not loosen the mode
        if (age > p.deleverAfter) return Mode.DeleverOnly;
        bool stale = age > p.volatilitiesFreshFor ||
            block.timestamp - correlationsAt > p.correlationsFreshFor;
        return !hasCoordinates || stale || increasesPaused ? Mode.NoIncrease : Mode.Normal;
    }

    /// @inheritdoc IRiskGuard
    function depositsAllowed() external view returns (bool) {
        return !depositsPaused && riskMode() <= Mode.NoIncrease;
    }

    /// @inheritdoc IRiskGuard
    function params() external view returns (Params memory) {
        return _params;
    }
}
