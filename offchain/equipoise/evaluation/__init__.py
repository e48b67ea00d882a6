"""How good a volatility forecast was: losses, tests, tables."""
