"""The wider linear algebra, where the table of operators does not look: nodes, names, codes, removals, sizes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import framework as f

A = np.random.default_rng(0).standard_normal((3, 3))
EVEN = A @ A.T + np.eye(3)


def _tensor(array: np.ndarray) -> Any:
    return f.tensor(array, requires_grad=True)


@pytest.mark.parametrize(
    ("name", "args", "node"),
    [
        ("linalg.lu_factor", (A,), "LinalgLuFactorExBackward0"),
        ("linalg.inv_ex", (A,), "LinalgInvExBackward0"),
        ("linalg.solve_ex", (A, A), "LinalgSolveExBackward0"),
        ("linalg.cholesky_ex", (EVEN,), "LinalgCholeskyExBackward0"),
        ("linalg.ldl_factor", (EVEN,), "NotImplemented"),
        ("linalg.householder_product", (A, A[0]), "LinalgHouseholderProductBackward0"),
        ("ormqr", (A, A[0], A), "OrmqrBackward0"),
        ("geqrf", (A,), "GeqrfBackward0"),
        ("cholesky", (EVEN,), "CholeskyBackward0"),
        ("cholesky_inverse", (EVEN,), "CholeskyInverseBackward0"),
        ("cholesky_solve", (A, EVEN), "CholeskySolveBackward0"),
        ("triangular_solve", (A, EVEN), "TriangularSolveBackward0"),
        ("cov", (A,), "SqueezeBackward0"),
        ("dist", (A, EVEN), "DistBackward0"),
        ("renorm", (A, 2, 0, 0.5), "RenormBackward0"),
        ("gradient", (A,), "CatBackward0"),
        ("linalg.vecdot", (A, A), "SumBackward1"),
        ("linalg.vander", (A,), "CatBackward0"),
    ],
)
def test_nodes_have_the_names_of_torch(name: str, args: tuple, node: str) -> None:
    function: Any = f
    for part in name.split("."):
        function = getattr(function, part)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        result = function(*(_tensor(a) if isinstance(a, np.ndarray) else a for a in args))
    first = result[0] if isinstance(result, tuple) else result
    assert first.grad_fn.name() == node


def test_the_permutation_and_the_codes_need_no_gradient() -> None:
    p, lower, upper = f.linalg.lu(_tensor(A))
    assert not p.requires_grad
    assert lower.requires_grad
    assert upper.requires_grad
    lu, pivots, info = f.linalg.lu_factor_ex(_tensor(A))
    assert lu.requires_grad
    assert (pivots.dtype, info.dtype) == (f.int32, f.int32)


def test_singular_matrices_of_a_stack_are_named() -> None:
    stack = f.tensor(np.stack([A, A * 0]))
    with pytest.raises(f.linalg.LinAlgError, match=r"linalg.inv: \(Batch element 1\): The diagonal element 1 is zero"):
        f.linalg.inv(stack)
    with pytest.raises(f.linalg.LinAlgError, match=r"solve: \(Batch element 1\): The solver failed"):
        f.linalg.solve(stack, stack)
    with pytest.raises(f.linalg.LinAlgError, match=r"Batch element 1.*leading minor of order 1 is not"):
        f.linalg.cholesky(f.tensor(np.stack([EVEN, -EVEN])))
    inverse, info = f.linalg.inv_ex(stack)
    assert info.tolist() == [0, 1]
    np.testing.assert_allclose(inverse[0].numpy(), np.linalg.inv(A))
    assert f.linalg.solve_ex(stack, stack).info.tolist() == [0, 1]
    assert f.linalg.lu_factor_ex(stack).info.tolist() == [0, 1]
    assert f.linalg.cholesky_ex(f.tensor(np.stack([EVEN, -EVEN]))).info.tolist() == [0, 1]


@pytest.mark.parametrize("name", ["eig", "lstsq", "solve", "symeig", "matrix_rank"])
def test_what_torch_removed_says_so(name: str) -> None:
    args = (f.eye(2), f.eye(2)) if name in ("solve", "lstsq") else (f.eye(2),)
    with pytest.raises(RuntimeError, match=r"deprecated since version 1.9 and is now removed"):
        getattr(f, name)(*args)
    if name != "matrix_rank":
        with pytest.raises(RuntimeError, match="now removed"):
            getattr(args[0], name)(*args[1:])


@pytest.mark.parametrize("name", ["linalg.ldl_factor", "geqrf"])
def test_what_has_no_derivative_says_so(name: str) -> None:
    function = f.linalg.ldl_factor if "." in name else f.geqrf
    with pytest.raises((RuntimeError, NotImplementedError), match=r"derivative for .* is not implemented"):
        function(_tensor(EVEN))[0].sum().backward()


@pytest.mark.parametrize("kind", [np.float64, np.complex128])
def test_an_ldl_factorization_solves(kind: Any) -> None:
    random = np.random.default_rng(1)
    for n in (1, 2, 3, 7, 20):
        a = random.standard_normal((n, n)) + (1j * random.standard_normal((n, n)) if kind is np.complex128 else 0)
        b = random.standard_normal((n, 2)).astype(kind)
        for hermitian in (False, True):
            even = a + (a.conj().T if hermitian else a.T)
            even = even - np.diag(np.diag(even))  # nothing on the diagonal: blocks of two
            if n == 1:
                even = even + 1
            elif n == 3:
                even = even + np.eye(3)
            factors = f.linalg.ldl_factor(f.tensor(even), hermitian=hermitian)
            x = f.linalg.ldl_solve(*factors, f.tensor(b), hermitian=hermitian)
            np.testing.assert_allclose(even @ x.numpy(), b, atol=1e-8)


def test_lu_without_exchanges_is_refused_on_the_cpu() -> None:
    with pytest.raises(RuntimeError, match="LU without pivoting is not implemented on the CPU"):
        f.linalg.lu(f.eye(2), pivot=False)


def test_large_lu() -> None:
    a = np.random.default_rng(2).standard_normal((2, 130, 150))
    p, lower, upper = f.linalg.lu(f.tensor(a))
    np.testing.assert_allclose((p @ lower @ upper).numpy(), a, atol=1e-11)
    assert float(lower.abs().max()) <= 1
