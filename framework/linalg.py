"""`framework.linalg`: linear algebra under torch.linalg's names."""

from .ops.reduce import vector_norm

__all__ = ["vector_norm"]
