"""Adafactor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..creation import zeros, zeros_like
from ..dtypes import finfo
from ..tensor import Tensor
from .options import check_lr, check_not_negative
from .per_parameter import PerParameter, decay_weights


class Adafactor(PerParameter):
    """Adafactor (Shazeer and Stern, arXiv:1804.04235): second moments of a matrix by their row and column means.

    A parameter of shape (..., n, m) remembers n + m numbers instead of n m. At step t with gradient g::

        r, c = averages of g²'s row and column means, with weight t^beta2_decay for the new ones
        v = r c / mean(r)                                  (of vectors: the average of g² itself)
        u = g / sqrt(max(v, eps1²));  u = u / max(1, rms(u) / d)
        p = (1 - lr weight_decay) p - max(eps2, rms(p)) min(lr, 1 / sqrt(t)) u

    ``eps`` is (eps1, eps2); eps1 None is the machine's epsilon of the parameter's dtype. Complex parameters are
    refused.
    """

    couples_weight_decay = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_lr(lr)
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not eps[0] >= 0.0:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not eps[1] >= 0.0:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        check_not_negative("weight_decay", weight_decay)
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        if param.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        if param.dim() < 2:
            return {"variance": zeros_like(param)}
        *batch, n, m = param.shape
        return {
            name: zeros(shape, dtype=param.dtype, device=param.device)
            for name, shape in (("row_var", (*batch, n, 1)), ("col_var", (*batch, 1, m)))
        }

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any], step: float) -> None:
        eps1, eps2 = group["eps"]
        if eps1 is None:
            eps1 = finfo(param.dtype).eps
        weight = step ** group["beta2_decay"]
        scale = max(eps2, _rms(param)) * min(group["lr"], 1 / step**0.5)
        decay_weights(param, group)
        square = grad * grad
        if "variance" in state:
            variance = _blend(state["variance"], square, weight)
        else:
            row = _blend(state["row_var"], square.mean(-1, keepdim=True), weight)
            column = _blend(state["col_var"], square.mean(-2, keepdim=True), weight)
            variance = row @ column / row.mean(-2, keepdim=True).clamp(min=eps1)
        update = variance.clamp(min=eps1 * eps1).rsqrt() * grad
        param.sub_(update * (scale / max(1.0, _rms(update) / group["d"])))


def _rms(x: Tensor) -> float:
    return x.norm().item() / x.numel() ** 0.5


def _blend(mean: Tensor, value: Tensor, weight: float) -> Tensor:
    return mean.add_((value - mean) * weight)
