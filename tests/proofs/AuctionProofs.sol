// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRebalanceAuction} from "../../contracts/interfaces/IRebalanceAuction.sol";
import {IRiskGuard} from "../../contracts/interfaces/IRiskGuard.sol";
import {IRiskParityVault} from "../../contracts/interfaces/IRiskParityVault.sol";
import {IVolatilityOracle} from "../../contracts/interfaces/IVolatilityOracle.sol";
import {RebalanceAuction} from "../../contracts/vault/RebalanceAuction.sol";
import {RiskGuard} from "../../contracts/vault/RiskGuard.sol";
import {Proof} from "./Cheats.sol";
import {Reports, Shelf, Venue} from "./Doubles.sol";

/// @title The auction's states and what leads from one to another, from any stored state at any time
/// @dev The book is one that is due; times, health factor, basket version and the stored auction are open.
contract AuctionProofs is Proof {
    uint256 internal constant TRIGGER = 1.3e18;
    uint256 internal constant TARGET = 1.6e18;
    /// @dev Behind the owner, the one it is offered to, and three slots of parameters.
    uint256 internal constant AUCTION_SLOT = 5;
    Venue internal venue;
    Reports internal reports;
    Shelf internal shelf;
    RebalanceAuction internal auction;

    function setUp() public {
        address[] memory tokens = new address[](3);
        (tokens[0], tokens[1], tokens[2]) = (address(0x1001), address(0x1002), address(0xCA54));
        address[] memory basket = new address[](2);
        (basket[0], basket[1]) = (tokens[0], tokens[1]);
        reports = new Reports(basket);
        IVolatilityOracle oracle = IVolatilityOracle(address(reports));
        RiskGuard guard = new RiskGuard(
            OWNER,
            GUARDIAN,
            oracle,
            IRiskGuard.Params(36 hours, 4 days, 21 days, 45 days, uint64(TRIGGER), 1.45e18, uint64(TARGET))
        );
        venue = new Venue(tokens[2]);
        shelf = new Shelf(guard, address(venue), tokens);
        IRebalanceAuction.Params memory p;
        (p.targetVolatilityWad, p.maxLeverageWad, p.parityBandWad, p.volatilityBandWad) = (
            0.2e18,
            1e18,
            0.05e18,
            0.1e18
        );
        (p.startPremiumWad, p.endDiscountWad, p.lossBudgetWad, p.cashBufferWad) = (
            0.01e18,
            0.01e18,
            0.005e18,
            0.02e18
        );
        (p.maxBorrowRateWad, p.ripcordDiscountWad, p.ripcordDuration, p.duration) = (
            0.2e18,
            0.03e18,
            900,
            1800
        );
        auction = new RebalanceAuction(OWNER, IRiskParityVault(address(shelf)), oracle, p);
    }

    /// @dev The slots of `_auction`; `current` says whether they are still these.
    function _given(IRebalanceAuction.Auction memory a, uint64 now_, uint256 health, uint16 version) private {
        vm.assume(a.id < type(uint48).max && now_ >= a.startedAt && a.endsAt >= a.startedAt);
        vm.assume(now_ < 2 ** 40 && now_ > 0);
        uint256 word = uint256(a.id) |
            (uint256(a.startedAt) << 48) |
            (uint256(a.endsAt) << 112) |
            (uint256(a.ripcord ? 1 : 0) << 176) |
            (uint256(a.basketVersion) << 184);
        vm.store(address(auction), bytes32(AUCTION_SLOT), bytes32(word));
        vm.store(address(auction), bytes32(AUCTION_SLOT + 1), bytes32(a.targets));
        vm.warp(now_);
        reports.set(now_, now_, true);
        venue.set(health);
        shelf.set(version);
        IRebalanceAuction.Auction memory stored = auction.current();
        assert(stored.id == a.id && stored.startedAt == a.startedAt && stored.endsAt == a.endsAt);
        assert(stored.ripcord == a.ripcord && stored.basketVersion == a.basketVersion);
    }

    /// @dev EQ-80: While a rebalancing takes bids nobody opens another; a ripcord gives way only above the target.
    function check_open_anyState_neverReplacesOneInCourse(
        IRebalanceAuction.Auction memory a,
        uint64 now_,
        uint256 health,
        uint16 version
    ) public {
        _given(a, now_, health, version);
        uint256 id = auction.open();
        bool inCourse = a.id != 0 && now_ <= a.endsAt;
        assert(!inCourse || (a.ripcord ? health >= TARGET : a.basketVersion != version));
        IRebalanceAuction.Auction memory opened = auction.current();
        assert(id == uint256(a.id) + 1 && opened.id == id && !opened.ripcord);
        assert(opened.startedAt == now_ && opened.endsAt == now_ + 1800 && opened.basketVersion == version);
    }

    /// @dev EQ-132: A ripcord is pulled only where it is due, never twice, and whatever rebalancing is in course gives way to it.
    function check_ripcord_anyState_onlyWhereDue(
        IRebalanceAuction.Auction memory a,
        uint64 now_,
        uint256 health,
        uint16 version,
        address caller
    ) public {
        _given(a, now_, health, version);
        vm.prank(caller);
        (bool passed, ) = address(auction).call(abi.encodeCall(RebalanceAuction.ripcord, ()));
        bool running = a.id != 0 && now_ <= a.endsAt && a.ripcord;
        // reports are fresh here, so that the trigger decides
        assert(passed == (health < TRIGGER && !running));
        IRebalanceAuction.Auction memory then = auction.current();
        assert(then.id == (passed ? uint256(a.id) + 1 : a.id));
        if (passed) assert(then.ripcord && then.startedAt == now_ && then.endsAt == now_ + 3600);
    }

    /// @dev No bid before the first auction, after the end, or for another one than the present.
    function check_bid_notInCourse_refused(
        IRebalanceAuction.Auction memory a,
        uint64 now_,
        uint256 health,
        uint16 version,
        uint256 id,
        address caller,
        bool second,
        bool all
    ) public {
        vm.assume(a.id == 0 || now_ > a.endsAt || id != a.id);
        _given(a, now_, health, version);
        address sell = second ? address(0x1002) : address(0x1001);
        uint256 amount = all ? type(uint256).max : 1e18;
        _refused(
            IRebalanceAuction.RebalanceAuction__NotOpen.selector,
            caller,
            address(auction),
            abi.encodeCall(RebalanceAuction.bid, (id, sell, address(0xCA54), amount, amount, caller))
        );
        assert(shelf.exchanges() == 0);
    }
}
