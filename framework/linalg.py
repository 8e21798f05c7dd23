"""`framework.linalg`: linear algebra under torch.linalg's names."""

from __future__ import annotations

from .ops.checked import cholesky_ex, inv_ex, solve_ex
from .ops.decomposition import (
    LinAlgError,
    cholesky,
    det,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    inv,
    lstsq,
    matrix_exp,
    matrix_power,
    matrix_rank,
    pinv,
    qr,
    slogdet,
    solve,
    svd,
    svdvals,
)
from .ops.householder import householder_product
from .ops.ldl import ldl_factor, ldl_factor_ex, ldl_solve
from .ops.linalg import linalg_cross as cross
from .ops.linalg import matmul, multi_dot
from .ops.lu import lu, lu_factor, lu_factor_ex, lu_solve
from .ops.norms import cond, matrix_norm, vector_norm
from .ops.norms import linalg_norm as norm
from .ops.tensor_equations import diagonal_of_matrices as diagonal
from .ops.tensor_equations import tensorinv, tensorsolve, vander, vecdot
from .ops.triangular import solve_triangular

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "ldl_factor",
    "ldl_factor_ex",
    "ldl_solve",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]
