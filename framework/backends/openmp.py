"""OpenMP: not used; NumPy's own BLAS and threads are."""


def is_available() -> bool:
    """False: OpenMP is not used."""
    return False
