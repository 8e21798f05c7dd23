"""Rows of operators on sliding windows and pictures: convolution, pooling, padding, unfolding, resizing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from op_row import FLOAT, F, Make, Row, S, Sample

_row = partial(Row, method=False)
Samples = Callable[[Make], Iterable[Sample]]
#: (batch, channels, *sizes) by the number of dimensions.
_SIZES = {1: (7,), 2: (5, 4), 3: (3, 4, 3)}


def _zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape)


# --- convolution --------------------------------------------------------------------------------------------------


def _conv(n: int) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        sizes, kernel = _SIZES[n], (2, 3, 2)[:n]
        yield S(m(2, 3, *sizes), m(2, 3, *kernel), m(2))
        yield S(m(1, *sizes), m(2, 1, *kernel))
        yield S(m(2, 2, *sizes), m(2, 2, *kernel), m(2), stride=2, padding=1)
        yield S(m(1, 4, *sizes), m(2, 2, *kernel), None, 1, 2, 2, groups=2)
        yield S(m(2, 2, *sizes), m(4, 1, *kernel), m(4), groups=2)
        yield S(m(1, 2, *sizes), m(2, 1, *kernel), stride=2, padding=1, groups=2)
        yield S(m(2, 3, *sizes), m(2, 3, *(1,) * n), m(2))
        yield S(m(1, 2, *sizes), m(2, 2, *kernel), padding="valid")
        yield S(m(0, 3, *sizes), m(4, 3, *kernel), m(4))

    return samples


def _conv_same(m: Make) -> Iterable[Sample]:
    yield S(m(1, 2, 5, 4), m(2, 2, 3, 3), padding="same")
    yield S(m(1, 2, 5, 4), m(3, 2, 2, 3), m(3), padding="same", dilation=(3, 2))


def _conv_transpose(n: int) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        sizes, kernel = (3, 2, 2)[:n], (2, 3, 2)[:n]
        yield S(m(2, 3, *sizes), m(3, 2, *kernel), m(2))
        yield S(m(2, *sizes), m(2, 1, *kernel))
        yield S(m(1, 2, *sizes), m(2, 2, *kernel), m(2), stride=2, padding=1, output_padding=1)
        yield S(m(1, 4, *sizes), m(4, 1, *kernel), None, 1, 1, 0, 2, 2)
        yield S(m(1, 2, *sizes), m(2, 1, *kernel), None, 2, groups=2)
        yield S(m(1, 2, *sizes), m(2, 2, *kernel), dilation=2, output_padding=1)

    return samples


def _convolution(m: Make) -> Iterable[Sample]:
    yield S(m(2, 3, 5, 4), m(2, 3, 2, 3), m(2), (2, 1), (0, 1), (1, 1), False, (0, 0), 1)
    yield S(m(1, 2, 3, 2), m(2, 2, 2, 3), None, (2, 2), (1, 1), (1, 1), True, (1, 0), 2)


_image, _filters = _zeros(2, 3, 8, 8), _zeros(4, 3, 3, 3)
_CONV2D_ERRORS = (
    F(RuntimeError, r"expected input\[2, 3, 8, 8\] to have 2 channels, but got 3", _image, _zeros(4, 2, 3, 3)),
    F(RuntimeError, r"Expected 3D \(unbatched\) or 4D \(batched\) input to conv2d.*\[8, 8\]", _zeros(8, 8), _filters),
    F(RuntimeError, r"\(8 x 8\). Kernel size: \(9 x 9\)", _image, _zeros(4, 3, 9, 9)),
    F(RuntimeError, "bias to be 1-dimensional with 4 elements", _image, _filters, _zeros(5)),
    F(
        RuntimeError,
        r"Input type \(torch.DoubleTensor\) and weight type \(torch.FloatTensor\)",
        _image,
        _filters.astype(np.float32),
    ),
    F(RuntimeError, r"Input type \(double\) and bias type \(float\)", _image, _filters, np.zeros(4, np.float32)),
    F(RuntimeError, "non-positive stride", _image, _filters, stride=0),
    F(RuntimeError, "negative padding", _image, _filters, padding=-1),
    F(RuntimeError, "dilation", _image, _filters, dilation=0),
    F(RuntimeError, "groups", _image, _filters, groups=0),
    F(RuntimeError, "divisible by 3", _image, _zeros(5, 1, 3, 3), groups=3),
    F(RuntimeError, r"list of 2 values.*stride=\[1, 2, 3\]", _image, _filters, stride=(1, 2, 3)),
    F(RuntimeError, "not supported for strided", _image, _filters, stride=2, padding="same"),
    F(RuntimeError, "Invalid padding string: 'other'", _image, _filters, padding="other"),
)
_CONV_TRANSPOSE_ERRORS = (
    F(RuntimeError, "to have 4 channels, but got 3", _image, _zeros(4, 4, 3, 3)),
    F(RuntimeError, "output_padding_height: 1.*stride_width: 1", _image, _zeros(3, 4, 3, 3), output_padding=1),
)

CONVOLUTIONS = [
    _row("convolution", _convolution, tolerance=10),
    _row("nn.functional.conv1d", _conv(1), tolerance=10),
    _row("nn.functional.conv2d", _conv(2), errors=_CONV2D_ERRORS, tolerance=10),
    _row("nn.functional.conv2d", _conv_same, tolerance=10, variant="same"),
    _row("nn.functional.conv3d", _conv(3), tolerance=10),
    _row("nn.functional.conv_transpose1d", _conv_transpose(1), tolerance=10),
    _row("nn.functional.conv_transpose2d", _conv_transpose(2), errors=_CONV_TRANSPOSE_ERRORS, tolerance=10),
    _row("nn.functional.conv_transpose3d", _conv_transpose(3), tolerance=10),
]  # fmt: skip


def _unfold(m: Make) -> Iterable[Sample]:
    yield S(m(2, 2, 4, 5), (2, 3))
    yield S(m(2, 2, 4, 5), (2, 3), 1, 1, 2)
    yield S(m(2, 5, 4), 2, dilation=2)


def _fold(m: Make) -> Iterable[Sample]:
    yield S(m(2, 6, 9), (4, 5), (2, 3))
    yield S(m(2, 12, 9), (4, 5), (2, 3), 1, 1, 2)
    yield S(m(6, 9), (4, 5), (2, 3))


WINDOWS = [
    _row("nn.functional.unfold", _unfold, errors=(
        F(RuntimeError, r"calculated shape of the array of sliding blocks as \(0, 0\)", _image, 9),
        F(RuntimeError, "greater than zero", _image, 0))),
    _row("nn.functional.fold", _fold, errors=(
        F(RuntimeError, "divisible by the product of kernel_size", _zeros(1, 5, 9), (4, 4), 2),
        F(RuntimeError, r"3 \* 3 = 9, but got input.size\(2\)=8", _zeros(1, 4, 8), (4, 4), 2))),
]  # fmt: skip

# --- pooling ------------------------------------------------------------------------------------------------------


def _pool(n: int, **options: object) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        sizes = _SIZES[n]
        yield S(m.distinct(2, 2, *sizes), 2, **options)
        yield S(m.distinct(2, *sizes), 2, **options)
        yield S(m.distinct(1, 1, *sizes), 3, 2, 1, **options)
        yield S(m.distinct(1, 1, *sizes), 3, stride=2, padding=1, ceil_mode=True, **options)
        yield S(m.distinct(1, 1, *sizes), (2, 3, 2)[:n], stride=(3, 2, 1)[:n], ceil_mode=True, **options)

    return samples


def _max_pool(n: int) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        yield from _pool(n)(m)
        yield from _pool(n, return_indices=True)(m)
        yield S(m.distinct(1, 1, *_SIZES[n]), 2, 1, 1, 2)
        nans = m.distinct(1, 2, *_SIZES[n])
        nans.reshape(-1)[::5] = np.nan if m.floating else 7
        yield S(nans, 2, 1, return_indices=True).rough()
        yield S(np.full((1, 1, *_SIZES[n]), 2, m.dtype), 2, return_indices=True).rough()
        if m.floating:
            yield S(np.full((1, 1, *_SIZES[n]), -np.inf, m.dtype), 3, 2, 1, return_indices=True).rough()

    return samples


def _avg_pool(n: int) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        yield from _pool(n)(m)
        yield from _pool(n, count_include_pad=False)(m)
        if n > 1:
            yield from _pool(n, divisor_override=5)(m)

    return samples


def _adaptive(n: int) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        sizes = _SIZES[n]
        for out in (1, 2, 3, 4):
            yield S(m.distinct(1, 2, *sizes), out)
        yield S(m.distinct(2, *sizes), 2)
        if n > 1:
            yield S(m.distinct(1, 2, *sizes), (None, 3, None)[:n])

    return samples


def _adaptive_max(n: int) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        yield from _adaptive(n)(m)
        yield S(m.distinct(2, 2, *_SIZES[n]), 3, return_indices=True)

    return samples


def _lp_pool(n: int) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        yield S(m(1, 2, *_SIZES[n], low=0.1), 2.0, 2)
        yield S(m(1, 1, *_SIZES[n], low=0.1), 3.0, 3, 2, ceil_mode=True)

    return samples


def _max_unpool(n: int) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        out, grown = (2, 2, 3)[:n], (4, 4, 6)[:n]
        count = int(np.prod(grown))
        places = np.stack([m.random.permutation(count)[: int(np.prod(out))] for _ in range(6)])
        yield S(m(2, 3, *out), places.reshape(2, 3, *out), 2)
        yield S(m(3, *out), places[:3].reshape(3, *out), 2, output_size=grown)

    return samples


_POOL_ERRORS = (
    F(RuntimeError, "at most half", _image, 2, padding=2),
    F(RuntimeError, "Output size is too small", _image, 9),
    F(RuntimeError, "stride should not be zero", _image, 2, stride=0),
    F(RuntimeError, "two ints", _image, (2, 2, 2)),
    F(RuntimeError, "pad must be non-negative", _image, 2, padding=-1),
)
_MAX_POOL_ERRORS = (
    F(RuntimeError, "dilation should be greater than zero", _image, 2, dilation=0),
    F(RuntimeError, r"3D or 4D \(batch mode\)", _zeros(8, 8), 2),
)
_ADAPTIVE_ERRORS = (
    F(RuntimeError, r"Expected 3D or 4D tensor, but got.*\[8, 8\]", _zeros(8, 8), 2),
    F(RuntimeError, "must be 2", _image, (1, 2, 3)),
)
_reals = (*FLOAT, "int64")

POOLS = [
    _row("nn.functional.max_pool1d", _max_pool(1)),
    _row("nn.functional.max_pool2d", _max_pool(2), _reals, errors=(*_POOL_ERRORS, *_MAX_POOL_ERRORS)),
    _row("nn.functional.max_pool3d", _max_pool(3)),
    _row("nn.functional.avg_pool1d", _avg_pool(1)),
    _row("nn.functional.avg_pool2d", _avg_pool(2), errors=(
        *_POOL_ERRORS, F(RuntimeError, "divisor must be not zero", _image, 2, divisor_override=0))),
    _row("nn.functional.avg_pool3d", _avg_pool(3)),
    _row("nn.functional.adaptive_avg_pool1d", _adaptive(1)),
    _row("nn.functional.adaptive_avg_pool2d", _adaptive(2), errors=(
        *_ADAPTIVE_ERRORS, F(RuntimeError, "greater than or equal to 0", _image, -1))),
    _row("nn.functional.adaptive_avg_pool3d", _adaptive(3)),
    _row("nn.functional.adaptive_max_pool1d", _adaptive_max(1)),
    _row("nn.functional.adaptive_max_pool2d", _adaptive_max(2), errors=_ADAPTIVE_ERRORS),
    _row("nn.functional.adaptive_max_pool3d", _adaptive_max(3)),
    _row("nn.functional.lp_pool1d", _lp_pool(1), tolerance=10),
    _row("nn.functional.lp_pool2d", _lp_pool(2), tolerance=10),
    _row("nn.functional.lp_pool3d", _lp_pool(3), tolerance=10),
    _row("nn.functional.max_unpool1d", _max_unpool(1)),
    _row("nn.functional.max_unpool2d", _max_unpool(2)),
    _row("nn.functional.max_unpool3d", _max_unpool(3)),
]  # fmt: skip

# --- padding ------------------------------------------------------------------------------------------------------


def _pad(m: Make) -> Iterable[Sample]:
    for amounts in ((1, 2), (1, 2, 0, 1), (-1, 2), (1, 1, -1, -2, 2, 0)):
        yield S(m(1, 2, 4, 3), amounts)
        yield S(m(1, 2, 4, 3), amounts, value=1.5)


def _pad_by(mode: str) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        yield S(m(3, 5), (1, 2), mode)
        yield S(m(2, 3, 5), (-1, 2), mode)
        yield S(m(2, 3, 3), (1, 2, 0, 1), mode)
        yield S(m(1, 2, 3, 5), (4, 2, 0, 1), mode)
        yield S(m(1, 1, 3, 3, 2), (1, 1, 2, 1, 1, 0), mode)

    return samples


PADDING = [
    _row("constant_pad_nd", lambda m: [S(m(2, 3), (1, 2)), S(m(2, 3), (1, 0, -1, 2), 1), S(m(2, 3), (0, 0))]),
    _row("nn.functional.pad", _pad, errors=(
        F(RuntimeError, "divisible by 2", _image, (1, 1, 1)),
        F(RuntimeError, "padding length 10", _image, (1,) * 10),
        F(RuntimeError, "negative|narrow", _image, (-9, 0)),
        F(TypeError, "tuple of ints, not int", _image, 1),
        F(NotImplementedError, "Unrecognised padding mode other", _image, (1, 1), "other"))),
    _row("nn.functional.pad", _pad_by("reflect"), variant="reflect", errors=(
        F(RuntimeError, r"padding \(9, 9\) at dimension 3 of input \[2, 3, 8, 8\]", _image, (9, 9, 1, 1), "reflect"),
        F(NotImplementedError, "Padding size 2 is not supported for 4D", _image, (1, 1), "reflect"),
        F(RuntimeError, "doesn't take in value", _image, (1, 1, 1, 1), "circular", 2.0),
        F(RuntimeError, "more than once", _image, (9, 9, 1, 1), "circular"))),
    _row("nn.functional.pad", _pad_by("replicate"), variant="replicate"),
    _row("nn.functional.pad", _pad_by("circular"), variant="circular"),
]  # fmt: skip

# --- pictures -----------------------------------------------------------------------------------------------------


def _interpolate(mode: str, n: int, corners: tuple = (None,), **options: object) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        for how in ({"size": (5, 3, 3)[:n]}, {"scale_factor": 2}, {"scale_factor": 1.7}, {"scale_factor": 0.6}):
            for align in corners:
                yield S(m(1, 1, *(4, 4, 2)[:n]), mode=mode, align_corners=align, **how, **options)

    return samples


_resize = partial(_row, "nn.functional.interpolate", tolerance=10)
_CORNERS = (None, False, True)


def _shuffle(*shape: int) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        yield S(m(*shape), 2)
        yield S(m(1, *shape), 2)

    return samples


PICTURES = [
    _resize(_interpolate("nearest", 2), variant="nearest", errors=(
        F(ValueError, "either size or scale_factor", _image),
        F(ValueError, "only one of size or scale_factor", _image, 3, 2),
        F(ValueError, "same number of spatial dimensions", _image, (3, 3, 3)),
        F(ValueError, "align_corners", _image, 4, align_corners=True),
        F(NotImplementedError, "got other", _image, 4, mode="other"),
        F(NotImplementedError, "Got 4D input, but linear mode needs 3D", _image, 4, mode="linear"),
        F(RuntimeError, "greater than 0", _image, 0))),
    _resize(_interpolate("nearest", 1), variant="nearest of one dimension"),
    _resize(_interpolate("nearest", 3), variant="nearest of three dimensions"),
    _resize(_interpolate("nearest-exact", 2), variant="nearest-exact"),
    _resize(_interpolate("linear", 1, _CORNERS), variant="linear"),
    _resize(_interpolate("bilinear", 2, _CORNERS), variant="bilinear"),
    _resize(_interpolate("trilinear", 3, _CORNERS), variant="trilinear"),
    _resize(_interpolate("bicubic", 2, _CORNERS), variant="bicubic"),
    _resize(_interpolate("area", 2), variant="area"),
    _resize(_interpolate("bilinear", 2, _CORNERS, antialias=True), variant="bilinear antialias"),
    _resize(_interpolate("bicubic", 2, _CORNERS, antialias=True), variant="bicubic antialias"),
    _row("nn.functional.pixel_shuffle", _shuffle(4, 3, 2), errors=(
        F(RuntimeError, r"input.size\(-3\)=3 is not divisible by 4", _image, 2),
        F(RuntimeError, "at least 3", _zeros(8, 8), 2))),
    _row("nn.functional.pixel_unshuffle", _shuffle(2, 4, 2), errors=(
        F(RuntimeError, r"height to be divisible.*input.size\(-2\)=8", _image, 3),)),
    _row("nn.functional.channel_shuffle", lambda m: [S(m(2, 6, 3, 4), 2), S(m(2, 6, 3), 3)], aliases=(
        "native_channel_shuffle", "nn.functional.native_channel_shuffle"), errors=(
        F(RuntimeError, "Got 3 channels and 2 groups", _image, 2),)),
]  # fmt: skip

ROWS = [*CONVOLUTIONS, *WINDOWS, *POOLS, *PADDING, *PICTURES]
