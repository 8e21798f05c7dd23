"""`save` and `load`: checkpoints in PyTorch's zip format, written atomically and read without trusting the file.

A checkpoint is an uncompressed zip archive: `data.pkl` describes the saved object, `data/0`, `data/1`, ... are the raw
bytes of the memory its tensors lie in. PyTorch reads what is written here and the other way round.
"""

from .loading import load
from .saving import save

__all__ = ["load", "save"]
