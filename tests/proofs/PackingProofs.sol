// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {CorrelationMatrix} from "../../contracts/math/CorrelationMatrix.sol";
import {Float16} from "../../contracts/math/Float16.sol";
import {Word8} from "../../contracts/math/Word8.sol";
import {Listing, ListingWord} from "../../contracts/oracle/Listing.sol";
import {Proof} from "./Cheats.sol";

/// @title What is packed reads back, and nothing spills into a neighbour
contract PackingProofs is Proof {
    /// @dev EQ-1: each of eight values is rounded down to 1e-8, whatever the others are.
    function check_word8_anyValues_eachRoundedDown(uint256[8] memory valuesWad) public pure {
        uint256[] memory values = new uint256[](8);
        for (uint256 i; i < 8; ++i) {
            vm.assume(valuesWad[i] < 2 ** 32 * 1e10);
            values[i] = valuesWad[i];
        }
        uint256 word = Word8.packDown(values);
        for (uint256 i; i < 8; ++i) assert(Word8.lane(word, i) == valuesWad[i] / 1e10);
    }

    /// @dev EQ-1: any bit above lane n - 1 is seen.
    function check_word8_unusedLanes_areTheBitsAbove(uint256 word, uint256 n) public pure {
        vm.assume(n >= 1 && n <= 7);
        assert(Word8.unusedLanesAreZero(word, n) == (word < 2 ** (32 * n)));
    }

    /// @dev EQ-2: a pair is its 16 bits in two's complement, each at a place of its own.
    function check_pair_anyWords_readsItsLane(uint256[2] memory words) public pure {
        for (uint256 k; k < 28; ++k) {
            int256 value = CorrelationMatrix.pair(words, k);
            assert(-32768 <= value && value <= 32767);
            assert(uint256(value) % 65536 == (words[k / 16] >> (16 * (k % 16))) % 65536);
        }
    }

    /// @dev EQ-44: the greatest code at most the value: the next one is above it.
    function check_float16_packDown_isTheGreatestBelow(uint256 value) public pure {
        vm.assume(value < 2 ** 136 - 2 ** 126);
        uint16 code = Float16.packDown(value);
        assert(Float16.unpack(code) <= value && value < Float16.unpack(code + 1));
    }

    /// @dev EQ-44: the least code at least the value.
    function check_float16_packUp_isTheLeastAbove(uint256 value) public pure {
        vm.assume(0 < value && value <= 1023 * 2 ** 126);
        uint16 code = Float16.packUp(value);
        assert(value <= Float16.unpack(code) && Float16.unpack(code - 1) < value);
    }

    /// @dev EQ-44: codes are in the order of their numbers.
    function check_float16_codes_areInOrder(uint16 code) public pure {
        vm.assume(code < type(uint16).max);
        assert(Float16.unpack(code) < Float16.unpack(code + 1));
    }

    /// @dev EQ-44: A listing reads back whole; only its bounds are rounded, outwards (that they are is Float16's own proof).
    function check_listing_anyFeed_readsBack(
        IPriceOracle.Feed memory f,
        bool checked,
        uint16 low,
        uint16 high
    ) public pure {
        vm.assume(f.heartbeat < 2 ** 24);
        (f.minPriceWad, f.maxPriceWad) = (0, 0);
        Listing empty = ListingWord.pack(f, checked);
        Listing listing = Listing.wrap(
            Listing.unwrap(empty) | (uint256(low) << 216) | (uint256(high) << 232)
        );
        assert(listing.feed() == f.feed && listing.heartbeat() == f.heartbeat);
        assert(listing.feedDecimals() == f.feedDecimals && listing.tokenDecimals() == f.tokenDecimals);
        assert(listing.halfSpreadBps() == f.halfSpreadBps && listing.hasTwap() == checked);
        assert(listing.minPriceWad() == Float16.unpack(low) && listing.maxPriceWad() == Float16.unpack(high));
    }

    /// @dev EQ-48: Naming or dropping a pool touches one bit.
    function check_listing_withTwap_touchesNothingElse(uint256 word, bool checked) public pure {
        Listing changed = Listing.wrap(word).withTwap(checked);
        assert(changed.hasTwap() == checked);
        assert(Listing.unwrap(changed) | (1 << 248) == word | (1 << 248));
    }
}
