"""`framework.func`, as torch.func: functions of functions (gradients, products with Jacobians, mapping over a batch).

Everything differentiates by going backward: products of a Jacobian with a vector are found by going backward twice.
"""

from typing import Any

from .batching import vmap
from .derivatives import grad, grad_and_value, jvp, linearize, vjp
from .jacobians import hessian, jacfwd, jacrev
from .modules import functional_call, stack_module_state

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "stack_module_state",
    "vjp",
    "vmap",
]


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'framework.func' has no attribute '{name}': this part of torch.func is not covered")
