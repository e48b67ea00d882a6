// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";

import {IParameters} from "../interfaces/IParameters.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {IRealizedVolatility} from "../interfaces/IRealizedVolatility.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {Bounds} from "../math/Bounds.sol";
import {EwmaMath} from "../math/EwmaMath.sol";
import {ExposureMath} from "../math/ExposureMath.sol";
import {Word8} from "../math/Word8.sol";

/// @title Exponentially weighted realised volatility of each asset and of the parity portfolio
/// @dev A price counts once the next one has confirmed it: a print that the next one takes back leaves no trace.
contract RealizedVolatility is IRealizedVolatility, IParameters, Ownable2Step {
    uint256 private constant MAX_ASSETS = 8;
    uint256 private constant WAD = 1e18;
    int256 private constant LOG_TO_WAD = 1e6; // from 1e-12
    uint256 private constant WEIGHT_TO_WAD = 1e9; // from 1e-9
    /// @dev 4000 %, as the volatility oracle has it, squared {1e-12}.
    uint256 private constant MAX_VARIANCE = 1600e12;
    /// @dev Before a series is warm, a spike is judged as if volatility were 100 % a year.
    uint256 private constant ASSUMED_VARIANCE = 1e12;
    uint256 private constant ADDRESS_BYTES = 20;
    /// @dev The parity portfolio is written down at a volatility of 0.1 %: so every exposure fits its lane.
    uint256 private constant UNIT_VOLATILITY_WAD = 0.001e18;
    uint256 private constant MAX_EXPOSURE_WAD = 1e24;
    /// @dev Logarithms at the last poke of the portfolio, as int32 {1e-7}: within ±214, as ln of any price is.
    int256 private constant LOG_TO_LANE = 1e5;

    /// @inheritdoc IRealizedVolatility
    IPriceOracle public immutable priceOracle;
    uint256 private immutable _n;
    /// @dev The assets as code: one account to read instead of a slot each.
    address private immutable _assets;

    Params private _params;
    Series[MAX_ASSETS] private _series;
    ParitySeries private _parity;
    uint256 private _parityExposures;
    uint256 private _parityLogs;
    /// @inheritdoc IRealizedVolatility
    IVolatilityOracle public volatilityOracle;

    /// @param assets_ 1 to 8 tokens that `oracle` lists
    constructor(
        address owner,
        IPriceOracle oracle,
        address[] memory assets_,
        Params memory initialParams
    ) Ownable(owner) {
        uint256 n = assets_.length;
        if (n == 0 || n > MAX_ASSETS) revert RealizedVolatility__AssetCountOutOfRange(n, 1, MAX_ASSETS);
        priceOracle = oracle;
        _n = n;
        bytes memory packed;
        for (uint256 i; i < n; ++i) {
            oracle.quote(assets_[i]);
            packed = abi.encodePacked(packed, assets_[i]);
        }
        _assets = SSTORE2.write(packed);
        _setParams(initialParams);
    }

    // ------------------------------------------------------------------ admin

    /// @inheritdoc IRealizedVolatility
    function setVolatilityOracle(IVolatilityOracle oracle) external onlyOwner {
        if (address(volatilityOracle) != address(0))
            revert RealizedVolatility__OracleAlreadySet(address(volatilityOracle));
        bytes32 expected = keccak256(abi.encode(assets()));
        if (oracle.assetsHash() != expected)
            revert RealizedVolatility__BasketMismatch(expected, oracle.assetsHash());
        volatilityOracle = oracle;
        emit VolatilityOracleSet(address(oracle));
    }

    /// @inheritdoc IRealizedVolatility
    function setParams(Params calldata newParams) external onlyOwner {
        _setParams(newParams);
    }

    function _setParams(Params memory p) private {
        Bounds.check("halfLife", p.halfLife, 1 days, 90 days);
        Bounds.check("minInterval", p.minInterval, 10 minutes, 1 days);
        Bounds.check("maxInterval", p.maxInterval, p.minInterval, 7 days);
        Bounds.check("parityInterval", p.parityInterval, 1 hours, 7 days);
        Bounds.check("warmUpWad", p.warmUpWad, 0.1e18, 0.9e18);
        _params = p;
        emit ParamsSet(p);
    }

    // ----------------------------------------------------------------- assets

    /// @inheritdoc IRealizedVolatility
    function poke(uint256 lanes) external returns (uint256 sampled) {
        Params memory p = _params;
        uint256 tried = _due(lanes, p);
        uint256[] memory pricesWad = priceOracle.answers(_select(tried));
        uint256 volatilities;
        uint256 k;
        for (uint256 i; i < _n; ++i) {
            if (tried & (1 << i) == 0) continue;
            uint256 priceWad = pricesWad[k++];
            if (priceWad == 0) continue;
            Series memory s = _series[i];
            _sample(s, FixedPointMathLib.lnWad(int256(priceWad)) / LOG_TO_WAD, p);
            _series[i] = s;
            sampled |= 1 << i;
            volatilities |= _volatility(s, p) << (Word8.LANE_BITS * i);
        }
        if (sampled == 0) revert RealizedVolatility__NothingToPoke(lanes);
        emit Poked(sampled, volatilities);
    }

    /// @inheritdoc IRealizedVolatility
    function due() external view returns (uint256) {
        return _due(type(uint256).max, _params);
    }

    function _due(uint256 lanes, Params memory p) private view returns (uint256 result) {
        for (uint256 i; i < _n; ++i) {
            uint256 bit = 1 << i;
            if (lanes & bit != 0 && block.timestamp - _series[i].pendingAt >= p.minInterval) result |= bit;
        }
    }

    /// @dev In place. The first print is taken as it is, every other one when the next confirms it.
    function _sample(Series memory s, int256 log, Params memory p) private view {
        if (s.pendingAt == 0) {
            s.settledLog = int48(log);
            s.settledAt = uint32(block.timestamp);
        } else if (s.pendingAt != s.settledAt) {
            int256 change = s.pendingLog - s.settledLog;
            uint256 elapsed = s.pendingAt - s.settledAt;
            uint256 expected = _isWarm(s.weight, p)
                ? s.variance
                : FixedPointMathLib.max(s.variance, ASSUMED_VARIANCE);
            if (!EwmaMath.isSpike(change, log - s.pendingLog, elapsed, expected)) {
                (s.variance, s.weight) = _updated(s.variance, s.weight, change, elapsed, p);
                s.settledLog = s.pendingLog;
                s.settledAt = s.pendingAt;
            }
        }
        s.pendingLog = int48(log);
        s.pendingAt = uint32(block.timestamp);
    }

    function _updated(
        uint256 variance,
        uint256 weight,
        int256 change,
        uint256 elapsed,
        Params memory p
    ) private pure returns (uint64, uint32) {
        uint256 weightWad;
        (variance, weightWad) = EwmaMath.update(
            variance,
            weight * WEIGHT_TO_WAD,
            FixedPointMathLib.min(EwmaMath.sample(change, elapsed), MAX_VARIANCE),
            FixedPointMathLib.min(elapsed, p.maxInterval),
            p.halfLife
        );
        return (uint64(variance), uint32(weightWad / WEIGHT_TO_WAD));
    }

    // ----------------------------------------------------------------- parity

    /// @inheritdoc IRealizedVolatility
    function pokeParity() external {
        Params memory p = _params;
        ParitySeries memory s = _parity;
        if (block.timestamp < s.at + p.parityInterval)
            revert RealizedVolatility__TooEarly(s.at + p.parityInterval, block.timestamp);
        if (address(volatilityOracle) == address(0)) revert RealizedVolatility__NoPortfolio();
        (uint256 volatilities, uint256 coordinates) = volatilityOracle.parityPortfolio();
        if (volatilities == 0 || coordinates == 0) revert RealizedVolatility__NoPortfolio();
        (int256 change, uint256 logs) = _parityChange(p);
        if (s.at != 0)
            (s.variance, s.weight) = _updated(s.variance, s.weight, change, block.timestamp - s.at, p);
        s.at = uint40(block.timestamp);
        _parity = s;
        _parityLogs = logs;
        _parityExposures = ExposureMath.targetsWord(
            volatilities,
            coordinates,
            _n,
            UNIT_VOLATILITY_WAD,
            MAX_EXPOSURE_WAD
        );
        emit ParityPoked(change, _ratioWad(s, p));
    }

    /// @dev The log return {1e-12} at a volatility of 100 % since the last poke, at the exposures of then: {1e-7} of
    ///      the logarithms times {1e-8} of the exposures at a volatility of 0.1 %.
    function _parityChange(Params memory p) private view returns (int256 change, uint256 logs) {
        uint256 exposures = _parityExposures;
        uint256 before = _parityLogs;
        for (uint256 i; i < _n; ++i) {
            Series memory s = _series[i];
            if (block.timestamp - s.settledAt > 2 * uint256(p.maxInterval))
                revert RealizedVolatility__SeriesTooOld(i, s.settledAt, block.timestamp);
            uint256 shift = Word8.LANE_BITS * i;
            int256 log = s.settledLog / LOG_TO_LANE;
            change += (log - int32(uint32(before >> shift))) * int256(Word8.lane(exposures, i));
            logs |= uint256(uint32(int32(log))) << shift;
        }
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IRealizedVolatility
    function floors() external view returns (uint256 volatilities, uint256 parityRatioWad) {
        Params memory p = _params;
        for (uint256 i; i < _n; ++i) volatilities |= _volatility(_series[i], p) << (Word8.LANE_BITS * i);
        parityRatioWad = _ratioWad(_parity, p);
    }

    /// @inheritdoc IRealizedVolatility
    function volatility(uint256 index) external view returns (uint256) {
        return _volatility(_series[index], _params);
    }

    /// @inheritdoc IRealizedVolatility
    function series(uint256 index) external view returns (Series memory) {
        return _series[index];
    }

    /// @inheritdoc IRealizedVolatility
    function parity() external view returns (ParitySeries memory) {
        return _parity;
    }

    /// @inheritdoc IRealizedVolatility
    function params() external view returns (Params memory) {
        return _params;
    }

    /// @inheritdoc IRealizedVolatility
    function assets() public view returns (address[] memory) {
        return _select(type(uint256).max);
    }

    /// @dev {1e-8}: the root of {1e-12} is {1e-6}, so the variance is brought to {1e-16} first.
    function _volatility(Series memory s, Params memory p) private pure returns (uint256) {
        return _isWarm(s.weight, p) ? FixedPointMathLib.sqrt(uint256(s.variance) * 1e4) : 0;
    }

    function _ratioWad(ParitySeries memory s, Params memory p) private pure returns (uint256) {
        return _isWarm(s.weight, p) ? FixedPointMathLib.sqrt(uint256(s.variance) * 1e24) : 0;
    }

    function _isWarm(uint256 weight, Params memory p) private pure returns (bool) {
        return weight * WEIGHT_TO_WAD >= p.warmUpWad;
    }

    /// @dev The addresses of some lanes, in their order.
    function _select(uint256 lanes) private view returns (address[] memory tokens) {
        bytes memory packed = SSTORE2.read(_assets);
        tokens = new address[](_n);
        uint256 count;
        for (uint256 i; i < _n; ++i) {
            if (lanes & (1 << i) == 0) continue;
            address token;
            assembly ("memory-safe") {
                token := shr(96, mload(add(add(packed, 32), mul(i, ADDRESS_BYTES))))
            }
            tokens[count++] = token;
        }
        assembly ("memory-safe") {
            mstore(tokens, count)
        }
    }
}
