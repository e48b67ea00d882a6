"""The expected books, modes and reports in plain integers, written from contracts/README.md."""
