// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {IRiskParityVault} from "../interfaces/IRiskParityVault.sol";
import {AuctionMath} from "../math/AuctionMath.sol";
import {CoordinateSolver} from "../math/CoordinateSolver.sol";
import {CorrelationMatrix} from "../math/CorrelationMatrix.sol";
import {ExposureMath} from "../math/ExposureMath.sol";
import {FeeMath} from "../math/FeeMath.sol";
import {LDL} from "../math/LDL.sol";
import {LeverageMath} from "../math/LeverageMath.sol";
import {NavMath} from "../math/NavMath.sol";
import {RiskMath} from "../math/RiskMath.sol";
import {Word8} from "../math/Word8.sol";

/// @title The internal libraries as external functions, for tests and gas measurements
/// @dev `*Gas` functions return the gas between entry and exit of the library function alone.
contract MathHarness {
    function targets(
        uint256 vols,
        uint256 coordinates,
        uint256 n,
        uint256 targetVolWad,
        uint256 maxLeverageWad
    ) external pure returns (uint256[] memory exposuresWad, uint256 leverageWad, uint256 scaleWad) {
        return ExposureMath.targets(vols, coordinates, n, targetVolWad, maxLeverageWad);
    }

    function targetsWord(
        uint256 vols,
        uint256 coordinates,
        uint256 n,
        uint256 targetVolWad,
        uint256 maxLeverageWad
    ) external pure returns (uint256) {
        return ExposureMath.targetsWord(vols, coordinates, n, targetVolWad, maxLeverageWad);
    }

    function riskState(
        uint256[] memory exposuresWad,
        uint256 vols,
        uint256[2] memory correlations,
        uint256 budgets,
        uint256 n
    ) external pure returns (uint256 volatilityWad, int256[] memory sharesWad, uint256 parityGapWad) {
        return RiskMath.riskState(exposuresWad, vols, correlations, budgets, n);
    }

    function certificateError(
        uint256 coordinates,
        uint256[2] memory correlations,
        uint256 budgets,
        uint256 n
    ) external pure returns (uint256) {
        return RiskMath.certificateError(coordinates, correlations, budgets, n);
    }

    function eigenvaluesAbove(
        uint256[2] memory correlations,
        uint256 n,
        uint256 floorWad
    ) external pure returns (bool accepted, uint256 index, int256 pivotWad) {
        return CorrelationMatrix.eigenvaluesAbove(correlations, n, floorWad);
    }

    function loadCorrelations(
        uint256[2] memory correlations,
        uint256 n
    ) external pure returns (int256[] memory) {
        return CorrelationMatrix.load(correlations, n);
    }

    function correlationLanesAreZero(uint256[2] memory correlations, uint256 n) external pure returns (bool) {
        return CorrelationMatrix.unusedLanesAreZero(correlations, n);
    }

    function solve(
        uint256[2] memory correlations,
        uint256 budgets,
        uint256 n
    ) external pure returns (uint256) {
        return CoordinateSolver.solve(correlations, budgets, n);
    }

    function unpackWad(uint256 word, uint256 n) external pure returns (uint256[] memory) {
        return Word8.unpackWad(word, n);
    }

    function packDown(uint256[] memory valuesWad) external pure returns (uint256) {
        return Word8.packDown(valuesWad);
    }

    function wordLanesAreZero(uint256 word, uint256 n) external pure returns (bool) {
        return Word8.unusedLanesAreZero(word, n);
    }

    function price(
        uint256 startWad,
        uint256 endWad,
        uint256 elapsed,
        uint256 duration
    ) external pure returns (uint256) {
        return AuctionMath.price(startWad, endWad, elapsed, duration);
    }

    function lot(
        uint256 sellWad,
        uint256 sellTargetWad,
        uint256 buyWad,
        uint256 buyTargetWad
    ) external pure returns (uint256) {
        return AuctionMath.lot(sellWad, sellTargetWad, buyWad, buyTargetWad);
    }

    function decayed(
        uint256 usedWad,
        uint256 capacityWad,
        uint256 elapsed,
        uint256 period
    ) external pure returns (uint256) {
        return AuctionMath.decayed(usedWad, capacityWad, elapsed, period);
    }

    function certificateGas(
        uint256 coordinates,
        uint256[2] memory correlations,
        uint256 budgets,
        uint256 n
    ) external view returns (uint256 gas) {
        gas = gasleft();
        RiskMath.certificateError(coordinates, correlations, budgets, n);
        gas -= gasleft();
    }

    function eigenvaluesGas(
        uint256[2] memory correlations,
        uint256 n,
        uint256 floorWad
    ) external view returns (uint256 gas) {
        gas = gasleft();
        CorrelationMatrix.eigenvaluesAbove(correlations, n, floorWad);
        gas -= gasleft();
    }

    function solveGas(
        uint256[2] memory correlations,
        uint256 budgets,
        uint256 n
    ) external view returns (uint256 gas) {
        gas = gasleft();
        CoordinateSolver.solve(correlations, budgets, n);
        gas -= gasleft();
    }

    function targetsGas(
        uint256 vols,
        uint256 coordinates,
        uint256 n,
        uint256 targetVolWad,
        uint256 maxLeverageWad
    ) external view returns (uint256 gas) {
        gas = gasleft();
        ExposureMath.targets(vols, coordinates, n, targetVolWad, maxLeverageWad);
        gas -= gasleft();
    }

    function riskStateGas(
        uint256[] memory exposuresWad,
        uint256 vols,
        uint256[2] memory correlations,
        uint256 budgets,
        uint256 n
    ) external view returns (uint256 gas) {
        gas = gasleft();
        RiskMath.riskState(exposuresWad, vols, correlations, budgets, n);
        gas -= gasleft();
    }

    function capped(
        uint256[] memory exposuresWad,
        uint256 leverageWad,
        uint256 capWad
    ) external pure returns (uint256[] memory, uint256 cappedWad, uint256 scaleWad) {
        (cappedWad, scaleWad) = ExposureMath.capped(exposuresWad, leverageWad, capWad);
        return (exposuresWad, cappedWad, scaleWad);
    }

    function healthCap(
        uint256[] memory exposuresWad,
        uint256[] memory thresholdsWad,
        uint256 targetHealthWad,
        uint256 bufferWad
    ) external pure returns (uint256) {
        return LeverageMath.healthCap(exposuresWad, thresholdsWad, targetHealthWad, bufferWad);
    }

    function ageCap(
        uint256 age,
        uint256 freshFor,
        uint256 deleverAfter,
        uint256 maxLeverageWad
    ) external pure returns (uint256) {
        return LeverageMath.ageCap(age, freshFor, deleverAfter, maxLeverageWad);
    }

    function ripcordDiscount(
        uint256 elapsed,
        uint256 duration,
        uint256 capWad,
        uint256 collateralWad,
        uint256 debtWad
    ) external pure returns (uint256) {
        return LeverageMath.ripcordDiscount(elapsed, duration, capWad, collateralWad, debtWad);
    }

    function ripcordFraction(
        uint256 healthWad,
        uint256 targetHealthWad,
        uint256 collateralWad,
        uint256 debtWad,
        uint256 discountWad
    ) external pure returns (uint256) {
        return LeverageMath.ripcordFraction(healthWad, targetHealthWad, collateralWad, debtWad, discountWad);
    }

    function lane(uint256 word, uint256 i) external pure returns (uint256) {
        return Word8.lane(word, i);
    }

    function unpack(uint256 word, uint256 n) external pure returns (int256[] memory) {
        return Word8.unpack(word, n);
    }

    function managementShares(
        uint256 supply,
        uint256 feeWad,
        uint256 elapsed
    ) external pure returns (uint256) {
        return FeeMath.managementShares(supply, feeWad, elapsed);
    }

    function performanceShares(
        uint256 supply,
        uint256 feeWad,
        uint256 priceWad,
        uint256 markWad
    ) external pure returns (uint256) {
        return FeeMath.performanceShares(supply, feeWad, priceWad, markWad);
    }

    function nav(
        uint256[] memory balances,
        IPriceOracle.Quote[] memory quotes,
        uint256 debt
    ) external pure returns (IRiskParityVault.Nav memory) {
        return NavMath.nav(balances, quotes, debt);
    }

    function usdWad(uint256 balance, IPriceOracle.Quote memory q) external pure returns (uint256) {
        return NavMath.usdWad(balance, q);
    }

    function rowTimes(int256[] memory a, int256[] memory x, uint256 i) external pure returns (int256) {
        return LDL.rowTimes(a, x, i);
    }

    function factorise(
        int256[] memory a,
        uint256 n,
        int256 minPivotWad
    ) external pure returns (int256[] memory, bool complete, uint256 index, int256 pivotWad) {
        (complete, index, pivotWad) = LDL.factorise(a, n, minPivotWad);
        return (a, complete, index, pivotWad);
    }

    function solveLinear(
        int256[] memory a,
        int256[] memory v,
        uint256 n
    ) external pure returns (int256[] memory) {
        LDL.factorise(a, n, 1);
        LDL.solveInPlace(a, v, n);
        return v;
    }
}
