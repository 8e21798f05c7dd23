"""The table of operators: one row (or more, for its forms) per public operator. test_ops.py makes tests of it."""

from __future__ import annotations

import op_rows_activation
import op_rows_copies
import op_rows_fft
import op_rows_index
import op_rows_linalg
import op_rows_linalg_wide
import op_rows_nn
import op_rows_pointwise
import op_rows_reduce
import op_rows_sampling
import op_rows_shape
import op_rows_sorting
import op_rows_special
import op_rows_window
from op_row import Row

OPS: list[Row] = [
    *op_rows_pointwise.ROWS,
    *op_rows_reduce.ROWS,
    *op_rows_shape.ROWS,
    *op_rows_index.ROWS,
    *op_rows_linalg.ROWS,
    *op_rows_linalg_wide.ROWS,
    *op_rows_sorting.ROWS,
    *op_rows_fft.ROWS,
    *op_rows_activation.ROWS,
    *op_rows_nn.ROWS,
    *op_rows_window.ROWS,
    *op_rows_special.ROWS,
    *op_rows_copies.ROWS,
    *op_rows_sampling.ROWS,
]
