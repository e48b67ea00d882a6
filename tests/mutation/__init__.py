"""Mutation testing: one small fault at a time is planted in a contract, and the tests must find it.

`python -m tests.mutation FOLDER` (`make mutate`). Mutants exist in memory only: no source is ever written.
"""
