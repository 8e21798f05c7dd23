"""Training in several processes is left out; the questions that programs ask first have their answers."""


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False
