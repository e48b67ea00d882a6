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
import {Bounds} from "../math/Bounds.sol";
import {ExposureMath} from "../math/ExposureMath.sol";
import {RiskMath} from "../math/RiskMath.sol";
import {Word8} from "../math/Word8.sol";

/// @title Target snapshot, Dutch auction, loss budget
contract RebalanceAuction is IRebalanceAuction, IParameters, Ownable2Step, ReentrancyGuardTransient {
    using SafeCast for uint256;

    /// @dev A leaky bucket: `usedWad` {D18 of NAV} drains at one budget a day. A fraction, not an amount: a NAV
    ///      that a deposit swells for one bid neither widens what a share can lose nor blocks the bids after it.
    struct Loss {
        uint192 usedWad;
        uint64 updatedAt;
    }

    /// @dev One bid being priced.
    struct Trade {
        uint256 sellIndex;
        uint256 buyIndex;
        uint256 sold;
        uint256 bought;
        uint256 sellValueWad;
        uint256 buyValueWad;
    }

    uint256 private constant WAD = 1e18;

    /// @inheritdoc IRebalanceAuction
    IRiskParityVault public immutable vault;
    /// @inheritdoc IRebalanceAuction
    IVolatilityOracle public immutable volatilityOracle;
    /// @inheritdoc IRebalanceAuction
    IRiskGuard public immutable guard;
    uint256 private immutable _n;

    Params private _params;
    Auction private _auction;
    Loss private _loss;

    constructor(
        address owner,
        IRiskParityVault vault_,
        IVolatilityOracle oracle,
        Params memory initialParams
    ) Ownable(owner) {
        if (address(vault_) == address(0) || address(oracle) == address(0))
            revert RebalanceAuction__ZeroAddress();
        (address[] memory tokens, ) = vault_.holdings();
        uint256 n = tokens.length - 1;
        address[] memory basket = new address[](n);
        for (uint256 i; i < n; ++i) basket[i] = tokens[i];
        bytes32 basketHash = keccak256(abi.encode(basket));
        if (basketHash != oracle.assetsHash())
            revert RebalanceAuction__BasketMismatch(basketHash, oracle.assetsHash());
        vault = vault_;
        volatilityOracle = oracle;
        guard = vault_.guard();
        _n = n;
        _setParams(initialParams);
    }

    // ------------------------------------------------------------------ admin

    /// @inheritdoc IRebalanceAuction
    function setParams(Params calldata newParams) external onlyOwner {
        _setParams(newParams);
    }

    function _setParams(Params memory p) private {
        Bounds.check("targetVolatilityWad", p.targetVolatilityWad, 0.01e18, 1e18);
        Bounds.check("maxLeverageWad", p.maxLeverageWad, 0.1e18, 1e18);
        Bounds.check("parityBandWad", p.parityBandWad, 0.001e18, 0.2e18);
        Bounds.check("volatilityBandWad", p.volatilityBandWad, 0.01e18, 0.5e18);
        Bounds.check("startPremiumWad", p.startPremiumWad, 0, 0.05e18);
        Bounds.check("endDiscountWad", p.endDiscountWad, 0, 0.02e18);
        Bounds.check("lossBudgetWad", p.lossBudgetWad, 0.0001e18, 0.02e18);
        Bounds.check("duration", p.duration, 60, 1 days);
        _params = p;
        emit ParamsSet(p);
    }

    // ------------------------------------------------------------------- open

    /// @inheritdoc IRebalanceAuction
    function open() external nonReentrant returns (uint256 id) {
        Auction memory last = _auction;
        if (last.id != 0 && block.timestamp <= last.endsAt)
            revert RebalanceAuction__AlreadyOpen(last.id, last.endsAt);
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
        _auction = Auction(uint64(id), uint64(block.timestamp), uint64(endsAt), targets);
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
        Auction memory a = _auction;
        if (id == 0 || id != a.id || block.timestamp > a.endsAt)
            revert RebalanceAuction__NotOpen(id, a.id, a.endsAt);
        if (receiver == address(0)) revert RebalanceAuction__ZeroAddress();
        IRiskParityVault.Portfolio memory book = vault.portfolio();
        Trade memory t = _price(a, book, sell, buy, sellAmount);
        if (t.bought > maxBuyAmount) revert RebalanceAuction__BidTooDear(t.bought, maxBuyAmount);
        uint256 usedWad = _lossAfter(t, book.navWad);
        if (t.buyValueWad < t.sellValueWad) _loss = Loss(usedWad.toUint192(), uint64(block.timestamp));
        vault.exchange(msg.sender, receiver, t.sellIndex, t.sold, t.buyIndex, t.bought);
        emit Bid(id, msg.sender, receiver, sell, buy, t.sold, t.bought, t.sellValueWad, t.buyValueWad);
        return (t.sold, t.bought);
    }

    /// @inheritdoc IRebalanceAuction
    function quoteBid(
        address sell,
        address buy,
        uint256 sellAmount
    ) external view returns (uint256 sold, uint256 bought) {
        Auction memory a = _auction;
        if (a.id == 0 || block.timestamp > a.endsAt) revert RebalanceAuction__NotOpen(a.id, a.id, a.endsAt);
        IRiskParityVault.Portfolio memory book = vault.portfolio();
        Trade memory t = _price(a, book, sell, buy, sellAmount);
        _lossAfter(t, book.navWad);
        return (t.sold, t.bought);
    }

    /// @dev bought{buy} = sold{sell} sellPrice{USD/sell} curve{1} / buyPrice{USD/buy}, rounded up
    function _price(
        Auction memory a,
        IRiskParityVault.Portfolio memory book,
        address sell,
        address buy,
        uint256 sellAmount
    ) private view returns (Trade memory t) {
        if (sell == buy) revert RebalanceAuction__SameToken(sell);
        t.sellIndex = _indexOf(book.tokens, sell);
        t.buyIndex = _indexOf(book.tokens, buy);
        if (t.buyIndex != _n) {
            IRiskGuard.Mode mode = guard.riskMode();
            if (mode != IRiskGuard.Mode.Normal) revert RebalanceAuction__OnlyCashBought(mode, buy);
        }
        IPriceOracle.Quote memory sellQuote = book.quotes[t.sellIndex];
        IPriceOracle.Quote memory buyQuote = book.quotes[t.buyIndex];
        uint256 curve = _curveWad(a, block.timestamp);
        uint256 lotWad = _lotWad(a.targets, book, t.sellIndex, t.buyIndex, curve);
        uint256 lot = FixedPointMathLib.min(
            FixedPointMathLib.fullMulDiv(lotWad, sellQuote.unit, sellQuote.midWad),
            book.balances[t.sellIndex]
        );
        t.sold = sellAmount == type(uint256).max ? lot : sellAmount;
        if (t.sold > lot) revert RebalanceAuction__LotExceeded(sellAmount, lot);
        if (t.sold == 0) revert RebalanceAuction__ZeroAmount();
        t.sellValueWad = FixedPointMathLib.fullMulDivUp(t.sold, sellQuote.midWad, sellQuote.unit);
        uint256 dueWad = FixedPointMathLib.mulWadUp(t.sellValueWad, curve);
        t.bought = FixedPointMathLib.fullMulDivUp(dueWad, buyQuote.unit, buyQuote.midWad);
        t.buyValueWad = FixedPointMathLib.fullMulDiv(t.bought, buyQuote.midWad, buyQuote.unit);
    }

    /// @dev {D18 USD} of the sold token. Cash is the medium: it takes any surplus and pays for any deficit, up
    ///      to what there is. A bid pays its lot times the curve, so the deficit is divided by it.
    function _lotWad(
        uint256 targets,
        IRiskParityVault.Portfolio memory book,
        uint256 sellIndex,
        uint256 buyIndex,
        uint256 curve
    ) private view returns (uint256) {
        uint256 surplusWad = book.valuesWad[sellIndex];
        if (sellIndex != _n)
            surplusWad = FixedPointMathLib.zeroFloorSub(
                surplusWad,
                _targetWad(targets, sellIndex, book.navWad)
            );
        if (buyIndex == _n) return surplusWad;
        uint256 deficitWad = FixedPointMathLib.zeroFloorSub(
            _targetWad(targets, buyIndex, book.navWad),
            book.valuesWad[buyIndex]
        );
        return FixedPointMathLib.min(surplusWad, FixedPointMathLib.divWad(deficitWad, curve));
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
        usedWad += FixedPointMathLib.fullMulDivUp(t.sellValueWad - t.buyValueWad, WAD, navWad);
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
    function targetExposures()
        public
        view
        returns (uint256[] memory targetsWad, uint256 leverageWad, uint256 targetVolatilityWad)
    {
        (uint256 vols, uint256 coordinates, , ) = volatilityOracle.exposureData();
        if (vols == 0 || coordinates == 0) revert RebalanceAuction__NoReports();
        return _targets(vols, coordinates);
    }

    function _targets(
        uint256 vols,
        uint256 coordinates
    ) private view returns (uint256[] memory targetsWad, uint256 leverageWad, uint256 targetVolatilityWad) {
        uint256 aimWad = _params.targetVolatilityWad;
        uint256 scaleWad;
        (targetsWad, leverageWad, scaleWad) = ExposureMath.targets(
            vols,
            coordinates,
            _n,
            aimWad,
            _params.maxLeverageWad
        );
        targetVolatilityWad = FixedPointMathLib.mulWad(aimWad, scaleWad);
    }

    /// @inheritdoc IRebalanceAuction
    function riskState() public view returns (RiskState memory state) {
        IVolatilityOracle.RiskData memory data = volatilityOracle.riskData();
        if (data.vols == 0 || data.coordinates == 0) revert RebalanceAuction__NoReports();
        IRiskParityVault.Portfolio memory book = vault.portfolio();
        state.navWad = book.navWad;
        state.exposuresWad = new uint256[](_n);
        if (book.navWad != 0) {
            for (uint256 i; i < _n; ++i) {
                state.exposuresWad[i] = FixedPointMathLib.divWad(book.valuesWad[i], book.navWad);
                state.leverageWad += state.exposuresWad[i];
            }
        }
        (state.volatilityWad, state.sharesWad, state.parityGapWad) = RiskMath.riskState(
            state.exposuresWad,
            data.vols,
            data.correlations,
            data.budgets,
            _n
        );
        (state.targetsWad, , state.targetVolatilityWad) = _targets(data.vols, data.coordinates);
        state.reason = _reason(state);
    }

    function _reason(RiskState memory state) private view returns (Reason) {
        Params memory p = _params;
        uint256 marginWad = FixedPointMathLib.mulWad(state.targetVolatilityWad, p.volatilityBandWad);
        if (state.volatilityWad > state.targetVolatilityWad + marginWad) return Reason.VolatilityTooHigh;
        if (state.parityGapWad > p.parityBandWad) return Reason.ParityGap;
        if (state.volatilityWad + marginWad < state.targetVolatilityWad) return Reason.VolatilityTooLow;
        return Reason.None;
    }

    /// @inheritdoc IRebalanceAuction
    function current() external view returns (Auction memory) {
        return _auction;
    }

    /// @inheritdoc IRebalanceAuction
    function params() external view returns (Params memory) {
        return _params;
    }
}
