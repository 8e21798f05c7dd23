"""A neural-network training framework on its own autograd, with PyTorch's API.

    import framework as torch

Arrays are NumPy's on the CPU and CuPy's on an NVIDIA GPU. ARCHITECTURE.md in the repository says how it works.
"""

import warnings as _warnings
from importlib import import_module as _import_module
from math import e, inf, nan, pi
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

# Arithmetic on infinities and zeros is silent in PyTorch. The filter is for this package's own lines alone: what the
# user computes with NumPy warns as before.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"framework\.")

from . import autograd, backend, cuda, fft, linalg

if _TYPE_CHECKING:
    from . import nn, optim, utils
from .backend import device
from .creation import (
    arange,
    as_tensor,
    asarray,
    bernoulli,
    empty,
    empty_like,
    eye,
    from_dlpack,
    from_numpy,
    full,
    full_like,
    get_default_device,
    linspace,
    logspace,
    multinomial,
    normal,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    set_default_device,
    tensor,
    tril_indices,
    triu_indices,
    zeros,
    zeros_like,
)
from .dtypes import (
    bfloat16,
    bool,
    can_cast,
    cdouble,
    cfloat,
    complex64,
    complex128,
    double,
    dtype,
    finfo,
    float,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    iinfo,
    int,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .engine import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .ops.index import (
    argwhere,
    gather,
    index_add,
    index_copy,
    index_fill,
    index_put,
    index_select,
    masked_fill,
    masked_scatter,
    masked_select,
    nonzero,
    combinations,
    diagonal_scatter,
    repeat_interleave,
    select_scatter,
    slice_scatter,
    scatter,
    scatter_add,
    select,
    take,
    take_along_dim,
    tril,
    triu,
)
from .ops.complex import complex, polar, view_as_complex, view_as_real
from .ops.copies import (
    alias_copy,
    as_strided_copy,
    conj_physical,
    conj_physical_,
    detach_copy,
    diagonal_copy,
    expand_copy,
    fill,
    index_reduce,
    narrow_copy,
    permute_copy,
    put,
    resolve_conj,
    resolve_neg,
    select_copy,
    slice_copy,
    split_copy,
    split_with_sizes,
    split_with_sizes_copy,
    squeeze_copy,
    t_copy,
    transpose_copy,
    unbind_copy,
    unfold_copy,
    unravel_index,
    unsafe_chunk,
    unsafe_split,
    unsafe_split_with_sizes,
    unsqueeze_copy,
    view_as_complex_copy,
    view_as_real_copy,
    view_copy,
)
from .ops.counting import bincount, bucketize, histc, isin, searchsorted, unique, unique_consecutive
from .ops.decomposition import det, logdet, matrix_exp, matrix_power, slogdet
from .ops.decomposition import inv as inverse
from .ops.decomposition import pinv as pinverse
from .ops.einsum import einsum
from .ops.householder import geqrf, householder_product as orgqr, ormqr
from .ops.linalg import (
    addbmm,
    addmm,
    addmv,
    addr,
    baddbmm,
    bmm,
    cross,
    dot,
    inner,
    kron,
    matmul,
    mm,
    mv,
    outer,
    tensordot,
    trace,
    vdot,
)
from .ops.scan import cummax, cummin, cumulative_trapezoid, diff, logcumsumexp, trapezoid
from .ops.scatter_reduce import scatter_reduce
from .ops.pointwise import (
    abs,
    acos,
    acosh,
    add,
    addcdiv,
    addcmul,
    angle,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    ceil,
    clamp,
    clamp_max,
    clamp_min,
    conj,
    copysign,
    cos,
    cosh,
    deg2rad,
    div,
    eq,
    exp,
    exp2,
    expm1,
    floor,
    floor_divide,
    fmax,
    fmin,
    fmod,
    frac,
    ge,
    gt,
    heaviside,
    hypot,
    imag,
    isclose,
    isfinite,
    isinf,
    isnan,
    isneginf,
    isposinf,
    isreal,
    le,
    lerp,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    logit,
    lt,
    maximum,
    minimum,
    mul,
    nan_to_num,
    ne,
    neg,
    positive,
    pow,
    rad2deg,
    real,
    reciprocal,
    remainder,
    round,
    rsqrt,
    rsub,
    sgn,
    sigmoid,
    sign,
    signbit,
    sin,
    sinc,
    sinh,
    sqrt,
    square,
    sub,
    tan,
    tanh,
    trunc,
    where,
    xlogy,
)
from .ops.lu import lu_unpack, old_lu as lu, old_lu_solve as lu_solve
from .ops.norms import cdist, norm
from .ops.old_linalg import (
    chain_matmul,
    cholesky,
    cholesky_inverse,
    cholesky_solve,
    frobenius_norm,
    matrix_adjoint as adjoint,
    norm_except_dim,
    nuclear_norm,
    qr,
    svd,
)
from .ops.reduce import (
    all,
    allclose,
    amax,
    amin,
    aminmax,
    any,
    argmax,
    argmin,
    count_nonzero,
    cumprod,
    cumsum,
    equal,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    nanmean,
    nansum,
    prod,
    softmax,
    std,
    std_mean,
    sum,
    var,
    var_mean,
)
from .ops.shape import (
    as_strided,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    block_diag,
    broadcast_shapes,
    broadcast_tensors,
    broadcast_to,
    cartesian_prod,
    cat,
    chunk,
    clone,
    column_stack,
    diag,
    diag_embed,
    diagflat,
    diagonal,
    dsplit,
    dstack,
    flatten,
    flip,
    fliplr,
    flipud,
    hsplit,
    hstack,
    meshgrid,
    movedim,
    narrow,
    permute,
    ravel,
    reshape,
    roll,
    rot90,
    split,
    squeeze,
    stack,
    t,
    tensor_split,
    tile,
    transpose,
    unbind,
    unflatten,
    unfold,
    unsqueeze,
    vsplit,
    vstack,
)
from .ops.activation import (
    celu,
    celu_,
    hardshrink,
    prelu,
    relu,
    relu_,
    rrelu,
    rrelu_,
    selu,
    selu_,
    threshold,
    threshold_,
)
from .ops.adaptive_pool import adaptive_avg_pool1d
from .ops.conv import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_tbc,
    conv_transpose3d,
    convolution,
)
from .ops.distance import cosine_similarity, pairwise_distance, pdist
from .ops.dropout import alpha_dropout, dropout, feature_alpha_dropout
from .ops.embedding import embedding_bag
from .ops.loss import (
    binary_cross_entropy_with_logits,
    cosine_embedding_loss,
    hinge_embedding_loss,
    kl_div,
    margin_ranking_loss,
    poisson_nll_loss,
    triplet_margin_loss,
)
from .ops.norm import group_norm, layer_norm, rms_norm
from .ops.padding import constant_pad_nd
from .ops.pool import avg_pool1d, max_pool1d, max_pool2d, max_pool3d
from .removed import eig, lstsq, matrix_rank, solve, symeig
from .ops.vision import channel_shuffle, native_channel_shuffle, pixel_shuffle, pixel_unshuffle
from .ops.stft import istft, stft
from .in_place import (
    abs_,
    acos_,
    acosh_,
    addmv_,
    arccos_,
    arccosh_,
    arcsin_,
    arcsinh_,
    arctan_,
    arctanh_,
    as_strided_,
    asin_,
    asinh_,
    atan_,
    atanh_,
    ceil_,
    clamp_,
    clamp_max_,
    clamp_min_,
    clip_,
    cos_,
    cosh_,
    deg2rad_,
    detach_,
    erf_,
    erfc_,
    exp2_,
    exp_,
    expm1_,
    fill_,
    fix_,
    floor_,
    frac_,
    gcd_,
    i0_,
    index_put_,
    lcm_,
    ldexp_,
    log10_,
    log1p_,
    log2_,
    log_,
    logit_,
    nan_to_num_,
    neg_,
    negative_,
    rad2deg_,
    reciprocal_,
    round_,
    rsqrt_,
    sigmoid_,
    sin_,
    sinc_,
    sinh_,
    sqrt_,
    square_,
    tan_,
    tanh_,
    trunc_,
    xlogy_,
    zero_,
)
from .ops.bessel import i0
from .ops.gamma import digamma, igamma, igammac, lgamma, mvlgamma, polygamma
from .ops.number import float_power, frexp, gcd, lcm, ldexp, nextafter
from .ops.differences import gradient
from .ops.histogram import histogram, histogramdd
from .ops.lowrank import pca_lowrank, svd_lowrank
from .ops.statistics import corrcoef, cov, dist, renorm
from .ops.tensor_equations import old_vander as vander
from .ops.triangular import triangular_solve
from .ops.special import erf, erfc, erfinv
from .ops.sorting import (
    argsort,
    kthvalue,
    median,
    mode,
    msort,
    nanmedian,
    nanquantile,
    quantile,
    sort,
    topk,
)
from .legacy import (
    BFloat16Tensor,
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
    empty_permuted,
    empty_strided,
    frombuffer,
    range,
    scalar_tensor,
    set_default_tensor_type,
)
from .predicates import (
    detach,
    get_device,
    is_conj,
    is_inference,
    is_neg,
    is_nonzero,
    is_same_size,
    is_signed,
)
from .printing import set_printoptions
from .random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from .resize import resize_as_
from .size import Size
from .tensor import Tensor
from .windows import bartlett_window, blackman_window, hamming_window, hann_window, kaiser_window
from .threads import get_num_threads, set_num_threads

__version__ = "0.1.0"

newaxis = None
strided = "torch.strided"
contiguous_format, channels_last, preserve_format = (
    "torch.contiguous_format",
    "torch.channels_last",
    "torch.preserve_format",
)

absolute, negative = abs, neg
arccos, arcsin, arctan, arctan2 = acos, asin, atan, atan2
arccosh, arcsinh, arctanh = acosh, asinh, atanh
clip, fix, divide, true_divide, multiply, subtract = clamp, trunc, div, div, mul, sub
concat = concatenate = cat
trapz = trapezoid
swapaxes = swapdims = transpose
moveaxis, row_stack, ger = movedim, vstack, outer
greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne


def is_tensor(obj: _Any) -> _Any:
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> _Any:
    """Whether a tensor's type is a floating one."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> _Any:
    """Whether a tensor's type is complex."""
    return input.is_complex()


def numel(input: Tensor) -> _Any:
    """The number of elements."""
    return input.numel()


def result_type(tensor1: _Any, tensor2: _Any) -> dtype:
    """The type that an operation on two operands (tensors or numbers) gives."""
    from .dtypes import combine, of_scalar

    tensors = [x for x in (tensor1, tensor2) if isinstance(x, Tensor)]
    numbers = [of_scalar(x) for x in (tensor1, tensor2) if not isinstance(x, Tensor)]
    return combine([x.dtype for x in tensors if x.ndim], [x.dtype for x in tensors if not x.ndim], numbers)


def __getattr__(name: str) -> _Any:
    if name == "special":
        return _import_module(".special", __name__)
    if name in _LATER:
        module = _import_module(_LATER[name], __name__)
        found = module if _LATER[name] == f".{name}" else getattr(module, name)
        globals()[name] = found
        return found
    from .left_out import refusal

    raise AttributeError(refusal("framework", name) or f"module 'framework' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


#: Imported when first asked for, so that a program with tensors alone, or a worker process, does not wait for the rest.
_LATER = {
    "nn": ".nn",
    "optim": ".optim",
    "utils": ".utils",
    "save": ".serialization",
    "load": ".serialization",
    "func": ".func",
    "vmap": ".func",
    "backends": ".backends",
    "compile": ".compiler",
    "compiler": ".compiler",
    "distributed": ".distributed",
    "jit": ".jit",
    "version": ".version",
    "use_deterministic_algorithms": ".determinism",
    "are_deterministic_algorithms_enabled": ".determinism",
    "is_deterministic_algorithms_warn_only_enabled": ".determinism",
    "get_float32_matmul_precision": ".determinism",
    "set_float32_matmul_precision": ".determinism",
}
