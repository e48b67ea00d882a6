// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {LibCall} from "solady/utils/LibCall.sol";

import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {Bounds} from "../math/Bounds.sol";

/// @title Chainlink prices with heartbeat, bounds and a spread
contract PriceOracle is IPriceOracle, IParameters, Ownable2Step {
    uint256 private constant MAX_DECIMALS = 18;
    uint256 private constant MAX_PRICE_WAD = 1e30;
    uint256 private constant MIN_HEARTBEAT = 60;
    uint256 private constant MAX_HEARTBEAT = 7 days;
    uint256 private constant MAX_HALF_SPREAD_BPS = 500;
    uint256 private constant BPS_TO_WAD = 1e14;
    /// @dev Ten times what a Chainlink proxy needs: a feed that burns all it gets cannot starve the others.
    uint256 private constant FEED_GAS = 400_000;
    uint16 private constant ROUND_BYTES = 160;

    mapping(address token => Feed) private _feeds;

    constructor(address owner, FeedConfig[] memory configs) Ownable(owner) {
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

        Feed memory feed = Feed({
            feed: config.feed,
            heartbeat: config.heartbeat,
            feedDecimals: feedDecimals,
            tokenDecimals: tokenDecimals,
            halfSpreadBps: config.halfSpreadBps,
            minPriceWad: config.minPriceWad,
            maxPriceWad: config.maxPriceWad
        });
        _feeds[config.token] = feed;
        emit FeedSet(config.token, feed);
        _quote(config.token);
    }

    // ---------------------------------------------------------------- reading

    /// @inheritdoc IPriceOracle
    function quote(address token) external view returns (Quote memory) {
        return _quote(token);
    }

    /// @inheritdoc IPriceOracle
    function quotes(address[] calldata tokens) external view returns (Quote[] memory result) {
        result = new Quote[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) result[i] = _quote(tokens[i]);
    }

    /// @inheritdoc IPriceOracle
    function faults(address[] calldata tokens) external view returns (Fault[] memory result) {
        result = new Fault[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            (result[i], , , ) = _read(_feeds[tokens[i]]);
        }
    }

    /// @inheritdoc IPriceOracle
    function feedOf(address token) external view returns (Feed memory) {
        return _feeds[token];
    }

    function _quote(address token) private view returns (Quote memory) {
        Feed memory feed = _feeds[token];
        (Fault fault, uint256 priceWad, int256 answer, uint256 updatedAt) = _read(feed);
        if (fault != Fault.None) {
            if (fault == Fault.UnknownToken) revert PriceOracle__UnknownToken(token);
            if (fault == Fault.FeedFailed) revert PriceOracle__FeedFailed(token, feed.feed);
            if (fault == Fault.NonPositive) revert PriceOracle__NonPositivePrice(token, answer);
            if (fault == Fault.FromTheFuture)
                revert PriceOracle__PriceFromTheFuture(token, updatedAt, block.timestamp);
            if (fault == Fault.Stale)
                revert PriceOracle__StalePrice(token, updatedAt, feed.heartbeat, block.timestamp);
            revert PriceOracle__PriceOutOfBounds(token, priceWad, feed.minPriceWad, feed.maxPriceWad);
        }
        return Quote(priceWad, feed.halfSpreadBps * BPS_TO_WAD, 10 ** feed.tokenDecimals);
    }

    /// @dev A low-level call: a feed without code, that reverts, or that answers garbage (also too much of it) is
    ///      a fault, not a revert.
    function _read(
        Feed memory feed
    ) private view returns (Fault fault, uint256 priceWad, int256 answer, uint256 updatedAt) {
        if (feed.feed == address(0)) return (Fault.UnknownToken, 0, 0, 0);
        (bool ok, , bytes memory data) = LibCall.tryStaticCall(
            feed.feed,
            FEED_GAS,
            ROUND_BYTES,
            abi.encodeCall(IAggregatorV3.latestRoundData, ())
        );
        if (!ok || data.length < ROUND_BYTES) return (Fault.FeedFailed, 0, 0, 0);
        // wide types: a narrower one would make the decoder revert on dirty bits
        (, answer, , updatedAt, ) = abi.decode(data, (uint256, int256, uint256, uint256, uint256));
        if (answer <= 0) return (Fault.NonPositive, 0, answer, updatedAt);
        if (updatedAt > block.timestamp) return (Fault.FromTheFuture, 0, answer, updatedAt);
        if (block.timestamp - updatedAt > feed.heartbeat) return (Fault.Stale, 0, answer, updatedAt);
        // an answer above 2^128 is out of any bounds, and would overflow the scaling
        priceWad = uint256(answer) > type(uint128).max
            ? type(uint256).max
            : uint256(answer) * 10 ** (MAX_DECIMALS - feed.feedDecimals);
        if (priceWad < feed.minPriceWad || priceWad > feed.maxPriceWad) fault = Fault.OutOfBounds;
    }
}
