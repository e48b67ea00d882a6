"""Ratios measured in one run: `make bench`. Nothing here is a test, no time is ever asserted.

One BLAS thread, set before NumPy is loaded: the matrices are small, and runs must compare.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[_name] = "1"
