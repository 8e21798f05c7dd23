"""The functions that layers are made of, under torch.nn.functional's names and signatures."""

from __future__ import annotations

import warnings
from typing import Any

from ..ops import activation as _activation
from ..ops.activation import (
    celu_,
    elu_,
    gelu,
    glu,
    hardshrink,
    hardtanh_,
    leaky_relu_,
    logsigmoid,
    prelu,
    relu_,
    rrelu_,
    selu_,
    softplus,
    softshrink,
    softsign,
    tanhshrink,
    threshold_,
)
from ..ops.activation import (
    gumbel_softmax as _gumbel_softmax,
)
from ..ops.adaptive_pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from ..ops.attention import scaled_dot_product_attention
from ..ops.conv import (
    conv1d,
    conv2d,
    conv3d,
    conv_tbc,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from ..ops.cross_entropy import cross_entropy, multi_margin_loss, nll_loss
from ..ops.ctc import ctc_loss
from ..ops.distance import cosine_similarity, pairwise_distance, pdist
from ..ops.dropout import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
)
from ..ops.einsum import einsum as _einsum
from ..ops.embedding import embedding, embedding_bag, one_hot
from ..ops.fold import fold, unfold
from ..ops.fractional_pool import (
    fractional_max_pool2d,
    fractional_max_pool2d_with_indices,
    fractional_max_pool3d,
    fractional_max_pool3d_with_indices,
)
from ..ops.grid_sample import affine_grid, grid_sample
from ..ops.linalg import linear
from ..ops.loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cosine_embedding_loss,
    gaussian_nll_loss,
    hinge_embedding_loss,
    huber_loss,
    kl_div,
    l1_loss,
    margin_ranking_loss,
    mse_loss,
    multilabel_soft_margin_loss,
    poisson_nll_loss,
    smooth_l1_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from ..ops.multilabel import multilabel_margin_loss
from ..ops.norm import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    normalize,
    rms_norm,
)
from ..ops.padding import pad
from ..ops.pointwise import sigmoid, tanh
from ..ops.pool import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)
from ..ops.reduce import log_softmax as _log_softmax
from ..ops.reduce import softmax as _softmax
from ..ops.vision import channel_shuffle, interpolate, native_channel_shuffle, pixel_shuffle, pixel_unshuffle

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
    "affine_grid",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "celu_",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_tbc",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "elu_",
    "embedding",
    "embedding_bag",
    "feature_alpha_dropout",
    "fold",
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "grid_sample",
    "group_norm",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "hinge_embedding_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "leaky_relu_",
    "linear",
    "linear_cross_entropy",
    "local_response_norm",
    "log_softmax",
    "logsigmoid",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "native_channel_shuffle",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pdist",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rms_norm",
    "rrelu",
    "rrelu_",
    "scaled_dot_product_attention",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "unfold",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

# --- activations that can overwrite their input -------------------------------------------------------------------


def relu(input: Any, inplace: bool = False) -> Any:
    """`max(0, input)`."""
    return relu_(input) if inplace else _activation.relu(input)


def relu6(input: Any, inplace: bool = False) -> Any:
    """`input` limited to [0, 6]."""
    return _activation.relu6_(input) if inplace else _activation.relu6(input)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """`input` where it is positive, elsewhere `negative_slope * input`."""
    return leaky_relu_(input, negative_slope) if inplace else _activation.leaky_relu(input, negative_slope)


def rrelu(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Any:
    """Leaky ReLU with slopes drawn from [lower, upper) in training, with their middle in evaluation."""
    return (rrelu_ if inplace else _activation.rrelu)(input, lower, upper, training)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """`input` limited to [min_val, max_val]."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return (hardtanh_ if inplace else _activation.hardtanh)(input, min_val, max_val)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """`input` where it is above `threshold`, elsewhere `value`."""
    return (threshold_ if inplace else _activation.threshold)(input, threshold, value)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """`input` where it is positive, elsewhere `alpha * (exp(input) - 1)` (arXiv:1511.07289)."""
    return elu_(input, alpha) if inplace else _activation.elu(input, alpha)


def selu(input: Any, inplace: bool = False) -> Any:
    """ELU with the constants of self-normalising networks (arXiv:1706.02515)."""
    return selu_(input) if inplace else _activation.selu(input)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """`max(0, input) + min(0, alpha * (exp(input / alpha) - 1))` (arXiv:1704.07483)."""
    return celu_(input, alpha) if inplace else _activation.celu(input, alpha)


def silu(input: Any, inplace: bool = False) -> Any:
    """`input * sigmoid(input)`, also called swish (arXiv:1702.03118)."""
    return _activation.silu_(input) if inplace else _activation.silu(input)


def mish(input: Any, inplace: bool = False) -> Any:
    """`input * tanh(softplus(input))` (arXiv:1908.08681)."""
    return _activation.mish_(input) if inplace else _activation.mish(input)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """`input * relu6(input + 3) / 6` (arXiv:1905.02244)."""
    return _activation.hardswish_(input) if inplace else _activation.hardswish(input)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """`relu6(input + 3) / 6`."""
    return _activation.hardsigmoid_(input) if inplace else _activation.hardsigmoid(input)


# --- softmax ------------------------------------------------------------------------------------------------------


def _implicit_dim(name: str, input: Any, dim: int | None, stacklevel: int) -> int:
    """The dimension that PyTorch takes where none is given, with its warning."""
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel + 1,
    )
    return 0 if input.ndim in (0, 1, 3) else 1


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """`exp(input) / sum(exp(input))` along `dim`."""
    return _softmax(input, _implicit_dim("softmax", input, dim, _stacklevel), dtype=dtype)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """`softmax(-input)` along `dim`."""
    return _activation.softmin(input, _implicit_dim("softmin", input, dim, _stacklevel), dtype=dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """`log(softmax(input))` along `dim`, without underflow."""
    return _log_softmax(input, _implicit_dim("log_softmax", input, dim, _stacklevel), dtype=dtype)


def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """A sample of the Gumbel-softmax distribution (arXiv:1611.01144); `hard` makes it one-hot."""
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    return _gumbel_softmax(logits, tau, hard, dim)


# --- pooling with indices -----------------------------------------------------------------------------------------


def max_pool1d_with_indices(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Any, Any]:
    """`max_pool1d(..., return_indices=True)`."""
    return max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool2d_with_indices(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Any, Any]:
    """`max_pool2d(..., return_indices=True)`."""
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool3d_with_indices(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Any, Any]:
    """`max_pool3d(..., return_indices=True)`."""
    return max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def adaptive_max_pool1d_with_indices(input: Any, output_size: Any, return_indices: bool = False) -> tuple[Any, Any]:
    """`adaptive_max_pool1d(..., return_indices=True)`."""
    return adaptive_max_pool1d(input, output_size, True)


def adaptive_max_pool2d_with_indices(input: Any, output_size: Any, return_indices: bool = False) -> tuple[Any, Any]:
    """`adaptive_max_pool2d(..., return_indices=True)`."""
    return adaptive_max_pool2d(input, output_size, True)


def adaptive_max_pool3d_with_indices(input: Any, output_size: Any, return_indices: bool = False) -> tuple[Any, Any]:
    """`adaptive_max_pool3d(..., return_indices=True)`."""
    return adaptive_max_pool3d(input, output_size, True)


# --- others -------------------------------------------------------------------------------------------------------


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """`input1 weight[o] input2 + bias[o]` for each output o; inputs (..., in1), (..., in2), weight (out, in1, in2)."""
    result = _einsum("...i,oij,...j->...o", input1, weight, input2)
    return result if bias is None else result + bias


def linear_cross_entropy(
    input: Any,
    linear_weight: Any,
    target: Any,
    *,
    linear_bias: Any = None,
    weight: Any = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Any:
    """The cross entropy of `linear(input, linear_weight, linear_bias)` and a target.

    `input` is (in) or (N, in), `linear_weight` (classes, *positions, in), `target` as `cross_entropy` wants it for
    scores (N, classes, *positions). `options`, PyTorch's for saving memory, are accepted and change nothing.
    """
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}")
    *batch, features = input.shape
    *classes, wanted = linear_weight.shape
    if features != wanted:
        raise RuntimeError(
            f"expected equal input and linear_weight last dimensions (in_features), got {features} and {wanted}, "
            "respectively"
        )
    if linear_bias is not None and list(linear_bias.shape) != classes:
        raise RuntimeError(f"expected linear_bias shape {tuple(classes)}, got {tuple(linear_bias.shape)}")
    if len(classes) > 1 and not batch:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} requires batched input, "
            f"(N, {features}), got unbatched input with shape {tuple(input.shape)}"
        )
    if ignore_index is not None and list(target.shape) == [*batch, *classes]:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    scores = linear(
        input, linear_weight.reshape(-1, features), None if linear_bias is None else linear_bias.reshape(-1)
    )
    return cross_entropy(
        scores.reshape(*batch, *classes),
        target,
        weight=weight,
        reduction=reduction,
        ignore_index=-100 if ignore_index is None else ignore_index,
        label_smoothing=label_smoothing,
    )


def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """`interpolate`, under its old name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate(mode="nearest")`, under its old name."""
    return interpolate(input, size, scale_factor)


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate(mode="bilinear", align_corners=True)`, under its old name."""
    return interpolate(input, size, scale_factor, "bilinear", True)
