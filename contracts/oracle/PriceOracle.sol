// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {LibCall} from "solady/utils/LibCall.sol";

import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {Bounds} from "../math/Bounds.sol";
import {Float16} from "../math/Float16.sol";
import {TwapMath} from "../math/TwapMath.sol";

/// @title Chainlink prices with heartbeat, bounds and a spread, an L2 sequencer check and a TWAP cross-check
contract PriceOracle is IPriceOracle, IParameters, Ownable2Step {
    /// @dev A `Feed` in one slot, with bounds as Float16.
    struct Listing {
        address feed;
        uint24 heartbeat;
        uint8 feedDecimals;
        uint8 tokenDecimals;
        uint16 halfSpreadBps;
        uint16 minPrice;
        uint16 maxPrice;
        bool hasTwap;
    }

    /// @dev A `Twap` with what was read from its pool at listing, so that a pool that dies cannot make a reading revert.
    struct Check {
        address pool;
        uint32 window;
        uint16 bandBps;
        bool isToken0;
        address other;
    }

    /// @dev What one reading found out; `answer` and `updatedAt` are the feed's, for the error.
    struct Reading {
        Fault fault;
        uint256 priceWad;
        uint256 twapWad;
        int256 answer;
        uint256 updatedAt;
    }

    uint256 private constant WAD = 1e18;
    uint256 private constant BPS = 1e4;
    uint256 private constant BPS_TO_WAD = 1e14;
    uint256 private constant MAX_DECIMALS = 18;
    uint256 private constant MAX_PRICE_WAD = 1e30;
    uint256 private constant MIN_HEARTBEAT = 60;
    uint256 private constant MAX_HEARTBEAT = 7 days;
    uint256 private constant MAX_HALF_SPREAD_BPS = 500;
    /// @dev Ten times what a Chainlink proxy or a pool's search needs: what burns all it gets cannot starve the others.
    uint256 private constant FEED_GAS = 400_000;
    uint256 private constant POOL_GAS = 1_000_000;
    uint256 private constant MAX_TICK = 887_272;
    uint16 private constant ROUND_BYTES = 160;
    uint16 private constant OBSERVATIONS_BYTES = 256;

    address private immutable _sequencerFeed;
    uint256 private immutable _gracePeriod;
    uint256 private immutable _blockTime;

    mapping(address token => Listing) private _listings;
    mapping(address token => Check) private _checks;

    constructor(address owner, ChainConfig memory chain, FeedConfig[] memory configs) Ownable(owner) {
        Bounds.check("gracePeriod", chain.gracePeriod, 0, 1 days);
        Bounds.check("blockTime", chain.blockTime, 1, 1 minutes);
        if (chain.sequencerFeed != address(0) && chain.sequencerFeed.code.length == 0)
            revert PriceOracle__NotAContract(chain.sequencerFeed);
        _sequencerFeed = chain.sequencerFeed;
        _gracePeriod = chain.gracePeriod;
        _blockTime = chain.blockTime;
        for (uint256 i; i < configs.length; ++i) _setFeed(configs[i]);
    }

    // ------------------------------------------------------------------ admin

    /// @inheritdoc IPriceOracle
    function setFeed(FeedConfig calldata config) external onlyOwner {
        _setFeed(config);
    }

    function _setFeed(FeedConfig memory config) private {
        if (config.token.code.length == 0) revert PriceOracle__NotAContract(config.token);
        if (config.feed.code.length == 0) revert PriceOracle__NotAContract(config.feed);
        Bounds.check("heartbeat", config.heartbeat, MIN_HEARTBEAT, MAX_HEARTBEAT);
        Bounds.check("halfSpreadBps", config.halfSpreadBps, 0, MAX_HALF_SPREAD_BPS);
        Bounds.check("maxPriceWad", config.maxPriceWad, 2, MAX_PRICE_WAD);
        Bounds.check("minPriceWad", config.minPriceWad, 1, config.maxPriceWad - 1);
        uint8 feedDecimals = IAggregatorV3(config.feed).decimals();
        uint8 tokenDecimals = IERC20Metadata(config.token).decimals();
        Bounds.check("feedDecimals", feedDecimals, 0, MAX_DECIMALS);
        Bounds.check("tokenDecimals", tokenDecimals, 0, MAX_DECIMALS);

        _listings[config.token] = Listing({
            feed: config.feed,
            heartbeat: uint24(config.heartbeat),
            feedDecimals: feedDecimals,
            tokenDecimals: tokenDecimals,
            halfSpreadBps: config.halfSpreadBps,
            minPrice: Float16.packDown(config.minPriceWad),
            maxPrice: Float16.packUp(config.maxPriceWad),
            hasTwap: _listings[config.token].hasTwap
        });
        emit FeedSet(config.token, feedOf(config.token));
        quote(config.token);
    }

    /// @inheritdoc IPriceOracle
    function setTwap(address token, Twap calldata twap) external onlyOwner {
        if (_listings[token].feed == address(0)) revert PriceOracle__UnknownToken(token);
        bool checks = twap.pool != address(0);
        delete _checks[token];
        _listings[token].hasTwap = checks;
        if (checks) _checks[token] = _checkOf(token, twap);
        emit TwapSet(token, twap);
        if (checks) quote(token);
    }

    function _checkOf(address token, Twap calldata twap) private view returns (Check memory) {
        if (twap.pool.code.length == 0) revert PriceOracle__NotAContract(twap.pool);
        Bounds.check("window", twap.window, 5 minutes, 1 days);
        Bounds.check("bandBps", twap.bandBps, 100, 5000);
        IUniswapV3Pool pool = IUniswapV3Pool(twap.pool);
        bool isToken0 = token == pool.token0();
        address other = isToken0 ? pool.token1() : pool.token0();
        if ((!isToken0 && token != pool.token1()) || _listings[other].feed == address(0))
            revert PriceOracle__WrongPool(token, twap.pool);
        (, , , uint16 cardinality, , , ) = pool.slot0();
        // a pool writes at most one observation a block: with so many nobody can push the window out of them
        uint256 need = twap.window / _blockTime + 1;
        if (cardinality < need) revert PriceOracle__CardinalityTooLow(twap.pool, cardinality, need);
        return Check(twap.pool, twap.window, twap.bandBps, isToken0, other);
    }

    // ---------------------------------------------------------------- reading

    /// @inheritdoc IPriceOracle
    function quote(address token) public view returns (Quote memory) {
        return _quote(token, _sequencerFault());
    }

    /// @inheritdoc IPriceOracle
    function quotes(address[] calldata tokens) external view returns (Quote[] memory result) {
        Fault fault = _sequencerFault();
        result = new Quote[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) result[i] = _quote(tokens[i], fault);
    }

    /// @inheritdoc IPriceOracle
    function faults(address[] calldata tokens) external view returns (Fault[] memory result) {
        Fault fault = _sequencerFault();
        result = new Fault[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            result[i] = _checked(tokens[i], _listings[tokens[i]], fault).fault;
        }
    }

    /// @inheritdoc IPriceOracle
    function answers(address[] calldata tokens) external view returns (uint256[] memory pricesWad) {
        pricesWad = new uint256[](tokens.length);
        if (_sequencerFault() != Fault.None) return pricesWad;
        for (uint256 i; i < tokens.length; ++i) {
            Reading memory r = _read(_listings[tokens[i]]);
            if (r.fault == Fault.None) pricesWad[i] = r.priceWad;
        }
    }

    /// @inheritdoc IPriceOracle
    function feedOf(address token) public view returns (Feed memory) {
        Listing memory l = _listings[token];
        return
            Feed(
                l.feed,
                l.heartbeat,
                l.feedDecimals,
                l.tokenDecimals,
                l.halfSpreadBps,
                uint128(Float16.unpack(l.minPrice)),
                uint128(Float16.unpack(l.maxPrice))
            );
    }

    /// @inheritdoc IPriceOracle
    function twapOf(address token) external view returns (Twap memory) {
        Check memory check = _checks[token];
        return Twap(check.pool, check.window, check.bandBps);
    }

    /// @inheritdoc IPriceOracle
    function chainConfig() external view returns (ChainConfig memory) {
        return ChainConfig(_sequencerFeed, uint32(_gracePeriod), uint32(_blockTime));
    }

    function _quote(address token, Fault sequencer) private view returns (Quote memory) {
        Listing memory l = _listings[token];
        Reading memory r = _checked(token, l, sequencer);
        if (r.fault != Fault.None) _refuse(token, l, r);
        uint256 halfSpreadWad = l.halfSpreadBps * BPS_TO_WAD;
        uint256 low = FixedPointMathLib.min(r.priceWad, r.twapWad);
        uint256 high = FixedPointMathLib.max(r.priceWad, r.twapWad);
        return
            Quote(
                r.priceWad,
                FixedPointMathLib.mulWad(low, WAD - halfSpreadWad),
                FixedPointMathLib.mulWadUp(high, WAD + halfSpreadWad),
                10 ** l.tokenDecimals
            );
    }

    function _refuse(address token, Listing memory l, Reading memory r) private view {
        Fault fault = r.fault;
        if (fault == Fault.UnknownToken) revert PriceOracle__UnknownToken(token);
        if (fault == Fault.FeedFailed) revert PriceOracle__FeedFailed(token, l.feed);
        if (fault == Fault.NonPositive) revert PriceOracle__NonPositivePrice(token, r.answer);
        if (fault == Fault.FromTheFuture)
            revert PriceOracle__PriceFromTheFuture(token, r.updatedAt, block.timestamp);
        if (fault == Fault.Stale)
            revert PriceOracle__StalePrice(token, r.updatedAt, l.heartbeat, block.timestamp);
        if (fault == Fault.SequencerDown) {
            (, uint256 upSince) = _sequencer();
            revert PriceOracle__SequencerDown(upSince, _gracePeriod, block.timestamp);
        }
        if (fault == Fault.TwapFailed) revert PriceOracle__TwapFailed(token, _checks[token].pool);
        if (fault == Fault.TwapDeviates)
            revert PriceOracle__TwapDeviates(token, r.priceWad, r.twapWad, _checks[token].bandBps);
        Feed memory feed = feedOf(token);
        revert PriceOracle__PriceOutOfBounds(token, r.priceWad, feed.minPriceWad, feed.maxPriceWad);
    }

    function _checked(
        address token,
        Listing memory l,
        Fault sequencer
    ) private view returns (Reading memory r) {
        // an unlisted token first: it stays unlisted when the sequencer is back
        if (sequencer != Fault.None && l.feed != address(0)) {
            r.fault = sequencer;
            return r;
        }
        r = _read(l);
        if (l.hasTwap && r.fault == Fault.None) _checkTwap(token, l.tokenDecimals, r);
    }

    // ------------------------------------------------------------------- feed

    /// @dev A low-level call: a feed without code, that reverts, or that answers garbage (also too much of it) is
    ///      a fault, not a revert.
    function _read(Listing memory l) private view returns (Reading memory r) {
        if (l.feed == address(0)) {
            r.fault = Fault.UnknownToken;
            return r;
        }
        bool ok;
        (ok, r.answer, , r.updatedAt) = _latestRound(l.feed);
        if (!ok) r.fault = Fault.FeedFailed;
        else if (r.answer <= 0) r.fault = Fault.NonPositive;
        else if (r.updatedAt > block.timestamp) r.fault = Fault.FromTheFuture;
        else if (block.timestamp - r.updatedAt > l.heartbeat) r.fault = Fault.Stale;
        else {
            // an answer above 2^128 is out of any bounds, and would overflow the scaling
            r.priceWad = uint256(r.answer) > type(uint128).max
                ? type(uint256).max
                : uint256(r.answer) * 10 ** (MAX_DECIMALS - l.feedDecimals);
            if (r.priceWad < Float16.unpack(l.minPrice) || r.priceWad > Float16.unpack(l.maxPrice))
                r.fault = Fault.OutOfBounds;
            r.twapWad = r.priceWad;
        }
    }

    function _latestRound(
        address feed
    ) private view returns (bool ok, int256 answer, uint256 startedAt, uint256 updatedAt) {
        bytes memory data;
        (ok, , data) = LibCall.tryStaticCall(
            feed,
            FEED_GAS,
            ROUND_BYTES,
            abi.encodeCall(IAggregatorV3.latestRoundData, ())
        );
        if (!ok || data.length < ROUND_BYTES) return (false, 0, 0, 0);
        // wide types: a narrower one would make the decoder revert on dirty bits
        (, answer, startedAt, updatedAt, ) = abi.decode(data, (uint256, int256, uint256, uint256, uint256));
    }

    // -------------------------------------------------------------- sequencer

    function _sequencerFault() private view returns (Fault) {
        if (_sequencerFeed == address(0)) return Fault.None;
        (bool up, uint256 upSince) = _sequencer();
        // a round that never started is no round
        bool settled = up && upSince != 0 && upSince + _gracePeriod < block.timestamp;
        return settled ? Fault.None : Fault.SequencerDown;
    }

    /// @dev Chainlink: the answer is 0 while the sequencer is up, and `startedAt` is when it last changed.
    function _sequencer() private view returns (bool up, uint256 upSince) {
        (bool ok, int256 answer, uint256 startedAt, ) = _latestRound(_sequencerFeed);
        up = ok && answer == 0;
        upSince = startedAt > block.timestamp ? block.timestamp : startedAt;
    }

    // ------------------------------------------------------------------- TWAP

    function _checkTwap(address token, uint256 decimals, Reading memory r) private view {
        Check memory check = _checks[token];
        Listing memory other = _listings[check.other];
        Reading memory otherReading = _read(other);
        (bool ok, int256 change) = _tickChange(check.pool, check.window);
        if (!ok || otherReading.fault != Fault.None) {
            r.fault = Fault.TwapFailed;
            return;
        }
        uint256 meanWad = TwapMath.priceWad(
            change,
            check.window,
            check.isToken0,
            decimals,
            other.tokenDecimals
        );
        // beyond the largest price there is no need to know how far
        meanWad = FixedPointMathLib.min(meanWad, MAX_PRICE_WAD);
        r.twapWad = FixedPointMathLib.fullMulDiv(meanWad, otherReading.priceWad, WAD);
        uint256 band = FixedPointMathLib.fullMulDiv(r.priceWad, check.bandBps, BPS);
        if (FixedPointMathLib.dist(r.twapWad, r.priceWad) > band) r.fault = Fault.TwapDeviates;
    }

    /// @dev Governance chose the pool, its answer may still be anything: read by position, and no tick out of range.
    function _tickChange(address pool, uint32 window) private view returns (bool ok, int256 change) {
        uint32[] memory secondsAgos = new uint32[](2);
        secondsAgos[0] = window;
        bytes memory data;
        (ok, , data) = LibCall.tryStaticCall(
            pool,
            POOL_GAS,
            OBSERVATIONS_BYTES,
            abi.encodeCall(IUniswapV3Pool.observe, (secondsAgos))
        );
        if (!ok || data.length != OBSERVATIONS_BYTES) return (false, 0);
        // two offsets, then 2, then, now, and the same of the liquidity
        uint256 count;
        int256 before;
        int256 latest;
        (, , count, before, latest, , , ) = abi.decode(
            data,
            (uint256, uint256, uint256, int256, int256, uint256, uint256, uint256)
        );
        // the accumulator may wrap
        unchecked {
            change = int56(latest) - int56(before);
        }
        ok = count == 2 && FixedPointMathLib.abs(change) <= MAX_TICK * window;
    }
}
