"""Convolution layers and their transposes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...creation import empty
from ...tensor import Tensor
from .. import functional as F
from ..parameter import Parameter
from .linear import draw_weight_and_bias
from .module import Module
from .utils import as_tuple

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What convolutions of every dimension share; sizes come as tuples with one entry per dimension."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: str | tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_arguments(in_channels, out_channels, stride, padding, groups, padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = _pad_argument(padding, kernel_size, dilation)
        if transposed:
            channels = (in_channels, out_channels // groups)
        else:
            channels = (out_channels, in_channels // groups)
        self.weight = Parameter(empty((*channels, *kernel_size), device=device, dtype=dtype))
        self.bias: Parameter | None
        if bias:
            self.bias = Parameter(empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial weight, then the bias, from the default generator."""
        draw_weight_and_bias(self.weight, self.bias)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if isinstance(self.padding, str) or any(self.padding):
            text += f", padding={self.padding}"
        if any(d != 1 for d in self.dilation):
            text += f", dilation={self.dilation}"
        if any(self.output_padding):
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_ConvNd):
    """What the plain convolutions share; ``_n`` is the number of position dimensions."""

    _n: int
    _convolve: Callable[..., Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        n = self._n
        super().__init__(
            in_channels,
            out_channels,
            as_tuple(kernel_size, n),
            as_tuple(stride, n),
            padding if isinstance(padding, str) else as_tuple(padding, n),
            as_tuple(dilation, n),
            False,
            (0,) * n,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = (0,) * self._n
        return self._convolve(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """1-d cross-correlation of (N, in_channels, L) or (in_channels, L) with a learned kernel.

    ``weight`` is (out_channels, in_channels / groups, k); the rest is as in `Conv2d`.
    """

    _n = 1
    _convolve = staticmethod(F.conv1d)


class Conv2d(_Conv):
    """2-d cross-correlation of (N, in_channels, H, W) or (in_channels, H, W) with a learned kernel.

    ``weight`` is (out_channels, in_channels / groups, kH, kW), ``bias`` (out_channels); both start uniform in
    ``[-1/sqrt(fan_in), 1/sqrt(fan_in)]``. ``padding`` is an int, a pair, ``"valid"`` or ``"same"`` (stride 1 only).
    """

    _n = 2
    _convolve = staticmethod(F.conv2d)


class Conv3d(_Conv):
    """3-d cross-correlation of (N, in_channels, D, H, W) or (in_channels, D, H, W) with a learned kernel.

    ``weight`` is (out_channels, in_channels / groups, kD, kH, kW); the rest is as in `Conv2d`.
    """

    _n = 3
    _convolve = staticmethod(F.conv3d)


class _ConvTransposeNd(_ConvNd):
    """What the transposed convolutions share; ``_n`` is the number of position dimensions."""

    _n: int
    _convolve: Callable[..., Tensor]
    padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        n = self._n
        super().__init__(
            in_channels,
            out_channels,
            as_tuple(kernel_size, n),
            as_tuple(stride, n),
            as_tuple(padding, n),
            as_tuple(dilation, n),
            True,
            as_tuple(output_padding, n),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        output_padding = self.output_padding if output_size is None else self._padding_for(input, output_size)
        return self._convolve(
            input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups, self.dilation
        )

    def _padding_for(self, input: Tensor, output_size: Sequence[int]) -> list[int]:
        """The output padding that makes the output ``output_size``; ValueError if none does."""
        n = self._n
        lead = 2 if input.dim() == n + 2 else 1
        if len(output_size) not in (n, n + lead):
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or {n + lead} elements "
                f"(got {len(output_size)})"
            )
        wanted = list(output_size)[-n:]
        options = zip(input.shape[lead:], self.stride, self.padding, self.kernel_size, self.dilation, strict=True)
        least = [(size - 1) * s - 2 * p + d * (k - 1) + 1 for size, s, p, k, d in options]
        most = [size + s - 1 for size, s in zip(least, self.stride, strict=True)]
        if any(not low <= size <= high for size, low, high in zip(wanted, least, most, strict=True)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to {most} "
                f"(for an input of {input.size()[2:]})"
            )
        return [size - low for size, low in zip(wanted, least, strict=True)]


class ConvTranspose1d(_ConvTransposeNd):
    """The transpose of `Conv1d`: (N, in_channels, L) or (in_channels, L); ``weight`` (in, out / groups, k)."""

    _n = 1
    _convolve = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTransposeNd):
    """The transpose of `Conv2d`: its gradient with respect to the input, as a layer.

    ``weight`` is (in_channels, out_channels / groups, kH, kW). With a stride several output sizes belong to one input
    size: ``output_padding`` adds to the end of the output, or ``forward(input, output_size)`` names the size.
    """

    _n = 2
    _convolve = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTransposeNd):
    """The transpose of `Conv3d`: (N, in_channels, D, H, W) or (in_channels, D, H, W)."""

    _n = 3
    _convolve = staticmethod(F.conv_transpose3d)


def _check_arguments(in_channels, out_channels, stride, padding, groups, padding_mode) -> None:
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if in_channels % groups != 0:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups != 0:
        raise ValueError("out_channels must be divisible by groups")
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(f"Invalid padding string {padding!r}, should be one of 'same', 'valid'")
        if padding == "same" and any(s != 1 for s in stride):
            raise ValueError("padding='same' is not supported for strided convolutions")
    if padding_mode not in PADDING_MODES:
        raise ValueError(f"padding_mode must be one of {PADDING_MODES}, but got padding_mode='{padding_mode}'")


def _pad_argument(padding: str | tuple[int, ...], kernel_size: tuple[int, ...], dilation: tuple[int, ...]) -> list[int]:
    """The padding as ``F.pad`` wants it: before and after, last dimension first."""
    if padding == "valid":
        return [0, 0] * len(kernel_size)
    amounts: list[int] = []
    for i in reversed(range(len(kernel_size))):
        if isinstance(padding, str):  # "same": an odd total goes after
            total = dilation[i] * (kernel_size[i] - 1)
            amounts += [total // 2, total - total // 2]
        else:
            amounts += [padding[i], padding[i]]
    return amounts
