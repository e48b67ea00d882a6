// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title What may be done now
/// @notice A mode is a view of facts: ages of reports, liveness of prices, the health factor, what the guardian
///         tightened. It is never stored, so it can neither stick nor be set.
interface IRiskGuard {
    /// @notice From the least to the most restricted.
    /// - Normal: everything.
    /// - NoIncrease: deposits and exits; a bid may only bring cash to the vault.
    /// - DeleverOnly: exits; a bid may only bring cash to the vault; no deposits.
    /// - InKindOnly: a price is unusable, so no NAV: only `redeemInKind` is left.
    enum Mode {
        Normal,
        NoIncrease,
        DeleverOnly,
        InKindOnly
    }

    /// @dev 24 bits hold 194 days.
    /// @param volatilitiesFreshFor Age of the volatility report above which risk may not rise {s} [10 min, 7 days]
    /// @param deleverAfter Age of the volatility report above which risk may only fall {s}
    ///        [volatilitiesFreshFor, 30 days]
    /// @param correlationsFreshFor Age of the correlations above which risk may not rise {s} [1 hour, 90 days]
    /// @param correlationsDeleverAfter Age of the correlations at which nothing is borrowed any more {s}: leverage falls to
    ///        1 in a straight line from `correlationsFreshFor` on [correlationsFreshFor, 180 days]
    /// @param triggerHealthWad Health factor below which leverage may only fall, and `ripcord` may be pulled {D18}
    ///        [1.05e18, 3e18]
    /// @param increaseHealthWad Health factor below which leverage may not rise {D18} [triggerHealthWad, 4e18]
    /// @param targetHealthWad Health factor that targets and the ripcord aim at {D18} [increaseHealthWad, 5e18]
    struct Params {
        uint24 volatilitiesFreshFor;
        uint24 deleverAfter;
        uint24 correlationsFreshFor;
        uint24 correlationsDeleverAfter;
        uint64 triggerHealthWad;
        uint64 increaseHealthWad;
        uint64 targetHealthWad;
    }

    event ParamsSet(Params params);
    event IncreasesPaused(address indexed by, bool paused);
    event DepositsPaused(address indexed by, bool paused);
    event GuardianSet(address indexed guardian);

    error RiskGuard__NotGuardian(address caller);
    error RiskGuard__ZeroAddress();

    /// @notice The mode as far as reports and pauses decide it.
    function riskMode() external view returns (Mode);

    /// @notice The mode at a health factor, given that every price is usable (the vault adds InKindOnly when one is
    ///         not).
    /// @param healthFactorWad {D18}; the maximum without debt
    /// @custom:requirement EQ-100 MUST be a pure function of report ages, coordinates, pauses and health factor.
    function modeAt(uint256 healthFactorWad) external view returns (Mode);

    /// @notice Whether deposits are taken: mode Normal or NoIncrease and deposits not paused.
    /// @param healthFactorWad {D18}; the maximum without debt
    function depositsAllowed(uint256 healthFactorWad) external view returns (bool);

    /// @notice Stops risk from rising. Guardian or owner.
    /// @custom:requirement EQ-101 The guardian MUST be able to tighten at once and unable to loosen.
    function pauseIncreases() external;

    /// @notice Stops deposits. Guardian or owner.
    function pauseDeposits() external;

    /// @notice Lifts both pauses. Owner only.
    function unpause() external;

    /// @notice Changes the thresholds within their ranges. Owner only.
    function setParams(Params calldata newParams) external;

    /// @notice Appoints the guardian; the zero address leaves the office empty. Owner only.
    function setGuardian(address newGuardian) external;

    function params() external view returns (Params memory);

    function guardian() external view returns (address);

    function increasesPaused() external view returns (bool);

    function depositsPaused() external view returns (bool);
}
