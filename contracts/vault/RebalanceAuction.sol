// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IParameters} from "../interfaces/IParameters.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {IRebalanceAuction} from "../interfaces/IRebalanceAuction.sol";
import {IRiskGuard} from "../interfaces/IRiskGuard.sol";
import {IRiskParityVault} from "../interfaces/IRiskParityVault.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {AuctionMath} from "../math/AuctionMath.sol";
import {LeverageMath} from "../math/LeverageMath.sol";
import {Word8} from "../math/Word8.sol";
import {RiskTargets} from "./RiskTargets.sol";

/// @title Dutch auction towards a snapshot of the targets, ripcord, loss budget
contract RebalanceAuction is RiskTargets, IParameters, Ownable2Step, ReentrancyGuardTransient {
    using SafeCast for uint256;

    /// @dev A leaky bucket: `usedWad` {D18 of NAV} drains at one budget a day. A fraction, not an amount: a NAV
    ///      that a deposit swells for one bid neither widens what a share can lose nor blocks the bids after it.
    struct Loss {
        uint192 usedWad;
        uint64 updatedAt;
    }

    /// @dev One bid being priced. Arrays have n + 1 entries, the cash last; `paid` is what each sale brings.
    struct Trade {
        uint256 buyIndex;
        uint256[] sold;
        uint256[] paid;
        uint256 bought;
        uint256 sellValueWad;
        uint256 buyValueWad;
    }

    /// @dev What a bid now is priced by: the curve, and for the ripcord the fraction of each asset that is for sale.
    struct Terms {
        uint256 curveWad;
        uint256 fractionWad;
    }

    /// @dev A ripcord takes bids for so many times the seconds in which its discount rises.
    uint256 private constant RIPCORD_DURATIONS = 4;
    /// @dev Of every asset is for sale at least: idle cash repays with a bid, which must be worth a bidder's gas.
    uint256 private constant LEAST_FRACTION_WAD = 0.01e18;
    /// @dev Part of the target health factor by which a ripcord aims above it, or lots rounded down would end below it.
    uint256 private constant AIM = 1e6;

    Auction private _auction;
    Loss private _loss;

    constructor(
        address owner,
        IRiskParityVault vault_,
        IVolatilityOracle oracle,
        Params memory initialParams
    ) Ownable(owner) RiskTargets(vault_, oracle, initialParams) {}

    // ------------------------------------------------------------------ admin

    /// @inheritdoc IRebalanceAuction
    function setParams(Params calldata newParams) external {
        bool tightens = msg.sender == guard.guardian() && _tightens(_params, newParams);
        if (!tightens) _checkOwner();
        _setParams(newParams);
    }

    /// @dev Whether nothing but these four differs, and none of them rises.
    function _tightens(Params memory old, Params memory p) private pure returns (bool) {
        if (
            p.targetVolatilityWad > old.targetVolatilityWad ||
            p.maxLeverageWad > old.maxLeverageWad ||
            p.maxBorrowRateWad > old.maxBorrowRateWad ||
            p.lossBudgetWad > old.lossBudgetWad
        ) return false;
        old.targetVolatilityWad = p.targetVolatilityWad;
        old.maxLeverageWad = p.maxLeverageWad;
        old.maxBorrowRateWad = p.maxBorrowRateWad;
        old.lossBudgetWad = p.lossBudgetWad;
        return keccak256(abi.encode(old)) == keccak256(abi.encode(p));
    }

    // ------------------------------------------------------------------- open

    /// @inheritdoc IRebalanceAuction
    function open() external nonReentrant returns (uint256 id) {
        Auction memory last = _auction;
        uint16 version = vault.basketVersion();
        // a ripcord that has done its work gives way, and so does an auction that takes no bids any more
        if (
            _inCourse(last) &&
            (
                last.ripcord
                    ? _account.healthFactorWad() < guard.params().targetHealthWad
                    : last.basketVersion == version
            )
        ) revert RebalanceAuction__AlreadyOpen(last.id, last.endsAt);
        RiskState memory state = riskState();
        if (state.navWad == 0) revert RebalanceAuction__EmptyVault();
        Params memory p = _params;
        if (state.reason == Reason.None)
            revert RebalanceAuction__WithinBands(
                state.parityGapWad,
                p.parityBandWad,
                state.volatilityWad,
                state.targetVolatilityWad,
                p.volatilityBandWad
            );
        id = last.id + 1;
        uint256 endsAt = block.timestamp + p.duration;
        uint256 targets = Word8.packDown(state.targetsWad);
        _auction = Auction(uint48(id), uint64(block.timestamp), uint64(endsAt), false, version, targets);
        emit AuctionOpened(
            id,
            msg.sender,
            state.reason,
            targets,
            state.parityGapWad,
            state.volatilityWad,
            endsAt
        );
    }

    function _inCourse(Auction memory a) private view returns (bool) {
        return a.id != 0 && block.timestamp <= a.endsAt;
    }

    // ---------------------------------------------------------------- ripcord

    /// @inheritdoc IRebalanceAuction
    function ripcord() external nonReentrant returns (uint256 id) {
        if (!_levered()) revert RebalanceAuction__NoLendingAccount();
        Auction memory last = _auction;
        if (last.ripcord && _inCourse(last)) revert RebalanceAuction__AlreadyOpen(last.id, last.endsAt);
        uint256 healthWad = _account.healthFactorWad();
        IRiskGuard.Params memory g = guard.params();
        // silent signers: already from below the target; the mode is asked for only where it decides
        if (
            healthWad >= g.triggerHealthWad &&
            (healthWad >= g.targetHealthWad || guard.riskMode() != IRiskGuard.Mode.DeleverOnly)
        ) revert RebalanceAuction__RipcordNotDue(healthWad, g.triggerHealthWad);
        id = last.id + 1;
        uint256 endsAt = block.timestamp + RIPCORD_DURATIONS * _params.ripcordDuration;
        _auction = Auction(uint48(id), uint64(block.timestamp), uint64(endsAt), true, 0, 0);
        emit RipcordPulled(id, msg.sender, healthWad, endsAt);
    }

    /// @dev Computed anew for every bid from the facts of its block: nothing that was fixed before a crash binds.
    function _ripcordTerms(
        Auction memory a,
        IRiskParityVault.Portfolio memory book
    ) private view returns (Terms memory) {
        uint256 healthWad = _account.healthFactorWad();
        uint256 targetWad = guard.params().targetHealthWad;
        if (healthWad >= targetWad) revert RebalanceAuction__RipcordNotDue(healthWad, targetWad);
        uint256 cashWad = book.valuesWad[_cashIndex(book)];
        uint256 collateralWad = book.navWad + book.debtWad - cashWad;
        // idle cash repays with the first bid: nothing is sold for that part of the debt
        uint256 netDebtWad = FixedPointMathLib.zeroFloorSub(book.debtWad, cashWad);
        if (book.navWad == 0 || collateralWad <= netDebtWad) revert RebalanceAuction__EmptyVault();
        uint256 discountWad = LeverageMath.ripcordDiscount(
            block.timestamp - a.startedAt,
            _params.ripcordDuration,
            _params.ripcordDiscountWad,
            collateralWad,
            netDebtWad
        );
        uint256 fractionWad = netDebtWad == 0
            ? 0
            : LeverageMath.ripcordFraction(
                FixedPointMathLib.fullMulDiv(healthWad, book.debtWad, netDebtWad),
                targetWad + targetWad / AIM,
                collateralWad,
                netDebtWad,
                discountWad
            );
        return Terms(WAD - discountWad, FixedPointMathLib.max(fractionWad, LEAST_FRACTION_WAD));
    }

    // -------------------------------------------------------------------- bid

    /// @inheritdoc IRebalanceAuction
    function bid(
        uint256 id,
        address sell,
        address buy,
        uint256 sellAmount,
        uint256 maxBuyAmount,
        address receiver
    ) external nonReentrant returns (uint256 sold, uint256 bought) {
        IRiskParityVault.Portfolio memory book = vault.portfolio();
        (uint256[] memory amounts, uint256 sellIndex, uint256 buyIndex) = _single(
            book,
            sell,
            buy,
            sellAmount
        );
        Trade memory t = _bid(id, book, amounts, buyIndex, maxBuyAmount, receiver);
        return (t.sold[sellIndex], t.bought);
    }

    /// @inheritdoc IRebalanceAuction
    function bidBasket(
        uint256 id,
        uint256[] calldata sellAmounts,
        uint256 maxBuyAmount,
        address receiver
    ) external nonReentrant returns (uint256[] memory sold, uint256 bought) {
        IRiskParityVault.Portfolio memory book = vault.portfolio();
        Trade memory t = _bid(id, book, _basket(book, sellAmounts), _cashIndex(book), maxBuyAmount, receiver);
        return (t.sold, t.bought);
    }

    /// @inheritdoc IRebalanceAuction
    function quoteBid(
        address sell,
        address buy,
        uint256 sellAmount
    ) external view returns (uint256 sold, uint256 bought) {
        IRiskParityVault.Portfolio memory book = vault.portfolio();
        (uint256[] memory amounts, uint256 sellIndex, uint256 buyIndex) = _single(
            book,
            sell,
            buy,
            sellAmount
        );
        Trade memory t = _quote(book, amounts, buyIndex);
        return (t.sold[sellIndex], t.bought);
    }

    /// @inheritdoc IRebalanceAuction
    function quoteBasket(
        uint256[] calldata sellAmounts
    ) external view returns (uint256[] memory sold, uint256 bought) {
        IRiskParityVault.Portfolio memory book = vault.portfolio();
        Trade memory t = _quote(book, _basket(book, sellAmounts), _cashIndex(book));
        return (t.sold, t.bought);
    }

    function _single(
        IRiskParityVault.Portfolio memory book,
        address sell,
        address buy,
        uint256 sellAmount
    ) private pure returns (uint256[] memory amounts, uint256 sellIndex, uint256 buyIndex) {
        if (sell == buy) revert RebalanceAuction__SameToken(sell);
        sellIndex = _indexOf(book.tokens, sell);
        buyIndex = _indexOf(book.tokens, buy);
        amounts = new uint256[](book.tokens.length);
        amounts[sellIndex] = sellAmount;
    }

    function _basket(
        IRiskParityVault.Portfolio memory book,
        uint256[] calldata sellAmounts
    ) private pure returns (uint256[] memory amounts) {
        uint256 count = _cashIndex(book);
        if (sellAmounts.length != count) revert RebalanceAuction__LengthMismatch(sellAmounts.length, count);
        amounts = new uint256[](count + 1);
        for (uint256 i; i < count; ++i) amounts[i] = sellAmounts[i];
    }

    /// @dev The cash is last: so many basket tokens has the vault, those being retired included.
    function _cashIndex(IRiskParityVault.Portfolio memory book) private pure returns (uint256) {
        return book.tokens.length - 1;
    }

    function _quote(
        IRiskParityVault.Portfolio memory book,
        uint256[] memory amounts,
        uint256 buyIndex
    ) private view returns (Trade memory t) {
        Auction memory a = _auction;
        if (!_inCourse(a)) revert RebalanceAuction__NotOpen(a.id, a.id, a.endsAt);
        t = _price(a, book, amounts, buyIndex);
        if (!a.ripcord) _lossAfter(t, book.navWad);
    }

    function _bid(
        uint256 id,
        IRiskParityVault.Portfolio memory book,
        uint256[] memory amounts,
        uint256 buyIndex,
        uint256 maxBuyAmount,
        address receiver
    ) private returns (Trade memory t) {
        Auction memory a = _auction;
        if (id != a.id || !_inCourse(a)) revert RebalanceAuction__NotOpen(id, a.id, a.endsAt);
        if (receiver == address(0)) revert RebalanceAuction__ZeroAddress();
        t = _price(a, book, amounts, buyIndex);
        if (t.bought > maxBuyAmount) revert RebalanceAuction__BidTooDear(t.bought, maxBuyAmount);
        // what the ripcord gives away is bounded by its discount and by what saves the vault
        if (!a.ripcord) {
            uint256 usedWad = _lossAfter(t, book.navWad);
            if (t.buyValueWad < t.sellValueWad) _loss = Loss(usedWad.toUint192(), uint64(block.timestamp));
        }
        vault.exchange(msg.sender, receiver, t.sold, buyIndex, t.bought, _cashFloor(a, book));
        if (buyIndex != _cashIndex(book) && _levered()) _checkIncrease(book.debt);
        _announce(id, book, t, receiver);
    }

    function _announce(
        uint256 id,
        IRiskParityVault.Portfolio memory book,
        Trade memory t,
        address receiver
    ) private {
        IPriceOracle.Quote memory buyQuote = book.quotes[t.buyIndex];
        for (uint256 i; i < book.tokens.length; ++i) {
            if (t.sold[i] == 0) continue;
            emit Bid(
                id,
                msg.sender,
                receiver,
                book.tokens[i],
                book.tokens[t.buyIndex],
                t.sold[i],
                t.paid[i],
                FixedPointMathLib.fullMulDivUp(t.sold[i], book.quotes[i].midWad, book.quotes[i].unit),
                FixedPointMathLib.fullMulDiv(t.paid[i], buyQuote.midWad, buyQuote.unit)
            );
        }
    }

    /// @dev Idle cash is for redemptions in quiet times and for the debt in others.
    function _cashFloor(
        Auction memory a,
        IRiskParityVault.Portfolio memory book
    ) private view returns (uint256) {
        if (!_levered() || a.ripcord || guard.riskMode() != IRiskGuard.Mode.Normal) return 0;
        IPriceOracle.Quote memory q = book.quotes[_cashIndex(book)];
        uint256 floorWad = FixedPointMathLib.mulWad(book.navWad, _params.cashBufferWad);
        return FixedPointMathLib.fullMulDiv(floorWad, q.unit, q.midWad);
    }

    /// @dev After the fact, by the venue's own numbers.
    function _checkIncrease(uint256 debtBefore) private view {
        uint256 debt = _account.debt();
        if (debt == 0) return;
        uint256 healthWad = _account.healthFactorWad();
        uint256 minWad = guard.params().increaseHealthWad;
        if (healthWad < minWad) revert RebalanceAuction__HealthTooLow(healthWad, minWad);
        if (debt <= debtBefore) return;
        uint256 rateWad = _account.borrowRateWad();
        uint256 maxRateWad = _params.maxBorrowRateWad;
        if (rateWad > maxRateWad) revert RebalanceAuction__BorrowTooDear(rateWad, maxRateWad);
    }

    /// @dev paid{buy} = sold{sell} sellPrice{USD/sell} curve{1} / buyPrice{USD/buy}, rounded up
    function _price(
        Auction memory a,
        IRiskParityVault.Portfolio memory book,
        uint256[] memory amounts,
        uint256 buyIndex
    ) private view returns (Trade memory t) {
        uint256 cashIndex = _cashIndex(book);
        if (!a.ripcord && a.basketVersion != book.basketVersion)
            revert RebalanceAuction__BasketChanged(a.basketVersion, book.basketVersion);
        if (buyIndex != cashIndex) {
            IRiskGuard.Mode mode = _levered() ? guard.modeAt(vault.healthFactorWad()) : guard.riskMode();
            if (a.ripcord || mode != IRiskGuard.Mode.Normal)
                revert RebalanceAuction__OnlyCashBought(mode, book.tokens[buyIndex]);
        }
        Terms memory terms = a.ripcord ? _ripcordTerms(a, book) : Terms(_curveWad(a, block.timestamp), WAD);
        t.buyIndex = buyIndex;
        t.sold = amounts;
        t.paid = new uint256[](amounts.length);
        IPriceOracle.Quote memory buyQuote = book.quotes[buyIndex];
        for (uint256 i; i < amounts.length; ++i) {
            if (amounts[i] == 0) continue;
            IPriceOracle.Quote memory q = book.quotes[i];
            uint256 lotWad = a.ripcord
                ? FixedPointMathLib.mulWad(book.valuesWad[i], terms.fractionWad)
                : _lotWad(a.targets, book, i, buyIndex, terms.curveWad);
            uint256 lot = FixedPointMathLib.fullMulDiv(lotWad, q.unit, q.midWad);
            // cash may be borrowed, a token may not
            if (i != cashIndex || !_levered()) lot = FixedPointMathLib.min(lot, book.balances[i]);
            if (amounts[i] == type(uint256).max) t.sold[i] = lot;
            if (t.sold[i] > lot) revert RebalanceAuction__LotExceeded(t.sold[i], lot);
            uint256 valueWad = FixedPointMathLib.fullMulDivUp(t.sold[i], q.midWad, q.unit);
            uint256 dueWad = FixedPointMathLib.mulWadUp(valueWad, terms.curveWad);
            t.paid[i] = FixedPointMathLib.fullMulDivUp(dueWad, buyQuote.unit, buyQuote.midWad);
            t.bought += t.paid[i];
            t.sellValueWad += valueWad;
        }
        if (t.sellValueWad == 0) revert RebalanceAuction__ZeroAmount();
        t.buyValueWad = FixedPointMathLib.fullMulDiv(t.bought, buyQuote.midWad, buyQuote.unit);
    }

    /// @dev {D18 USD} of the sold token. Cash is the medium: it takes any surplus and pays for any deficit, up
    ///      to what there is, or with a lending account up to the target leverage. A bid pays its lot times the
    ///      curve, so the deficit is divided by it.
    function _lotWad(
        uint256 targets,
        IRiskParityVault.Portfolio memory book,
        uint256 sellIndex,
        uint256 buyIndex,
        uint256 curve
    ) private view returns (uint256) {
        uint256 cashIndex = _cashIndex(book);
        uint256 surplusWad;
        if (sellIndex != cashIndex)
            surplusWad = FixedPointMathLib.zeroFloorSub(
                book.valuesWad[sellIndex],
                _targetWad(targets, sellIndex, book.navWad)
            );
        else surplusWad = _levered() ? _spendableWad(targets, book) : book.valuesWad[cashIndex];
        if (buyIndex == cashIndex) return surplusWad;
        uint256 deficitWad = FixedPointMathLib.zeroFloorSub(
            _targetWad(targets, buyIndex, book.navWad),
            book.valuesWad[buyIndex]
        );
        return FixedPointMathLib.min(surplusWad, FixedPointMathLib.divWad(deficitWad, curve));
    }

    /// @dev {D18 USD} What the assets together may still grow: also while a surplus finds no buyer, leverage stays
    ///      within its target. Without debt, idle cash may be spent down to the buffer, as in any vault.
    function _spendableWad(
        uint256 targets,
        IRiskParityVault.Portfolio memory book
    ) private view returns (uint256) {
        uint256 cashWad = book.valuesWad[_cashIndex(book)];
        uint256 heldWad = book.navWad + book.debtWad - cashWad;
        uint256 targetWad;
        for (uint256 i; i < _cashIndex(book); ++i) targetWad += _targetWad(targets, i, book.navWad);
        uint256 roomWad = FixedPointMathLib.zeroFloorSub(targetWad, heldWad);
        if (book.debt != 0) return roomWad;
        uint256 bufferWad = FixedPointMathLib.mulWadUp(book.navWad, _params.cashBufferWad);
        return FixedPointMathLib.max(roomWad, FixedPointMathLib.zeroFloorSub(cashWad, bufferWad));
    }

    function _targetWad(uint256 targets, uint256 index, uint256 navWad) private pure returns (uint256) {
        return (Word8.lane(targets, index) * navWad) / Word8.ONE;
    }

    function _indexOf(address[] memory tokens, address token) private pure returns (uint256) {
        for (uint256 i; i < tokens.length; ++i) if (tokens[i] == token) return i;
        revert RebalanceAuction__UnknownToken(token);
    }

    /// @inheritdoc IRebalanceAuction
    function curveWad(uint256 timestamp) external view returns (uint256) {
        return _curveWad(_auction, timestamp);
    }

    function _curveWad(Auction memory a, uint256 timestamp) private view returns (uint256) {
        Params memory p = _params;
        if (a.ripcord) {
            uint256 elapsed = FixedPointMathLib.zeroFloorSub(timestamp, a.startedAt);
            return WAD - LeverageMath.ripcordDiscount(elapsed, p.ripcordDuration, p.ripcordDiscountWad, 1, 0);
        }
        return
            AuctionMath.price(
                WAD + p.startPremiumWad,
                WAD - p.endDiscountWad,
                FixedPointMathLib.zeroFloorSub(timestamp, a.startedAt),
                FixedPointMathLib.max(a.endsAt - a.startedAt, 1)
            );
    }

    // ------------------------------------------------------------ loss budget

    /// @dev {D18 of NAV} What the bucket holds after the trade; reverts when that is more than the budget.
    function _lossAfter(Trade memory t, uint256 navWad) private view returns (uint256 usedWad) {
        usedWad = _usedWad();
        if (t.buyValueWad >= t.sellValueWad) return usedWad;
        // of nothing, any loss is too much
        usedWad = navWad == 0
            ? type(uint256).max
            : usedWad + FixedPointMathLib.fullMulDivUp(t.sellValueWad - t.buyValueWad, WAD, navWad);
        uint256 budgetWad = _params.lossBudgetWad;
        if (usedWad > budgetWad) revert RebalanceAuction__LossBudgetExceeded(usedWad, budgetWad);
    }

    function _usedWad() private view returns (uint256) {
        uint256 elapsed = block.timestamp - _loss.updatedAt;
        return AuctionMath.decayed(_loss.usedWad, _params.lossBudgetWad, elapsed, 1 days);
    }

    /// @inheritdoc IRebalanceAuction
    function lossBudget() external view returns (uint256 usedWad, uint256 budgetWad) {
        return (_usedWad(), _params.lossBudgetWad);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IRebalanceAuction
    function current() external view returns (Auction memory) {
        return _auction;
    }
}
