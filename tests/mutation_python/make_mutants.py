"""Runs in mutmut's own environment, in the copy: write all mutants down, try none."""

from __future__ import annotations

import os
from contextlib import redirect_stdout

from mutmut.__main__ import copy_also_copy_files, copy_src_dir, create_mutants, setup_source_paths
from mutmut.mutation.trampoline import set_mutant_under_test

set_mutant_under_test("mutant_generation")
os.makedirs("mutants", exist_ok=True)
with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
    copy_src_dir()
    copy_also_copy_files()
    setup_source_paths()
    create_mutants(1)
