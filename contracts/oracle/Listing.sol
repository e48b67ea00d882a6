// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {Float16} from "../math/Float16.sol";

/// @dev How a feed is read, in one word: feed 160 bits, heartbeat 24, decimals of feed and token 8 each, half spread 16,
/// bounds 16 each as Float16, and 8 for whether a pool checks it.
type Listing is uint256;

using ListingWord for Listing global;

/// @title Packs and reads a `Listing`
/// @dev Every price that anybody reads goes through these: a struct would cost a thousand gas more.
library ListingWord {
    uint256 private constant TWAP_BIT = 1 << 248;

    function pack(IPriceOracle.Feed memory f, bool checked) internal pure returns (Listing) {
        uint256 word = uint256(uint160(f.feed)) |
            (uint256(uint24(f.heartbeat)) << 160) |
            (uint256(f.feedDecimals) << 184) |
            (uint256(f.tokenDecimals) << 192) |
            (uint256(f.halfSpreadBps) << 200) |
            (uint256(Float16.packDown(f.minPriceWad)) << 216) |
            (uint256(Float16.packUp(f.maxPriceWad)) << 232);
        return checked ? Listing.wrap(word | TWAP_BIT) : Listing.wrap(word);
    }

    function unpack(Listing listing) internal pure returns (IPriceOracle.Feed memory) {
        return
            IPriceOracle.Feed(
                feed(listing),
                uint32(heartbeat(listing)),
                uint8(feedDecimals(listing)),
                uint8(tokenDecimals(listing)),
                uint16(halfSpreadBps(listing)),
                uint128(minPriceWad(listing)),
                uint128(maxPriceWad(listing))
            );
    }

    function withTwap(Listing listing, bool checked) internal pure returns (Listing) {
        uint256 word = Listing.unwrap(listing);
        return Listing.wrap(checked ? word | TWAP_BIT : word & ~TWAP_BIT);
    }

    function exists(Listing listing) internal pure returns (bool) {
        return Listing.unwrap(listing) != 0;
    }

    function feed(Listing listing) internal pure returns (address) {
        return address(uint160(Listing.unwrap(listing)));
    }

    function heartbeat(Listing listing) internal pure returns (uint256) {
        return uint24(Listing.unwrap(listing) >> 160);
    }

    function feedDecimals(Listing listing) internal pure returns (uint256) {
        return uint8(Listing.unwrap(listing) >> 184);
    }

    function tokenDecimals(Listing listing) internal pure returns (uint256) {
        return uint8(Listing.unwrap(listing) >> 192);
    }

    function halfSpreadBps(Listing listing) internal pure returns (uint256) {
        return uint16(Listing.unwrap(listing) >> 200);
    }

    function minPriceWad(Listing listing) internal pure returns (uint256) {
        return Float16.unpack(uint16(Listing.unwrap(listing) >> 216));
    }

    function maxPriceWad(Listing listing) internal pure returns (uint256) {
        return Float16.unpack(uint16(Listing.unwrap(listing) >> 232));
    }

    function hasTwap(Listing listing) internal pure returns (bool) {
        return Listing.unwrap(listing) & TWAP_BIT != 0;
    }
}
