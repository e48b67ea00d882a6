// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {ILendingAccount} from "../interfaces/ILendingAccount.sol";
import {IRebalanceAuction} from "../interfaces/IRebalanceAuction.sol";
import {IRiskGuard} from "../interfaces/IRiskGuard.sol";
import {IRiskParityVault} from "../interfaces/IRiskParityVault.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {Bounds} from "../math/Bounds.sol";
import {ExposureMath} from "../math/ExposureMath.sol";
import {LeverageMath} from "../math/LeverageMath.sol";
import {RiskMath} from "../math/RiskMath.sol";

/// @title What the vault should hold, what it holds, and whether that is reason enough to trade
abstract contract RiskTargets is IRebalanceAuction {
    uint256 internal constant WAD = 1e18;
    uint256 private constant MAX_LEVERAGE_WAD = 4e18;
    /// @dev Below the smallest liquidation bonus of the venues: a liquidator must not be the better buyer.
    uint256 private constant MAX_RIPCORD_DISCOUNT_WAD = 0.04e18;
    /// @dev Half of what the vault writes off: where this does not open an auction, the token can leave.
    uint256 private constant RETIRED_WAD = 0.00005e18;

    /// @inheritdoc IRebalanceAuction
    IRiskParityVault public immutable vault;
    /// @inheritdoc IRebalanceAuction
    IVolatilityOracle public immutable volatilityOracle;
    /// @inheritdoc IRebalanceAuction
    IRiskGuard public immutable guard;
    ILendingAccount internal immutable _account;

    Params internal _params;

    constructor(IRiskParityVault vault_, IVolatilityOracle oracle, Params memory initialParams) {
        if (address(vault_) == address(0) || address(oracle) == address(0))
            revert RebalanceAuction__ZeroAddress();
        vault = vault_;
        volatilityOracle = oracle;
        guard = vault_.guard();
        _account = vault_.lendingAccount();
        (address[] memory tokens, ) = vault_.holdings();
        _requireSameBasket(tokens, tokens.length - 1);
        _setParams(initialParams);
    }

    /// @dev Lanes are by index: of the vault's first `n` tokens, of the reports and of what was realised.
    function _requireSameBasket(address[] memory tokens, uint256 n) private view {
        uint256 count = FixedPointMathLib.min(n, tokens.length - 1);
        address[] memory basket = new address[](count);
        for (uint256 i; i < count; ++i) basket[i] = tokens[i];
        bytes32 ours = keccak256(abi.encode(basket));
        bytes32 theirs = volatilityOracle.assetsHash();
        if (ours == theirs) theirs = keccak256(abi.encode(volatilityOracle.realized().assets()));
        if (ours != theirs) revert RebalanceAuction__BasketMismatch(ours, theirs);
    }

    function _setParams(Params memory p) internal {
        Bounds.check("targetVolatilityWad", p.targetVolatilityWad, 0.01e18, 1e18);
        Bounds.check("maxLeverageWad", p.maxLeverageWad, 0.1e18, _levered() ? MAX_LEVERAGE_WAD : WAD);
        Bounds.check("parityBandWad", p.parityBandWad, 0.001e18, 0.2e18);
        Bounds.check("volatilityBandWad", p.volatilityBandWad, 0.01e18, 0.5e18);
        Bounds.check("startPremiumWad", p.startPremiumWad, 0, 0.05e18);
        Bounds.check("endDiscountWad", p.endDiscountWad, 0, 0.02e18);
        Bounds.check("lossBudgetWad", p.lossBudgetWad, 0.0001e18, 0.02e18);
        Bounds.check("cashBufferWad", p.cashBufferWad, 0, 0.1e18);
        Bounds.check("maxBorrowRateWad", p.maxBorrowRateWad, 0, 1e18);
        Bounds.check("ripcordDiscountWad", p.ripcordDiscountWad, 0.005e18, MAX_RIPCORD_DISCOUNT_WAD);
        Bounds.check("ripcordDuration", p.ripcordDuration, 60, 1 hours);
        Bounds.check("duration", p.duration, 60, 1 days);
        _params = p;
        emit ParamsSet(p);
    }

    function _levered() internal view returns (bool) {
        return address(_account) != address(0);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IRebalanceAuction
    function targetExposures()
        public
        view
        returns (uint256[] memory targetsWad, uint256 leverageWad, uint256 targetVolatilityWad)
    {
        (
            uint256 vols,
            uint256 coordinates,
            uint256 volatilitiesAt,
            uint256 correlationsAt,
            uint256 n
        ) = volatilityOracle.exposureData();
        if (vols == 0 || coordinates == 0) revert RebalanceAuction__NoReports();
        return _targets(vols, coordinates, n, [volatilitiesAt, correlationsAt], type(uint256).max);
    }

    /// @dev min(target volatility, maximum, health factor, ages of both reports, `capWad`), each as a cap on leverage.
    /// @param observedAt Times of the volatilities and of the correlations
    function _targets(
        uint256 vols,
        uint256 coordinates,
        uint256 n,
        uint256[2] memory observedAt,
        uint256 capWad
    ) private view returns (uint256[] memory targetsWad, uint256 leverageWad, uint256 targetVolatilityWad) {
        Params memory p = _params;
        uint256 scaleWad;
        (targetsWad, leverageWad, scaleWad) = ExposureMath.targets(
            vols,
            coordinates,
            n,
            p.targetVolatilityWad,
            p.maxLeverageWad
        );
        targetVolatilityWad = FixedPointMathLib.mulWad(p.targetVolatilityWad, scaleWad);
        if (!_levered() || leverageWad + p.cashBufferWad <= WAD)
            return (targetsWad, leverageWad, targetVolatilityWad);
        capWad = FixedPointMathLib.min(capWad, _leverageCapWad(p, targetsWad, observedAt));
        (leverageWad, scaleWad) = ExposureMath.capped(targetsWad, leverageWad, capWad);
        targetVolatilityWad = FixedPointMathLib.mulWad(targetVolatilityWad, scaleWad);
    }

    function _leverageCapWad(
        Params memory p,
        uint256[] memory targetsWad,
        uint256[2] memory observedAt
    ) private view returns (uint256) {
        IRiskGuard.Params memory g = guard.params();
        uint256 ageWad = FixedPointMathLib.min(
            LeverageMath.ageCap(
                block.timestamp - observedAt[0],
                g.volatilitiesFreshFor,
                g.deleverAfter,
                p.maxLeverageWad
            ),
            LeverageMath.ageCap(
                block.timestamp - observedAt[1],
                g.correlationsFreshFor,
                g.correlationsDeleverAfter,
                p.maxLeverageWad
            )
        );
        uint256[] memory thresholdsWad = _account.thresholdsWad(volatilityOracle.assets());
        return
            FixedPointMathLib.min(
                ageWad,
                LeverageMath.healthCap(targetsWad, thresholdsWad, g.targetHealthWad, p.cashBufferWad)
            );
    }

    /// @dev Dear credit stops increases. It forces no sale: whoever borrows for one block could push the rate.
    function _creditCapWad(uint256 leverageWad) private view returns (uint256) {
        Params memory p = _params;
        if (!_levered() || _account.borrowRateWad() <= p.maxBorrowRateWad) return type(uint256).max;
        return FixedPointMathLib.max(leverageWad, WAD - p.cashBufferWad);
    }

    /// @inheritdoc IRebalanceAuction
    function riskState() public view returns (RiskState memory state) {
        IVolatilityOracle.RiskData memory data = volatilityOracle.riskData();
        if (data.vols == 0 || data.coordinates == 0) revert RebalanceAuction__NoReports();
        IRiskParityVault.Portfolio memory book = vault.portfolio();
        _requireSameBasket(book.tokens, data.n);
        uint256 count = book.tokens.length - 1;
        state.navWad = book.navWad;
        state.exposuresWad = new uint256[](count);
        if (book.navWad != 0) {
            for (uint256 i; i < count; ++i) {
                state.exposuresWad[i] = FixedPointMathLib.divWad(book.valuesWad[i], book.navWad);
                state.leverageWad += state.exposuresWad[i];
            }
        }
        (state.volatilityWad, state.sharesWad, state.parityGapWad) = RiskMath.riskState(
            state.exposuresWad,
            data.vols,
            data.correlations,
            data.budgets,
            data.n
        );
        uint256[] memory targetsWad;
        (targetsWad, state.targetLeverageWad, state.targetVolatilityWad) = _targets(
            data.vols,
            data.coordinates,
            data.n,
            [uint256(data.volatilitiesAt), data.correlationsAt],
            _creditCapWad(state.leverageWad)
        );
        state.targetsWad = new uint256[](count);
        for (uint256 i; i < data.n; ++i) state.targetsWad[i] = targetsWad[i];
        state.reason = _reason(state);
    }

    function _reason(RiskState memory state) private view returns (Reason) {
        Params memory p = _params;
        uint256 marginWad = FixedPointMathLib.mulWad(state.targetVolatilityWad, p.volatilityBandWad);
        if (state.volatilityWad > state.targetVolatilityWad + marginWad) return Reason.VolatilityTooHigh;
        if (state.parityGapWad > p.parityBandWad) return Reason.ParityGap;
        if (state.volatilityWad + marginWad < state.targetVolatilityWad) return Reason.VolatilityTooLow;
        for (uint256 i = state.sharesWad.length; i < state.exposuresWad.length; ++i)
            if (state.exposuresWad[i] > RETIRED_WAD) return Reason.RetiringAsset;
        return Reason.None;
    }

    /// @inheritdoc IRebalanceAuction
    function params() external view returns (Params memory) {
        return _params;
    }
}
