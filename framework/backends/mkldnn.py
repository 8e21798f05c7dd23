"""oneDNN: not used; NumPy's own BLAS and threads are."""


def is_available() -> bool:
    """False: oneDNN is not used."""
    return False
