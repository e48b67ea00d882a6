// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPriceOracle} from "./IPriceOracle.sol";
import {IVolatilityOracle} from "./IVolatilityOracle.sol";

/// @title Volatility as the chain itself has seen it: what reported volatility must not sink too far below
/// @notice For each asset an exponentially weighted mean of squared log returns between pokes, and one for the return of
///         the parity portfolio, which tells whether the reported correlations hold. Nobody is trusted: anyone pokes, and
///         the numbers come from the price oracle. Spacing may be irregular: a return over t seconds counts
///         r^2 year / t, and weighs 1 - 2^(-t / halfLife).
interface IRealizedVolatility {
    /// @param halfLife After which a return weighs half {s} [1 day, 90 days]
    /// @param minInterval Between two pokes of an asset {s} [10 minutes, 1 day]
    /// @param maxInterval A return over a longer time weighs no more than one over this {s} [minInterval, 7 days]
    /// @param parityInterval Between two pokes of the parity portfolio {s} [1 hour, 7 days]
    /// @param warmUpWad Weight gathered before a series counts {D18} [0.1e18, 0.9e18]: 0.5e18 is one half-life
    struct Params {
        uint32 halfLife;
        uint32 minInterval;
        uint32 maxInterval;
        uint32 parityInterval;
        uint64 warmUpWad;
    }

    /// @notice One asset's series. One storage slot.
    /// @param settledLog ln of the last price that counted {1e-12}
    /// @param pendingLog ln of the price at the last poke, which the next one confirms {1e-12}
    /// @param settledAt {unix s}
    /// @param pendingAt {unix s}; 0 before the first poke
    /// @param variance Weighted mean of the squared returns a year {1e-12 / year}
    /// @param weight 1 - 2^(-time observed / halfLife) {1e-9}
    struct Series {
        int48 settledLog;
        int48 pendingLog;
        uint32 settledAt;
        uint32 pendingAt;
        uint64 variance;
        uint32 weight;
    }

    /// @notice Returns of the portfolio whose assets contribute their budgets, by what was reported.
    /// @param at {unix s}; 0 before the first poke
    /// @param variance Weighted mean of realised over reported variance {1e-12}
    /// @param weight {1e-9}
    struct ParitySeries {
        uint40 at;
        uint64 variance;
        uint32 weight;
    }

    /// @param lanes Bit i set: asset i was sampled
    /// @param volatilities WORD8 of theirs after it, 0 where a series is not warm
    event Poked(uint256 lanes, uint256 volatilities);
    /// @param change Log return of the parity portfolio at a volatility of 100 % since the last time {1e-12}
    /// @param ratioWad Realised over reported volatility {D18}, 0 while it is not warm
    event ParityPoked(int256 change, uint256 ratioWad);
    event VolatilityOracleSet(address indexed oracle);
    event ParamsSet(Params params);

    error RealizedVolatility__AssetCountOutOfRange(uint256 count, uint256 min, uint256 max);
    /// @notice None of the asked lanes was due and had a usable price.
    error RealizedVolatility__NothingToPoke(uint256 lanes);
    /// @notice Poke the parity portfolio again at `dueAt`.
    error RealizedVolatility__TooEarly(uint256 dueAt, uint256 timestamp);
    /// @notice The series of asset `index` ends at `settledAt`: poke the assets until it is newer.
    error RealizedVolatility__SeriesTooOld(uint256 index, uint256 settledAt, uint256 timestamp);
    /// @notice The volatility oracle has no volatilities or no coordinates: there is no portfolio to watch.
    error RealizedVolatility__NoPortfolio();
    error RealizedVolatility__OracleAlreadySet(address oracle);
    /// @notice The volatility oracle is for other assets, or the same in another order.
    error RealizedVolatility__BasketMismatch(bytes32 expected, bytes32 actual);

    /// @notice Samples the prices of some assets. Anyone may. An asset that is not due, or whose price cannot be used,
    ///         is left out and catches up later.
    /// @param lanes Bit i set: asset i; `type(uint256).max` for all
    /// @return sampled The lanes that were taken
    /// @custom:requirement EQ-140 EQ-141 EQ-142 EQ-143
    function poke(uint256 lanes) external returns (uint256 sampled);

    /// @notice Samples the return of the parity portfolio since the last time. Anyone may.
    /// @custom:requirement EQ-145
    function pokeParity() external;

    /// @notice What reports are measured against, zero for what is not warm.
    /// @return volatilities WORD8 of realised volatilities, each at most 4000 % and, once warm, at least 1e-8
    /// @return parityRatioWad Realised over reported volatility of the parity portfolio {D18}
    function floors() external view returns (uint256 volatilities, uint256 parityRatioWad);

    /// @notice Realised volatility of one asset, 0 while it is not warm {1e-8 / sqrt(year)}
    function volatility(uint256 index) external view returns (uint256);

    function series(uint256 index) external view returns (Series memory);

    function parity() external view returns (ParitySeries memory);

    /// @notice Lanes that `poke` would try now.
    function due() external view returns (uint256 lanes);

    /// @notice Names the oracle whose portfolio is watched, once. Owner only.
    function setVolatilityOracle(IVolatilityOracle oracle) external;

    function setParams(Params calldata newParams) external;

    function params() external view returns (Params memory);

    function assets() external view returns (address[] memory);

    function priceOracle() external view returns (IPriceOracle);

    function volatilityOracle() external view returns (IVolatilityOracle);
}
