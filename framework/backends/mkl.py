"""Intel's MKL: not used; NumPy's own BLAS and threads are."""


def is_available() -> bool:
    """False: Intel's MKL is not used."""
    return False
