"""Volatility and correlation of daily closes, from data up to a day only."""
