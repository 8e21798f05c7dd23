"""Transposed convolution layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...tensor import Tensor
from .. import functional as F
from .conv import _ConvNd
from .utils import as_tuple


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
