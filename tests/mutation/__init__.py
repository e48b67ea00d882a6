"""Mutation testing: small faults are planted in the contracts, one at a time, and the tests must find them.

`python -m tests.mutation FOLDER` (`make mutate`). Mutants exist in memory only, the sources are never written.
"""
