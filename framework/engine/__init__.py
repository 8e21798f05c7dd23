"""The autograd engine: recording, going backward, views and in-place writes, custom functions."""

from .anomaly import detect_anomaly, is_anomaly_enabled, set_detect_anomaly
from .backward import backward, grad
from .errors import dimension_error
from .function import Function, FunctionCtx, once_differentiable
from .grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    mode,
    no_grad,
    set_grad_enabled,
)
from .inplace import inplace, write_in_place
from .node import AccumulateGrad, GradientEdge, Node, Output, RemovableHandle, TensorHooks, edge_of, hooks_of
from .op import Op, binary_method, numpy_names, op, promote_operands
from .variable import Variable, counter_of, increment_version, wrap
from .views import ViewInfo

__all__ = [
    "AccumulateGrad",
    "Function",
    "FunctionCtx",
    "GradientEdge",
    "Node",
    "Op",
    "Output",
    "RemovableHandle",
    "TensorHooks",
    "Variable",
    "ViewInfo",
    "backward",
    "binary_method",
    "counter_of",
    "detect_anomaly",
    "dimension_error",
    "edge_of",
    "enable_grad",
    "grad",
    "hooks_of",
    "increment_version",
    "inference_mode",
    "inplace",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "mode",
    "no_grad",
    "numpy_names",
    "once_differentiable",
    "op",
    "promote_operands",
    "set_detect_anomaly",
    "set_grad_enabled",
    "wrap",
    "write_in_place",
]
