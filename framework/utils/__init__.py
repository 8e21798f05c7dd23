"""torch.utils: so far `utils.data`."""

from . import data

__all__ = ["data"]
