// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPriceOracle} from "./IPriceOracle.sol";
import {IVolatilityOracle} from "./IVolatilityOracle.sol";

/// @title Volatility as the chain itself has seen it: what reported volatility must not sink too far below
/// @notice For each asset an exponentially weighted mean of squared log returns between pokes, and one for the return of
///         the parity portfolio, which tells whether the reported correlations hold. Nobody is trusted: anyone pokes, and
///         the prices come from the price oracle. Spacing may be irregular: a return over t seconds counts
///         r^2 year / t, and weighs 1 - 2^(-t / halfLife). A price that cannot be used counts as unchanged, so that its
///         move counts when it is back.
interface IRealizedVolatility {
    /// @param halfLife After which a return weighs half {s} [1 day, 90 days]
    /// @param minInterval Between two pokes {s} [10 minutes, 1 day]
    /// @param maxInterval A return over a longer time weighs no more than one over this {s} [minInterval, 7 days]
    /// @param parityInterval Between two pokes of the parity portfolio {s} [1 hour, 7 days]
    /// @param warmUpWad Weight gathered before anything counts {D18} [0.1e18, 0.9e18]: 0.5e18 is one half-life
    struct Params {
        uint32 halfLife;
        uint32 minInterval;
        uint32 maxInterval;
        uint32 parityInterval;
        uint64 warmUpWad;
    }

    /// @notice What all assets share. One storage slot.
    /// @param settledAt Time of the last prices that counted {unix s}
    /// @param pendingAt Time of the last poke, whose prices the next one confirms {unix s}
    /// @param weight 1 - 2^(-time observed / halfLife) {1e-9}, of the assets from the start: one that joins later gathers
    ///        its own
    /// @param parityAt `settledAt` at the last poke of the parity portfolio, 0 before the first {unix s}
    /// @param parityWeight {1e-9}
    /// @param parityRatio Realised over reported volatility of the parity portfolio {1e-8}
    /// @param warmUp Of `Params` {1e-9}
    struct Clock {
        uint32 settledAt;
        uint32 pendingAt;
        uint32 weight;
        uint32 parityAt;
        uint32 parityWeight;
        uint32 parityRatio;
        uint32 warmUp;
    }

    /// @param used Bit i set: asset i had a usable price
    /// @param volatilities WORD8 of realised volatilities after it, warm or not
    event Poked(uint256 used, uint256 volatilities);
    /// @param change Log return of the parity portfolio at a volatility of 100 % since the last time {1e-12}
    /// @param ratio Realised over reported volatility, warm or not {1e-8}
    event ParityPoked(int256 change, uint256 ratio);
    event VolatilityOracleSet(address indexed oracle);
    event ParamsSet(Params params);
    event BasketSet(address[] assets);

    error RealizedVolatility__AssetCountOutOfRange(uint256 count, uint256 min, uint256 max);
    /// @notice Poke again at `dueAt`.
    error RealizedVolatility__TooEarly(uint256 dueAt, uint256 timestamp);
    /// @notice The last settled prices are of `settledAt`: poke the assets twice first.
    error RealizedVolatility__PricesTooOld(uint256 settledAt, uint256 timestamp);
    /// @notice The volatility oracle has no volatilities or no coordinates: there is no portfolio to watch.
    error RealizedVolatility__NoPortfolio();
    error RealizedVolatility__OracleAlreadySet(address oracle);
    /// @notice The volatility oracle is for other assets, or the same in another order.
    error RealizedVolatility__BasketMismatch(bytes32 expected, bytes32 actual);

    /// @notice Samples the prices of the basket. Anyone may.
    /// @custom:requirement EQ-140 EQ-141 EQ-142 EQ-143
    function poke() external;

    /// @notice Samples the return of the parity portfolio since the last time. Anyone may.
    /// @custom:requirement EQ-145
    function pokeParity() external;

    /// @notice What reports are measured against, zero while it is not warm.
    /// @return volatilities WORD8 of realised volatilities, each at most 4000 %
    /// @return parityRatioWad Realised over reported volatility of the parity portfolio {D18} [0, 10e18]
    function floors() external view returns (uint256 volatilities, uint256 parityRatioWad);

    /// @notice Times from which `poke` and `pokeParity` are accepted {unix s}.
    function dueAt() external view returns (uint256 pokeAt, uint256 parityAt);

    function clock() external view returns (Clock memory);

    /// @notice WORD8 of realised volatilities, warm or not.
    function rawVolatilities() external view returns (uint256);

    /// @notice Natural logarithms of the prices in USD, of the last settled and of the last seen: 8 lanes of int32 in
    ///         units of 1e-7, asset i at bits [32 i, 32 i + 32).
    function logs() external view returns (uint256 settled, uint256 pending);

    /// @notice Replaces the assets; those that stay keep all that is known of them. Owner only, after the volatility
    ///         oracle's own change. A new one counts once it is warm itself; a return of the parity portfolio across the
    ///         change does not count.
    /// @param newAssets 1 to 8 tokens, as the volatility oracle has them; each new one must have a usable price now
    /// @custom:requirement EQ-92
    function setBasket(address[] calldata newAssets) external;

    /// @notice Names the oracle whose portfolio is watched, once. Owner only.
    function setVolatilityOracle(IVolatilityOracle oracle) external;

    /// @notice Changes the parameters within their ranges. Owner only.
    /// @custom:requirement EQ-147
    function setParams(Params calldata newParams) external;

    function params() external view returns (Params memory);

    function assets() external view returns (address[] memory);

    function priceOracle() external view returns (IPriceOracle);

    function volatilityOracle() external view returns (IVolatilityOracle);
}
