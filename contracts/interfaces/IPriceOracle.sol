// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Prices of the basket, with a bid and an ask
/// @notice Reads one Chainlink feed per token and refuses what is stale, non-positive or out of its bounds.
interface IPriceOracle {
    /// @notice How a token's feed is read. Two storage slots.
    /// @param feed Chainlink AggregatorV3Interface
    /// @param heartbeat Longest accepted age of an answer {s} [60, 7 days]
    /// @param feedDecimals Decimals of the feed's answer, read from the feed at listing [0, 18]
    /// @param tokenDecimals Decimals of the token, read from the token at listing [0, 18]
    /// @param halfSpreadBps Half of the bid-ask spread around the feed's answer {1e-4} [0, 500].
    ///        Set it to at least the feed's deviation threshold: that is what makes latency unprofitable.
    /// @param minPriceWad Lowest accepted price {D18 USD / whole token} [1, maxPriceWad)
    /// @param maxPriceWad Highest accepted price {D18 USD / whole token} (minPriceWad, 1e30]
    struct Feed {
        address feed;
        uint32 heartbeat;
        uint8 feedDecimals;
        uint8 tokenDecimals;
        uint16 halfSpreadBps;
        uint128 minPriceWad;
        uint128 maxPriceWad;
    }

    /// @notice What the owner states of a feed; the decimals are read from the chain.
    struct FeedConfig {
        address token;
        address feed;
        uint32 heartbeat;
        uint16 halfSpreadBps;
        uint128 minPriceWad;
        uint128 maxPriceWad;
    }

    /// @notice A price now.
    /// @param midWad The feed's answer {D18 USD / whole token}
    /// @param halfSpreadWad bid = mid (1 - h), ask = mid (1 + h) {D18} [0, 0.05e18]
    /// @param unit One whole token in the token's smallest unit, 10^decimals
    struct Quote {
        uint256 midWad;
        uint256 halfSpreadWad;
        uint256 unit;
    }

    /// @notice Why a price cannot be used.
    enum Fault {
        None,
        UnknownToken,
        FeedFailed,
        NonPositive,
        FromTheFuture,
        Stale,
        OutOfBounds
    }

    event FeedSet(address indexed token, Feed feed);

    error PriceOracle__UnknownToken(address token);
    error PriceOracle__FeedFailed(address token, address feed);
    error PriceOracle__NonPositivePrice(address token, int256 answer);
    error PriceOracle__PriceFromTheFuture(address token, uint256 updatedAt, uint256 timestamp);
    error PriceOracle__StalePrice(address token, uint256 updatedAt, uint256 heartbeat, uint256 timestamp);
    error PriceOracle__PriceOutOfBounds(address token, uint256 priceWad, uint256 minWad, uint256 maxWad);
    error PriceOracle__NotAContract(address account);

    /// @notice The price of one token.
    /// @custom:requirement EQ-40 MUST revert with a named error unless the answer is positive, not from the
    ///                     future, not older than the heartbeat and within its bounds.
    function quote(address token) external view returns (Quote memory);

    /// @notice The prices of several tokens in their order; reverts if any of them cannot be used.
    function quotes(address[] calldata tokens) external view returns (Quote[] memory);

    /// @notice What is wrong with each token's price; never reverts for a feed's fault.
    /// @custom:requirement EQ-41 MUST NOT revert whatever a feed answers, so that a mode can be told.
    function faults(address[] calldata tokens) external view returns (Fault[] memory);

    /// @notice The configuration of a token's feed.
    function feedOf(address token) external view returns (Feed memory);

    /// @notice Lists a token or changes its feed. Owner only.
    /// @custom:requirement EQ-42 MUST refuse a feed that gives no usable price at listing.
    function setFeed(FeedConfig calldata config) external;
}
