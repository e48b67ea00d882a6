// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IParameters} from "../interfaces/IParameters.sol";
import {IRiskGuard} from "../interfaces/IRiskGuard.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {Bounds} from "../math/Bounds.sol";

/// @title The mode, computed from facts
contract RiskGuard is IRiskGuard, IParameters, Ownable2Step {
    /// @dev Params and pauses, so laid out that all but the target health factor are in one slot.
    struct Settings {
        uint24 volatilitiesFreshFor;
        uint24 deleverAfter;
        uint24 correlationsFreshFor;
        uint24 correlationsDeleverAfter;
        uint64 triggerHealthWad;
        uint64 increaseHealthWad;
        bool increasesPaused;
        bool depositsPaused;
        uint64 targetHealthWad;
    }

    IVolatilityOracle public immutable volatilityOracle;

    /// @inheritdoc IRiskGuard
    address public guardian;
    Settings private _settings;

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
        _settings.increasesPaused = true;
        emit IncreasesPaused(msg.sender, true);
    }

    /// @inheritdoc IRiskGuard
    function pauseDeposits() external onlyGuardian {
        _settings.depositsPaused = true;
        emit DepositsPaused(msg.sender, true);
    }

    /// @inheritdoc IRiskGuard
    function unpause() external onlyOwner {
        _settings.increasesPaused = false;
        _settings.depositsPaused = false;
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
        Bounds.check(
            "correlationsDeleverAfter",
            p.correlationsDeleverAfter,
            p.correlationsFreshFor,
            180 days
        );
        Bounds.check("triggerHealthWad", p.triggerHealthWad, 1.05e18, 3e18);
        Bounds.check("increaseHealthWad", p.increaseHealthWad, p.triggerHealthWad, 4e18);
        Bounds.check("targetHealthWad", p.targetHealthWad, p.increaseHealthWad, 5e18);
        _settings = Settings({
            volatilitiesFreshFor: p.volatilitiesFreshFor,
            deleverAfter: p.deleverAfter,
            correlationsFreshFor: p.correlationsFreshFor,
            correlationsDeleverAfter: p.correlationsDeleverAfter,
            triggerHealthWad: p.triggerHealthWad,
            increaseHealthWad: p.increaseHealthWad,
            increasesPaused: _settings.increasesPaused,
            depositsPaused: _settings.depositsPaused,
            targetHealthWad: p.targetHealthWad
        });
        emit ParamsSet(p);
    }

    // ------------------------------------------------------------------- mode

    /// @inheritdoc IRiskGuard
    function riskMode() public view returns (Mode) {
        (uint256 volatilitiesAt, uint256 correlationsAt, bool hasCoordinates) = volatilityOracle
            .reportTimes();
        // without any report there is no risk yet: the vault waits in cash
        if (volatilitiesAt == 0) return Mode.NoIncrease;
        Settings storage p = _settings;
        uint256 age = block.timestamp - volatilitiesAt;
        // before the coordinates are looked at: clearing them must not loosen the mode
        if (age > p.deleverAfter) return Mode.DeleverOnly;
        bool stale = age > p.volatilitiesFreshFor ||
            block.timestamp - correlationsAt > p.correlationsFreshFor;
        return !hasCoordinates || stale || p.increasesPaused ? Mode.NoIncrease : Mode.Normal;
    }

    /// @inheritdoc IRiskGuard
    function modeAt(uint256 healthFactorWad) public view returns (Mode mode) {
        mode = riskMode();
        // without debt no threshold is read
        if (healthFactorWad == type(uint256).max || mode == Mode.DeleverOnly) return mode;
        if (healthFactorWad < _settings.triggerHealthWad) return Mode.DeleverOnly;
        return healthFactorWad < _settings.increaseHealthWad ? Mode.NoIncrease : mode;
    }

    /// @inheritdoc IRiskGuard
    function depositsAllowed(uint256 healthFactorWad) external view returns (bool) {
        return !_settings.depositsPaused && modeAt(healthFactorWad) <= Mode.NoIncrease;
    }

    /// @inheritdoc IRiskGuard
    function increasesPaused() external view returns (bool) {
        return _settings.increasesPaused;
    }

    /// @inheritdoc IRiskGuard
    function depositsPaused() external view returns (bool) {
        return _settings.depositsPaused;
    }

    /// @inheritdoc IRiskGuard
    function params() external view returns (Params memory) {
        Settings memory p = _settings;
        return
            Params(
                p.volatilitiesFreshFor,
                p.deleverAfter,
                p.correlationsFreshFor,
                p.correlationsDeleverAfter,
                p.triggerHealthWad,
                p.increaseHealthWad,
                p.targetHealthWad
            );
    }
}
