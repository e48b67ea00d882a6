// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Prices in USD, each with a bid and an ask, from Chainlink feeds that a Uniswap V3 TWAP may check
/// @notice An answer counts only while it is positive, not from the future, younger than its heartbeat and within its
///         bounds, while an L2's sequencer is up, and while the pool's mean price agrees with it.
interface IPriceOracle {
    /// @notice What does not change with a token.
    /// @param sequencerFeed Chainlink's uptime feed of an L2's sequencer; the zero address on an L1
    /// @param gracePeriod For so long after the sequencer came back no price counts {s} [0, 1 day]
    /// @param blockTime Seconds between two blocks, at least 1: how many observations a pool must keep for a window
    struct ChainConfig {
        address sequencerFeed;
        uint32 gracePeriod;
        uint32 blockTime;
    }

    /// @notice How a token's feed is read. One storage slot: the bounds are rounded outwards by at most 0.2 %.
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

    /// @notice A Uniswap V3 pool that a token's feed must agree with.
    /// @param pool Of the token against another listed token, whose feed turns its mean price into USD
    /// @param window Of the mean {s} [300, 1 day]
    /// @param bandBps Largest deviation of the mean from the feed {1e-4} [100, 5000]. A fall that takes less than the
    ///        window looks like a deviation of up to its size: a narrow band closes the vault when it must sell.
    struct Twap {
        address pool;
        uint32 window;
        uint16 bandBps;
    }

    /// @notice A price now. With h the half spread and t the pool's mean price (or mid where none is checked):
    /// @param midWad The feed's answer {D18 USD / whole token}
    /// @param bidWad min(mid, t) (1 - h), rounded down {D18 USD / whole token}
    /// @param askWad max(mid, t) (1 + h), rounded up {D18 USD / whole token}
    /// @param unit One whole token in the token's smallest unit, 10^decimals
    struct Quote {
        uint256 midWad;
        uint256 bidWad;
        uint256 askWad;
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
        OutOfBounds,
        SequencerDown,
        TwapFailed,
        TwapDeviates
    }

    event FeedSet(address indexed token, Feed feed);
    event TwapSet(address indexed token, Twap twap);

    error PriceOracle__UnknownToken(address token);
    error PriceOracle__FeedFailed(address token, address feed);
    error PriceOracle__NonPositivePrice(address token, int256 answer);
    error PriceOracle__PriceFromTheFuture(address token, uint256 updatedAt, uint256 timestamp);
    error PriceOracle__StalePrice(address token, uint256 updatedAt, uint256 heartbeat, uint256 timestamp);
    error PriceOracle__PriceOutOfBounds(address token, uint256 priceWad, uint256 minWad, uint256 maxWad);
    error PriceOracle__NotAContract(address account);
    /// @notice The sequencer is down, or came back at `upSince` and the grace period is not over. Wait.
    error PriceOracle__SequencerDown(uint256 upSince, uint256 gracePeriod, uint256 timestamp);
    /// @notice The pool tells no mean price for its window, or the pool's other token has no price.
    error PriceOracle__TwapFailed(address token, address pool);
    error PriceOracle__TwapDeviates(address token, uint256 priceWad, uint256 twapWad, uint256 bandBps);
    /// @notice The pool does not trade the token against another listed one.
    error PriceOracle__WrongPool(address token, address pool);
    /// @notice The pool keeps `have` observations; call `increaseObservationCardinalityNext(need)` on it and let it trade.
    error PriceOracle__CardinalityTooLow(address pool, uint256 have, uint256 need);

    /// @notice The price of one token.
    /// @custom:requirement EQ-40 EQ-46 EQ-47
    function quote(address token) external view returns (Quote memory);

    /// @notice The prices of several tokens in their order; reverts if any of them cannot be used.
    function quotes(address[] calldata tokens) external view returns (Quote[] memory);

    /// @notice What is wrong with each token's price; never reverts for a feed's fault.
    /// @custom:requirement EQ-41 MUST NOT revert whatever a feed answers, so that a mode can be told.
    function faults(address[] calldata tokens) external view returns (Fault[] memory);

    /// @notice The feeds' answers without the pools' opinion, 0 where one cannot be used; never reverts for a feed's
    ///         fault. For statistics, which outlive a bad print; trade by `quotes`.
    /// @return pricesWad {D18 USD / whole token}
    /// @custom:requirement EQ-41
    function answers(address[] calldata tokens) external view returns (uint256[] memory pricesWad);

    /// @notice The configuration of a token's feed.
    function feedOf(address token) external view returns (Feed memory);

    /// @notice The pool that a token's feed must agree with; zeros where there is none.
    function twapOf(address token) external view returns (Twap memory);

    function chainConfig() external view returns (ChainConfig memory);

    /// @notice Lists a token or changes its feed. Owner only.
    /// @custom:requirement EQ-42 MUST refuse a feed that gives no usable price at listing.
    function setFeed(FeedConfig calldata config) external;

    /// @notice Has a listed token's feed checked by a pool; the zero address as pool ends it. Owner only.
    /// @custom:requirement EQ-43 EQ-48
    function setTwap(address token, Twap calldata twap) external;
}
