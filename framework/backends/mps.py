"""Apple's GPUs: not supported."""


def is_available() -> bool:
    """False: devices are the CPU and CUDA ones alone."""
    return False


def is_built() -> bool:
    """False: devices are the CPU and CUDA ones alone."""
    return False
