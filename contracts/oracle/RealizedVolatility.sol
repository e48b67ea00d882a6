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
/// @dev A price counts once the next one has confirmed it: a print that the next one takes back leaves no trace. All
/// assets share one clock, and each fact of all of them one word: a poke of eight writes four slots.
contract RealizedVolatility is IRealizedVolatility, IParameters, Ownable2Step {
    /// @dev One return of all assets: its time and weights.
    struct Step {
        uint256 elapsed;
        uint256 oldWad;
        uint256 freshWad;
    }

    uint256 private constant WAD = 1e18;
    uint256 private constant MAX_ASSETS = 8;
    uint256 private constant ONE_VOL = 1e8; // 100 % {1e-8}
    uint256 private constant MAX_VOL = 40e8; // as the volatility oracle has it
    /// @dev Of realised over reported volatility, and of one return in standard deviations: a feed that is wrong for hours
    ///      must not close the vault for months.
    uint256 private constant MAX_RATIO = 10e8;
    uint256 private constant WEIGHT_TO_WAD = 1e9; // from 1e-9
    uint256 private constant RATIO_TO_WAD = 1e10; // from 1e-8
    /// @dev Logarithms are int32 {1e-7}: within ±214, as ln of any price is, and fine enough for 0.1 % a year.
    int256 private constant WAD_TO_LOG = 1e11;
    int256 private constant LOG_TO_VOL = 10; // to 1e-8
    /// @dev The parity portfolio is written down at a volatility of 0.1 %: so every exposure fits its lane.
    uint256 private constant UNIT_VOLATILITY_WAD = 0.001e18;
    uint256 private constant MAX_EXPOSURE_WAD = 1e24;
    /// @dev From 1e-7 {log} times 1e-8 {exposure at 0.1 %} to 1e-8 {at 100 %}.
    int256 private constant CHANGE_TO_VOL = 1e4;

    /// @inheritdoc IRealizedVolatility
    IPriceOracle public immutable priceOracle;

    /// @dev abi.encode(assets) as code: one account to read instead of a slot each.
    address private _assets;
    uint8 private _n;
    Clock private _clock;
    Params private _params;
    uint256 private _volatilities;
    /// @dev {1e-9} What each asset's weight lacks of the clock's: 0 for those from the start, so that they cost one read.
    uint256 private _missingWeights;
    uint256 private _settledLogs;
    uint256 private _pendingLogs;
    uint256 private _parityExposures;
    uint256 private _parityLogs;
    /// @inheritdoc IRealizedVolatility
    IVolatilityOracle public volatilityOracle;

    /// @param oracle Where the prices come from; each asset must have a usable one now
    /// @param assets_ 1 to 8 tokens
    constructor(
        address owner,
        IPriceOracle oracle,
        address[] memory assets_,
        Params memory initialParams
    ) Ownable(owner) {
        priceOracle = oracle;
        _setParams(initialParams);
        _setBasket(new address[](0), assets_);
        _clock.settledAt = uint32(block.timestamp);
        _clock.pendingAt = uint32(block.timestamp);
    }

    // ------------------------------------------------------------------ admin

    /// @inheritdoc IRealizedVolatility
    function setVolatilityOracle(IVolatilityOracle oracle) external onlyOwner {
        if (address(volatilityOracle) != address(0))
            revert RealizedVolatility__OracleAlreadySet(address(volatilityOracle));
        _requireSameBasket(assets(), oracle);
        volatilityOracle = oracle;
        emit VolatilityOracleSet(address(oracle));
    }

    function _requireSameBasket(address[] memory ours, IVolatilityOracle oracle) private view {
        (bytes32 expected, bytes32 actual) = (keccak256(abi.encode(ours)), oracle.assetsHash());
        if (expected != actual) revert RealizedVolatility__BasketMismatch(expected, actual);
    }

    /// @inheritdoc IRealizedVolatility
    function setBasket(address[] calldata newAssets) external onlyOwner {
        // the lanes are the oracle's: it goes first, and has nothing in use until reports for the new basket come
        if (address(volatilityOracle) != address(0)) _requireSameBasket(newAssets, volatilityOracle);
        _setBasket(assets(), newAssets);
        // of another portfolio: its next return begins at the next poke; what was learnt about its reports stays
        _clock.parityAt = 0;
    }

    /// @dev Assets that stay take their lanes along. New ones start at the price now with all of the weight missing.
    function _setBasket(address[] memory oldAssets, address[] memory newAssets) private {
        uint256 n = newAssets.length;
        if (n == 0 || n > MAX_ASSETS) revert RealizedVolatility__AssetCountOutOfRange(n, 1, MAX_ASSETS);
        uint256[4] memory old = [_volatilities, _missingWeights, _settledLogs, _pendingLogs];
        uint256[4] memory lanes;
        uint256 weight = _clock.weight;
        for (uint256 i; i < n; ++i) {
            uint256 j;
            while (j < oldAssets.length && oldAssets[j] != newAssets[i]) ++j;
            if (j < oldAssets.length) {
                for (uint256 k; k < 4; ++k) lanes[k] |= Word8.lane(old[k], j) << (Word8.LANE_BITS * i);
            } else {
                uint256 log = _lane(_log(priceOracle.quote(newAssets[i]).midWad), i);
                (lanes[2], lanes[3]) = (lanes[2] | log, lanes[3] | log);
                lanes[1] |= weight << (Word8.LANE_BITS * i);
            }
        }
        (_volatilities, _missingWeights, _settledLogs, _pendingLogs) = (
            lanes[0],
            lanes[1],
            lanes[2],
            lanes[3]
        );
        _n = uint8(n);
        _assets = SSTORE2.write(abi.encode(newAssets));
        emit BasketSet(newAssets);
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
        _clock.warmUp = uint32(p.warmUpWad / WEIGHT_TO_WAD);
        emit ParamsSet(p);
    }

    // ----------------------------------------------------------------- assets

    /// @inheritdoc IRealizedVolatility
    function poke() external {
        Params memory p = _params;
        Clock memory c = _clock;
        if (block.timestamp < uint256(c.pendingAt) + p.minInterval)
            revert RealizedVolatility__TooEarly(uint256(c.pendingAt) + p.minInterval, block.timestamp);
        uint256 used;
        uint256 pending = _pendingLogs;
        uint256 latest;
        uint256[] memory pricesWad = priceOracle.answers(assets());
        for (uint256 i; i < pricesWad.length; ++i) {
            uint256 priceWad = pricesWad[i];
            if (priceWad != 0) used |= 1 << i;
            latest |= _lane(priceWad != 0 ? _log(priceWad) : _logAt(pending, i), i);
        }
        uint256 volatilities = _volatilities;
        // nothing but the first prices has been seen so far: there is no return to settle
        if (c.pendingAt != c.settledAt) {
            volatilities = _settle(c, p, pricesWad.length, volatilities, pending, latest);
            _volatilities = volatilities;
        }
        _pendingLogs = latest;
        c.pendingAt = uint32(block.timestamp);
        _clock = c;
        emit Poked(used, volatilities);
    }

    /// @dev Counts the returns up to the pending prices, which `latest` confirms or takes back; `c` changes in place.
    function _settle(
        Clock memory c,
        Params memory p,
        uint256 n,
        uint256 volatilities,
        uint256 pending,
        uint256 latest
    ) private returns (uint256 updated) {
        uint256 settled = _settledLogs;
        uint256 missing = _missingWeights;
        Step memory step = _step(c.weight, c.pendingAt - c.settledAt, p);
        uint256 weight = (step.oldWad + step.freshWad) / WEIGHT_TO_WAD;
        uint256 confirmed;
        uint256 stillMissing;
        unchecked {
            // logarithms of 32 bits, and no weight lacks more than the clock has
            for (uint256 i; i < n; ++i) {
                uint256 lacking = Word8.lane(missing, i);
                uint256 oldWad = step.oldWad;
                int256 before = _logAt(settled, i);
                int256 change = _logAt(pending, i) - before;
                if (lacking != 0) {
                    // a new asset's weight begins with its first return: the time before it was listed is not calm
                    bool begins = lacking != c.weight || change != 0;
                    uint256 left = begins ? (lacking * (WAD - step.freshWad)) / WAD : weight;
                    stillMissing |= left << (Word8.LANE_BITS * i);
                    oldWad = begins ? oldWad - left * WEIGHT_TO_WAD : 0;
                }
                (uint256 vol, bool spike) = _settleOne(
                    step,
                    oldWad,
                    Word8.lane(volatilities, i),
                    // before it is warm, a spike is judged as if volatility were at least 100 % a year
                    c.weight - lacking < c.warmUp ? ONE_VOL : 0,
                    change,
                    _logAt(latest, i) - before - change
                );
                confirmed |= _lane(spike ? before : before + change, i);
                updated |= vol << (Word8.LANE_BITS * i);
            }
        }
        _settledLogs = confirmed;
        if (missing != 0) _missingWeights = stillMissing;
        c.settledAt = c.pendingAt;
        c.weight = uint32(weight);
    }

    /// @param change Of the logarithm up to the pending price
    /// @param next The change after it
    function _settleOne(
        Step memory step,
        uint256 oldWad,
        uint256 vol,
        uint256 leastVol,
        int256 change,
        int256 next
    ) private pure returns (uint256 updated, bool spike) {
        unchecked {
            uint256 sample = EwmaMath.sample(change * LOG_TO_VOL, step.elapsed);
            uint256 usual = FixedPointMathLib.max(vol, leastVol);
            spike = EwmaMath.isSpike(change, next, sample, usual * usual);
            if (spike) sample = 0;
            updated = EwmaMath.update(vol, sample, oldWad, step.freshWad, MAX_VOL);
        }
    }

    function _step(uint256 weight, uint256 elapsed, Params memory p) private pure returns (Step memory s) {
        s.elapsed = elapsed;
        (s.oldWad, s.freshWad) = EwmaMath.weights(
            weight * WEIGHT_TO_WAD,
            FixedPointMathLib.min(elapsed, p.maxInterval),
            p.halfLife
        );
    }

    // ----------------------------------------------------------------- parity

    /// @inheritdoc IRealizedVolatility
    function pokeParity() external {
        Params memory p = _params;
        Clock memory c = _clock;
        if (block.timestamp > uint256(c.settledAt) + 2 * uint256(p.maxInterval))
            revert RealizedVolatility__PricesTooOld(c.settledAt, block.timestamp);
        uint256 next = uint256(c.parityAt) + p.parityInterval;
        if (c.settledAt < next) revert RealizedVolatility__TooEarly(next, c.settledAt);
        if (address(volatilityOracle) == address(0)) revert RealizedVolatility__NoPortfolio();
        (uint256 volatilities, uint256 coordinates) = volatilityOracle.parityPortfolio();
        if (volatilities == 0 || coordinates == 0) revert RealizedVolatility__NoPortfolio();

        uint256 settled = _settledLogs;
        int256 change;
        if (c.parityAt != 0) {
            change = _parityChange(settled);
            Step memory step = _step(c.parityWeight, c.settledAt - c.parityAt, p);
            uint256 sample = EwmaMath.sample(change / CHANGE_TO_VOL, step.elapsed);
            c.parityRatio = uint32(
                EwmaMath.update(c.parityRatio, sample, step.oldWad, step.freshWad, MAX_RATIO)
            );
            c.parityWeight = uint32((step.oldWad + step.freshWad) / WEIGHT_TO_WAD);
        }
        c.parityAt = c.settledAt;
        _clock = c;
        _parityLogs = settled;
        _parityExposures = ExposureMath.targetsWord(
            volatilities,
            coordinates,
            _n,
            UNIT_VOLATILITY_WAD,
            MAX_EXPOSURE_WAD
        );
        emit ParityPoked(change, c.parityRatio);
    }

    /// @dev By the exposures of the last poke: what was claimed then is held against what happened since.
    function _parityChange(uint256 settled) private view returns (int256 change) {
        uint256 before = _parityLogs;
        uint256 exposures = _parityExposures;
        for (uint256 i; exposures >> (Word8.LANE_BITS * i) != 0; ++i)
            change += (_logAt(settled, i) - _logAt(before, i)) * int256(Word8.lane(exposures, i));
    }

    // ------------------------------------------------------------------ lanes

    function _log(uint256 priceWad) private pure returns (int256) {
        return FixedPointMathLib.rawSDiv(FixedPointMathLib.lnWad(int256(priceWad)), WAD_TO_LOG);
    }

    function _logAt(uint256 word, uint256 i) private pure returns (int256) {
        unchecked {
            return int32(uint32(word >> (Word8.LANE_BITS * i)));
        }
    }

    function _lane(int256 log, uint256 i) private pure returns (uint256) {
        unchecked {
            return uint256(uint32(int32(log))) << (Word8.LANE_BITS * i);
        }
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IRealizedVolatility
    function floors() external view returns (uint256 volatilities, uint256 parityRatioWad) {
        Clock memory c = _clock;
        if (c.weight >= c.warmUp) volatilities = _warm(_volatilities, c);
        if (c.parityWeight >= c.warmUp) parityRatioWad = c.parityRatio * RATIO_TO_WAD;
    }

    /// @dev Without the lanes of assets that joined later and are not warm themselves.
    function _warm(uint256 volatilities, Clock memory c) private view returns (uint256) {
        uint256 missing = _missingWeights;
        for (uint256 i; missing >> (Word8.LANE_BITS * i) != 0; ++i) {
            if (c.weight - Word8.lane(missing, i) < c.warmUp)
                volatilities &= ~(Word8.LANE_MASK << (Word8.LANE_BITS * i));
        }
        return volatilities;
    }

    /// @inheritdoc IRealizedVolatility
    function dueAt() external view returns (uint256 pokeAt, uint256 parityAt) {
        Clock memory c = _clock;
        return (uint256(c.pendingAt) + _params.minInterval, uint256(c.parityAt) + _params.parityInterval);
    }

    /// @inheritdoc IRealizedVolatility
    function clock() external view returns (Clock memory) {
        return _clock;
    }

    /// @inheritdoc IRealizedVolatility
    function rawVolatilities() external view returns (uint256) {
        return _volatilities;
    }

    /// @inheritdoc IRealizedVolatility
    function logs() external view returns (uint256 settled, uint256 pending) {
        return (_settledLogs, _pendingLogs);
    }

    /// @inheritdoc IRealizedVolatility
    function params() external view returns (Params memory) {
        return _params;
    }

    /// @inheritdoc IRealizedVolatility
    function assets() public view returns (address[] memory) {
        return abi.decode(SSTORE2.read(_assets), (address[]));
    }
}
