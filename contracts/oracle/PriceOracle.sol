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
import {TwapMath} from "../math/TwapMath.sol";
import {Listing, ListingWord} from "./Listing.sol";

/// @title Chainlink prices with heartbeat, bounds and a spread, an L2 sequencer check and a TWAP cross-check
contract PriceOracle is IPriceOracle, IParameters, Ownable2Step {
    /// @dev A `Twap` with what was read from its pool at listing, so that a pool that dies cannot make a reading revert.
    struct Check {
        address pool;
        uint32 window;
        uint16 bandBps;
        bool isToken0;
        address other;
    }

    uint256 private constant WAD = 1e18;
    uint256 private constant BPS = 1e4;
    uint256 private constant MAX_DECIMALS = 18;
    uint256 private constant MAX_PRICE_WAD = 1e30;
    uint256 private constant MIN_HEARTBEAT = 60;
    uint256 private constant MAX_HEARTBEAT = 7 days;
    uint256 private constant MAX_HALF_SPREAD_BPS = 500;
    /// @dev Ten times what a Chainlink proxy or a pool's search needs: what burns all it gets cannot starve the others.
    uint256 private constant FEED_GAS = 400_000;
    uint256 private constant POOL_GAS = 1_000_000;
    uint256 private constant MAX_TICK = 887_272;
    uint256 private constant ROUND_BYTES = 160;
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

        Feed memory feed = Feed(
            config.feed,
            config.heartbeat,
            feedDecimals,
            tokenDecimals,
            config.halfSpreadBps,
            config.minPriceWad,
            config.maxPriceWad
        );
        _listings[config.token] = ListingWord.pack(feed, _listings[config.token].hasTwap());
        emit FeedSet(config.token, feedOf(config.token));
        quote(config.token);
    }

    /// @inheritdoc IPriceOracle
    function setTwap(address token, Twap calldata twap) external onlyOwner {
        if (!_listings[token].exists()) revert PriceOracle__UnknownToken(token);
        bool checks = twap.pool != address(0);
        delete _checks[token];
        _listings[token] = _listings[token].withTwap(checks);
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
        if ((!isToken0 && token != pool.token1()) || !_listings[other].exists())
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
            (result[i], , ) = _checked(tokens[i], _listings[tokens[i]], fault);
        }
    }

    /// @inheritdoc IPriceOracle
    function answers(address[] calldata tokens) external view returns (uint256[] memory pricesWad) {
        uint256 count = tokens.length;
        pricesWad = new uint256[](count);
        if (_sequencerFault() != Fault.None) return pricesWad;
        for (uint256 i; i < count; ++i) {
            (Fault fault, uint256 priceWad) = _read(_listings[tokens[i]]);
            if (fault == Fault.None) pricesWad[i] = priceWad;
        }
    }

    /// @inheritdoc IPriceOracle
    function feedOf(address token) public view returns (Feed memory) {
        return _listings[token].unpack();
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

    function _quote(address token, Fault sequencer) private view returns (Quote memory q) {
        Listing listing = _listings[token];
        (Fault fault, uint256 priceWad, uint256 twapWad) = _checked(token, listing, sequencer);
        if (fault != Fault.None) _refuse(token, listing, fault, priceWad, twapWad);
        unchecked {
            // a price under 2^101, a mean under 2^141, a half spread of at most 5 %
            uint256 halfSpread = listing.halfSpreadBps();
            q.midWad = priceWad;
            q.bidWad = (FixedPointMathLib.min(priceWad, twapWad) * (BPS - halfSpread)) / BPS;
            q.askWad = (FixedPointMathLib.max(priceWad, twapWad) * (BPS + halfSpread) + BPS - 1) / BPS;
            q.unit = 10 ** listing.tokenDecimals();
        }
    }

    /// @dev The path of no return: what the feed said is read once more for the error.
    function _refuse(
        address token,
        Listing listing,
        Fault fault,
        uint256 priceWad,
        uint256 twapWad
    ) private view {
        if (fault == Fault.UnknownToken) revert PriceOracle__UnknownToken(token);
        if (fault == Fault.SequencerDown) {
            (, uint256 upSince) = _sequencer();
            revert PriceOracle__SequencerDown(upSince, _gracePeriod, block.timestamp);
        }
        if (fault == Fault.TwapFailed) revert PriceOracle__TwapFailed(token, _checks[token].pool);
        if (fault == Fault.TwapDeviates)
            revert PriceOracle__TwapDeviates(token, priceWad, twapWad, _checks[token].bandBps);
        if (fault == Fault.OutOfBounds)
            revert PriceOracle__PriceOutOfBounds(
                token,
                priceWad,
                listing.minPriceWad(),
                listing.maxPriceWad()
            );
        (, int256 answer, , uint256 updatedAt) = _latestRound(listing.feed());
        if (fault == Fault.NonPositive) revert PriceOracle__NonPositivePrice(token, answer);
        if (fault == Fault.FromTheFuture)
            revert PriceOracle__PriceFromTheFuture(token, updatedAt, block.timestamp);
        if (fault == Fault.Stale)
            revert PriceOracle__StalePrice(token, updatedAt, listing.heartbeat(), block.timestamp);
        revert PriceOracle__FeedFailed(token, listing.feed());
    }

    function _checked(
        address token,
        Listing listing,
        Fault sequencer
    ) private view returns (Fault fault, uint256 priceWad, uint256 twapWad) {
        // an unlisted token first: it stays unlisted when the sequencer is back
        if (sequencer != Fault.None && listing.exists()) return (sequencer, 0, 0);
        (fault, priceWad) = _read(listing);
        twapWad = priceWad;
        if (fault == Fault.None && listing.hasTwap())
            (fault, twapWad) = _checkTwap(token, listing.tokenDecimals(), priceWad);
    }

    // ------------------------------------------------------------------- feed

    function _read(Listing listing) private view returns (Fault fault, uint256 priceWad) {
        if (!listing.exists()) return (Fault.UnknownToken, 0);
        (bool ok, int256 answer, , uint256 updatedAt) = _latestRound(listing.feed());
        if (!ok) return (Fault.FeedFailed, 0);
        if (answer <= 0) return (Fault.NonPositive, 0);
        if (updatedAt > block.timestamp) return (Fault.FromTheFuture, 0);
        unchecked {
            if (block.timestamp - updatedAt > listing.heartbeat()) return (Fault.Stale, 0);
            // an answer above 2^128 is out of any bounds, and would overflow the scaling
            priceWad = uint256(answer) > type(uint128).max
                ? type(uint256).max
                : uint256(answer) * 10 ** (MAX_DECIMALS - listing.feedDecimals());
        }
        if (priceWad < listing.minPriceWad() || priceWad > listing.maxPriceWad()) fault = Fault.OutOfBounds;
    }

    /// @dev A low-level call that copies five words and no more: a feed without code, that reverts, or that answers
    ///      too little is a fault, not a revert.
    function _latestRound(
        address feed
    ) private view returns (bool ok, int256 answer, uint256 startedAt, uint256 updatedAt) {
        bytes32 selector = IAggregatorV3.latestRoundData.selector;
        assembly ("memory-safe") {
            let round := mload(0x40)
            mstore(round, selector)
            ok := staticcall(FEED_GAS, feed, round, 4, round, ROUND_BYTES)
            ok := and(ok, iszero(lt(returndatasize(), ROUND_BYTES)))
            answer := mload(add(round, 32))
            startedAt := mload(add(round, 64))
            updatedAt := mload(add(round, 96))
        }
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

    function _checkTwap(
        address token,
        uint256 decimals,
        uint256 priceWad
    ) private view returns (Fault fault, uint256 twapWad) {
        Check memory check = _checks[token];
        Listing other = _listings[check.other];
        (Fault otherFault, uint256 otherWad) = _read(other);
        (bool ok, int256 change) = _tickChange(check.pool, check.window);
        if (!ok || otherFault != Fault.None) return (Fault.TwapFailed, 0);
        twapWad = TwapMath.priceWad(change, check.window, check.isToken0, decimals, other.tokenDecimals());
        // beyond the largest price there is no need to know how far
        twapWad = FixedPointMathLib.min(twapWad, MAX_PRICE_WAD);
        twapWad = FixedPointMathLib.fullMulDiv(twapWad, otherWad, WAD);
        uint256 band = FixedPointMathLib.fullMulDiv(priceWad, check.bandBps, BPS);
        if (FixedPointMathLib.dist(twapWad, priceWad) > band) fault = Fault.TwapDeviates;
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
