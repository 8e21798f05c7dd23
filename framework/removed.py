"""Linear algebra that PyTorch once had at its top level: each raises its RuntimeError, which names the successor."""

from __future__ import annotations

from typing import Any, NoReturn

_REMOVED = "This function was deprecated since version 1.9 and is now removed. "


def matrix_rank(input: Any, tol: Any = None, symmetric: bool = False, *, out: Any = None) -> NoReturn:
    """Removed from PyTorch: `linalg.matrix_rank` is its successor."""
    raise RuntimeError(
        f"{_REMOVED}Please use the `torch.linalg.matrix_rank` function instead. The parameter 'symmetric' was renamed "
        "in `torch.linalg.matrix_rank()` to 'hermitian'."
    )


def solve(input: Any, A: Any, *, out: Any = None) -> NoReturn:
    """Removed from PyTorch: `linalg.solve` is its successor."""
    raise RuntimeError(
        f"{_REMOVED}`torch.solve` is deprecated in favor of `torch.linalg.solve`, which has its arguments reversed and "
        "does not return the LU factorization."
    )


def eig(self: Any, eigenvectors: bool = False, *, e: Any = None, v: Any = None) -> NoReturn:
    """Removed from PyTorch: `linalg.eig` is its successor."""
    raise RuntimeError(
        f"{_REMOVED}`torch.linalg.eig` returns complex tensors of dtype `cfloat` or `cdouble` rather than real tensors "
        "mimicking complex tensors."
    )


def lstsq(input: Any, A: Any, *, out: Any = None) -> NoReturn:
    """Removed from PyTorch: `linalg.lstsq` is its successor."""
    raise RuntimeError(
        f"{_REMOVED}`torch.lstsq` is deprecated in favor of `torch.linalg.lstsq`, which has reversed arguments and "
        "does not return the QR decomposition in the returned tuple."
    )


def symeig(input: Any, eigenvectors: bool = False, upper: bool = True, *, out: Any = None) -> NoReturn:
    """Removed from PyTorch: `linalg.eigh` is its successor."""
    raise RuntimeError(
        f"{_REMOVED}The default behavior has changed from using the upper triangular portion of the matrix by default "
        "to using the lower triangular portion. Use torch.linalg.eigh(A, UPLO='U' if upper else 'L')."
    )
