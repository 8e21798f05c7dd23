"""Rows of normalisation, dropout, embedding, attention, distances and losses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from op_row import Const, F, Make, Row, S, Sample

_row = partial(Row, method=False)
Samples = Callable[[Make], Iterable[Sample]]


def _zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape)


def _ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


# --- normalisation ------------------------------------------------------------------------------------------------


def _batch_norm(m: Make) -> Iterable[Sample]:
    mean, var = Const(m(3)), Const(m(3, low=0.5))
    for shape in ((4, 3), (4, 3, 5), (2, 3, 4, 5)):
        yield S(m(*shape), None, None, m(3), m(3), True)
        yield S(m(*shape), mean, var, m(3), m(3), True, 0.3)
        yield S(m(*shape), mean, var, m(3), m(3), eps=1e-3)
    yield S(m(4, 3), None, None, training=True)
    yield S(m(4, 3, 5), None, None, m(3), training=True)
    yield S(m(4, 3, 5), mean, var)


def _instance_norm(m: Make) -> Iterable[Sample]:
    mean, var = Const(m(3)), Const(m(3, low=0.5))
    yield S(m(2, 3, 4))
    yield S(m(2, 3, 4, 5), weight=m(3), bias=m(3))
    yield S(m(2, 3, 4, 5), mean, var, m(3), m(3))
    yield S(m(2, 3, 4), mean, var, m(3), m(3), False)


def _layer_norm(m: Make) -> Iterable[Sample]:
    yield S(m(4, 3, 5), (5,))
    yield S(m(4, 3, 5), (5,), m(5), m(5))
    yield S(m(4, 3, 5), (3, 5), m(3, 5), m(3, 5), 1e-3)
    yield S(m(4, 5), [5], m(5))
    yield S(m(0, 5), (5,), m(5), m(5))


def _group_norm(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), 2)
    yield S(m(2, 4, 3), 2, m(4), m(4))
    yield S(m(2, 6, 3, 2), 3, m(6), m(6), 1e-3)


def _rms_norm(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), (4,))
    yield S(m(2, 3, 4), (3, 4), m(3, 4), 1e-3)


def _local_response_norm(m: Make) -> Iterable[Sample]:
    yield S(m(2, 5, 4), 2)
    yield S(m(2, 5, 4, 3), 3, 0.1, 0.5, 2.0)
    yield S(m(2, 5, 2, 2, 3), 2, k=2.0)


def _normalize(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4, 2))
    yield S(m(3, 4), 1.0, -1)
    yield S(m(3, 4), 3.0, dim=0)
    yield S(m(3, 4) * 0, 2.0).values_only()


_image = _zeros(2, 3, 8, 8)

NORMS = [
    _row("nn.functional.batch_norm", _batch_norm, tolerance=10, errors=(
        F(RuntimeError, "running_mean must be defined in evaluation mode", _image, None, None),
        F(RuntimeError, "running_mean should contain 3 elements not 4", _image, _zeros(4), _zeros(4)),
        F(RuntimeError, "weight should contain 3 elements not 4", _image, _zeros(3), _zeros(3), _zeros(4)),
        F(ValueError, r"more than 1 value per channel.*\[1, 3, 1, 1\]", _zeros(1, 3, 1, 1), None, None,
          training=True))),
    _row("nn.functional.instance_norm", _instance_norm, tolerance=10, errors=(
        F(ValueError, "more than 1 spatial element", _zeros(2, 3, 1)),
        F(RuntimeError, "running_mean and running_var", _image, use_input_stats=False))),
    _row("nn.functional.layer_norm", _layer_norm, tolerance=10, errors=(
        F(RuntimeError, r"normalized_shape=\[7\], expected input with shape \[\*, 7\]", _image, (7,)),
        F(RuntimeError, r"weight of shape \[7\] and normalized_shape = \[8\]", _image, (8,), _zeros(7)),
        F(RuntimeError, "at least 1-dimensional", _image, ()))),
    _row("nn.functional.group_norm", _group_norm, tolerance=10, errors=(
        F(RuntimeError, r"divisible by num_groups.*num_groups=2", _image, 2),
        F(RuntimeError, r"weight of shape \[2\]", _image, 3, _zeros(2)))),
    _row("nn.functional.rms_norm", _rms_norm, tolerance=10, errors=(
        F(RuntimeError, "normalized_shape", _image, (7,)),)),
    _row("nn.functional.local_response_norm", _local_response_norm, tolerance=10, errors=(
        F(ValueError, "3D or higher", _zeros(8, 8), 2),)),
    _row("nn.functional.normalize", _normalize, tolerance=10, errors=(F(IndexError, "out of range", _image, 2.0, 7),)),
]  # fmt: skip

# --- dropout: what does not depend on chance ----------------------------------------------------------------------


def _dropout(*shape: int) -> Samples:
    def samples(m: Make) -> Iterable[Sample]:
        yield S(m(*shape), 0.5, False)
        yield S(m(*shape), 0.0, True)
        yield S(m(*shape), 1.0, True)

    return samples


_CHANCE = (
    F(ValueError, "between 0 and 1, but got 1.5", _image, 1.5),
    F(ValueError, "between 0 and 1, but got -0.5", _image, -0.5),
)

DROPOUTS = [
    _row("nn.functional.dropout", _dropout(3, 4), errors=_CHANCE),
    _row("nn.functional.dropout1d", _dropout(2, 3, 4), errors=(
        *_CHANCE[:1], F(RuntimeError, "received a 4D input", _image))),
    _row("nn.functional.dropout2d", _dropout(2, 3, 4, 2), errors=_CHANCE),
    _row("nn.functional.dropout3d", _dropout(2, 3, 4, 2, 2), errors=_CHANCE),
    _row("nn.functional.alpha_dropout", _dropout(3, 4), errors=_CHANCE),
    _row("nn.functional.feature_alpha_dropout", _dropout(2, 3, 4), errors=(
        *_CHANCE, F(RuntimeError, "at least 2 dimensions", _zeros(3), 0.5, True))),
]  # fmt: skip

# --- tables and attention -----------------------------------------------------------------------------------------


def _embedding(m: Make) -> Iterable[Sample]:
    index = m.index(5, 2, 3)
    yield S(index, m(5, 4))
    # What follows changes gradients on purpose: they are no derivatives.
    yield S(m.index(5, 7).astype(np.int32), m(5, 4), padding_idx=2).rough()
    yield S(index, m(5, 4), -1).rough()
    yield S(index, m(5, 4), scale_grad_by_freq=True).rough()
    yield S(index[:0], m(5, 4))
    yield S(_ints(3).reshape(()), m(5, 4))


def _embedding_bag(m: Make) -> Iterable[Sample]:
    index, offsets = m.index(5, 7), _ints(0, 2, 2, 5)
    for mode in ("sum", "mean", "max"):
        yield S(index, m.distinct(5, 4), offsets, mode=mode)
        yield S(index, m.distinct(5, 4), offsets, mode=mode, padding_idx=int(index[3]))
        yield S(index[:6].reshape(2, 3), m.distinct(5, 4), mode=mode)
    yield S(index, m(5, 4), _ints(0, 3, 7), mode="sum", include_last_offset=True)
    yield S(index, m(5, 4), offsets, mode="sum", per_sample_weights=m(7))


def _one_hot(m: Make) -> Iterable[Sample]:
    yield S(m.index(4, 2, 3), 5)
    yield S(m.index(4, 0), 5)


def _attention(m: Make) -> Iterable[Sample]:
    query, key, value = m(1, 4, 3, 2), m(1, 4, 4, 2), m(1, 4, 4, 3)
    allowed = m.mask(3, 4)
    allowed[0], allowed[1] = True, False
    yield S(query, key, value)
    yield S(query, key, value, is_causal=True, scale=0.3)
    yield S(query, key, value, allowed)
    yield S(query, key, value, m(4, 3, 4))
    yield S(query[0, 0], key[0, 0], value[0, 0])
    yield S(query, key[:, :2].copy(), value[:, :2].copy(), enable_gqa=True)
    yield S(query, key, value, Const(np.where(allowed, 0.0, -np.inf).astype(m.dtype))).rough()


_table = _zeros(3, 4)
_q = _zeros(2, 4, 5, 6)

TABLES = [
    _row("nn.functional.embedding", _embedding, errors=(
        F(IndexError, "index out of range in self", _ints(5), _table),
        F(RuntimeError, "Long, Int; but got torch.DoubleTensor", np.ones(1), _table),
        F(AssertionError, "Padding_idx", _ints(1), _table, 4),
        F(RuntimeError, "'weight' must be 2-D", _ints(1), _zeros(3)))),
    _row("nn.functional.embedding_bag", _embedding_bag, reads_host=True, errors=(
        F(ValueError, "offsets has to be a 1D Tensor but got None", _ints(1, 2), _table),
        F(ValueError, "offsets has to be None", _ints(1, 2).reshape(1, 2), _table, _ints(0)),
        F(ValueError, "sum, mean or max", _ints(1, 2), _table, _ints(0), mode="other"),
        F(RuntimeError, r"offsets\[0\] has to be 0", _ints(1, 2), _table, _ints(1)),
        F(RuntimeError, r"offsets\[-1\] can not be greater.*2.*3", _ints(1, 2), _table, _ints(0, 3)),
        F(NotImplementedError, "only supported for mode='sum'", _ints(1, 2).reshape(1, 2), _table,
          per_sample_weights=np.ones((1, 2))))),
    _row("nn.functional.one_hot", _one_hot, ("int64",), errors=(
        F(RuntimeError, "non-negative", _ints(-1), 3), F(RuntimeError, "smaller than num_classes", _ints(3), 3),
        F(RuntimeError, "LongTensor", np.ones(2), 3), F(RuntimeError, "empty tensor", _ints()))),
    _row("nn.functional.scaled_dot_product_attention", _attention, tolerance=10, errors=(
        F(RuntimeError, "at least 2 dimensional.*query.dim: 1", _zeros(6), _q, _q),
        F(RuntimeError, "same dtype", _q, _q.astype(np.float32), _q))),
    _row("nn.functional.linear", lambda m: [
        S(m(2, 3), m(4, 3), m(4)), S(m(2, 5, 3), m(4, 3)), S(m(3), m(4, 3), m(4))], errors=(
            F(RuntimeError, "cannot be multiplied", _zeros(2, 3), _zeros(4, 5)),)),
    _row("nn.functional.cosine_similarity", lambda m: [
        S(m(3, 4), m(3, 4)), S(m(2, 3, 4), m(3, 4), -1), S(m(4), m(4), 0, 1e-3)], tolerance=10, errors=(
            F(IndexError, "out of range", _zeros(2, 3), _zeros(2, 3), 9),)),
    _row("nn.functional.pairwise_distance", lambda m: [
        S(m(3, 4), m(3, 4)), S(m(2, 3, 4), m(3, 4), 1.0, keepdim=True), S(m(4), m(4), 3.0, 1e-3)],
        tolerance=10, errors=(
            F(RuntimeError, "must match", _zeros(2, 3), _zeros(2, 2)),)),
]  # fmt: skip

# --- losses -------------------------------------------------------------------------------------------------------

_REDUCTIONS = ("none", "mean", "sum")


def _pairs(low: float = -3, high: float = 3, low2: float = -3, high2: float = 3, **options: object) -> Samples:
    """Input and target, in every reduction."""

    def samples(m: Make) -> Iterable[Sample]:
        for reduction in _REDUCTIONS:
            yield S(m(3, 4, low=low, high=high), m(3, 4, low=low2, high=high2), reduction=reduction, **options)
        yield S(m(low=low, high=high), m(low=low2, high=high2), **options)

    return samples


def _weighted(m: Make) -> Iterable[Sample]:
    for reduction in _REDUCTIONS:
        yield S(m(3, 4), m(3, 4), reduction=reduction, weight=m(3, 4, low=0.1))


def _signs(m: Make, *shape: int) -> Const:
    return Const(np.where(m.mask(*shape), 1.0, -1.0).astype(m.dtype))


def _with_signs(tensors: int, **options: object) -> Samples:
    """Inputs and a target of 1 and -1, in every reduction."""

    def samples(m: Make) -> Iterable[Sample]:
        for reduction in _REDUCTIONS:
            yield S(*(m(3, 4) for _ in range(tensors)), _signs(m, 3, 4), reduction=reduction, **options)

    return samples


def _classes(*extra: dict, ignored: bool = True) -> Samples:
    """Scores and class indices: flat, with positions, one sample alone, with weights, with ignored targets."""

    def samples(m: Make) -> Iterable[Sample]:
        weight = Const(m(3, low=0.2))
        for options in extra or ({},):
            for reduction in _REDUCTIONS:
                yield S(m(4, 3), m.index(3, 4), reduction=reduction, **options)
                yield S(m(4, 3), m.index(3, 4), weight, reduction=reduction, **options)
                if ignored:
                    yield S(m(4, 3), _ints(0, -100, 2, 1), weight, reduction=reduction, **options)
                    yield S(m(2, 3, 2, 2), m.index(3, 2, 2, 2), ignore_index=1, reduction=reduction, **options)
            yield S(m(3), m.index(3), **options)
        yield S(m(3), m.index(3), reduction="none")
        yield S(m(4, 3), m.index(3, 4).astype(np.uint8))
        if ignored:
            yield S(m(2, 3), _ints(-100, -100)).rough()

    return samples


def _probabilities(m: Make) -> Iterable[Sample]:
    for reduction in _REDUCTIONS:
        yield S(m(4, 3), m(4, 3, low=0), reduction=reduction)
        yield S(m(2, 3, 4), m(2, 3, 4, low=0), Const(m(3, low=0.2)), reduction=reduction, label_smoothing=0.2)
    yield S(m(3), m(3, low=0))


def _bce(m: Make) -> Iterable[Sample]:
    for reduction in _REDUCTIONS:
        yield S(m(3, 4, low=0.05, high=0.95), m(3, 4, low=0.05, high=0.95), reduction=reduction)
        yield S(
            m(3, 4, low=0.05, high=0.95), m(3, 4, low=0.05, high=0.95), Const(m(3, 1, low=0.1)), reduction=reduction
        )
    yield S(m.of(0.0, 1.0, 0.0, 1.0), Const(m.of(0.0, 1.0, 1.0, 0.0)), reduction="none").rough()


def _bce_with_logits(m: Make) -> Iterable[Sample]:
    for reduction in _REDUCTIONS:
        yield S(m(3, 4), m(3, 4, low=0.05, high=0.95), reduction=reduction)
        yield S(
            m(3, 4),
            m(3, 4, low=0, high=1),
            Const(m(3, 1, low=0.1)),
            reduction=reduction,
            pos_weight=Const(m(4, low=0.1)),
        )
    yield S(m.of(200.0, -200.0, 0.0), Const(m.of(0.0, 1.0, 1.0)), reduction="none").rough()


def _kl_div(m: Make) -> Iterable[Sample]:
    for reduction in ("none", "sum", "batchmean", "mean"):
        yield S(m(3, 4), m(3, 4, low=0.05, high=1), reduction=reduction)
        yield S(m(3, 4), m(3, 4), reduction=reduction, log_target=True)
    yield S(m(3), Const(m.of(0.0, 0.5, 0.5)), reduction="sum")


def _gaussian(m: Make) -> Iterable[Sample]:
    for reduction in _REDUCTIONS:
        yield S(m(3, 4), m(3, 4), m(3, 4, low=0.5), reduction=reduction, full=True)
        yield S(m(3, 4), m(3, 4), m(3, low=0.5), reduction=reduction)
    yield S(m(3, 4), m(3, 4), m(3, 1, low=0.5))


def _multi_margin(m: Make) -> Iterable[Sample]:
    for reduction in _REDUCTIONS:
        yield S(m(4, 3), m.index(3, 4), reduction=reduction)
        yield S(m(4, 3), m.index(3, 4), 2, 0.5, Const(m(3, low=0.2)), reduction=reduction)


def _triplet(m: Make) -> Iterable[Sample]:
    for reduction in _REDUCTIONS:
        yield S(m(3, 4), m(3, 4), m(3, 4), reduction=reduction)
        yield S(m(3, 4), m(3, 4), m(3, 4), 2.0, 3.0, swap=True, reduction=reduction)


def _multilabel(m: Make) -> Iterable[Sample]:
    for reduction in _REDUCTIONS:
        yield S(m(3, 4), m(3, 4, low=0, high=1), reduction=reduction)
        yield S(m(3, 4), m(3, 4, low=0, high=1), Const(m(4, low=0.1)), reduction=reduction)


_reduction = F(ValueError, "other is not a valid value for reduction", _zeros(2, 3), _zeros(2, 3), reduction="other")
_scores = _zeros(4, 3)
_CLASS_ERRORS = (
    F(IndexError, "Target 3 is out of bounds", _scores, _ints(0, 1, 2, 3)),
    F(IndexError, "Target -1 is out of bounds", _scores, _ints(0, 1, 2, -1)),
    F(ValueError, r"batch_size \(4\) to match target batch_size \(3\)", _scores, _ints(0, 1, 2)),
    F(RuntimeError, "Long or Byte, but got Int", _scores, np.zeros(4, np.int32)),
    F(RuntimeError, r"all 3 classes or no classes.*\[4\]", _scores, _ints(0, 1, 2, 0), np.ones(4)),
    F(RuntimeError, "Double but found Float", _scores, _ints(0, 1, 2, 0), np.ones(3, np.float32)),
    F(ValueError, "not a valid value for reduction", _scores, _ints(0, 1, 2, 0), reduction="other"),
)

LOSSES = [
    _row("nn.functional.mse_loss", _pairs(), errors=(_reduction,)),
    _row("nn.functional.mse_loss", _weighted, variant="weighted"),
    _row("nn.functional.l1_loss", _pairs(), errors=(_reduction,)),
    _row("nn.functional.l1_loss", _weighted, variant="weighted"),
    _row("nn.functional.smooth_l1_loss", _pairs(), errors=(
        _reduction, F(RuntimeError, "negative values for beta", _zeros(2), _zeros(2), beta=-1))),
    _row("nn.functional.smooth_l1_loss", _pairs(beta=0.3), variant="beta"),
    _row("nn.functional.smooth_l1_loss", _pairs(beta=0), variant="beta of zero"),
    _row("nn.functional.huber_loss", _pairs(), errors=(
        _reduction, F(RuntimeError, "non-positive values for delta", _zeros(2), _zeros(2), delta=0))),
    _row("nn.functional.huber_loss", _pairs(delta=0.3), variant="delta"),
    _row("nn.functional.huber_loss", _weighted, variant="weighted"),
    _row("nn.functional.cross_entropy", _classes(), errors=(
        *_CLASS_ERRORS,
        F(RuntimeError, "between 0.0 and 1.0. Got: 2", _scores, _ints(0, 1, 2, 0), label_smoothing=2))),
    _row("nn.functional.cross_entropy", _classes({"label_smoothing": 0.2}), tolerance=10, variant="label smoothing"),
    _row("nn.functional.cross_entropy", _probabilities, tolerance=10, variant="probabilities"),
    _row("nn.functional.nll_loss", _classes(), errors=_CLASS_ERRORS),
    _row("nn.functional.binary_cross_entropy", _bce, errors=(
        F(RuntimeError, "all elements of input should be between 0 and 1", np.full(2, 1.5), np.zeros(2)),
        F(RuntimeError, "all elements of target should be between 0 and 1", np.zeros(2), np.full(2, -1.0)),
        F(ValueError, "Using a target size", _zeros(2, 3), _zeros(1, 3)), _reduction)),
    _row("nn.functional.binary_cross_entropy_with_logits", _bce_with_logits, errors=(
        F(ValueError, r"Target size.*\[1, 3\].*\[2, 3\]", _zeros(2, 3), _zeros(1, 3)), _reduction)),
    _row("nn.functional.kl_div", _kl_div, errors=(_reduction,)),
    _row("nn.functional.poisson_nll_loss", _pairs(low2=0.1), errors=(_reduction,)),
    _row("nn.functional.poisson_nll_loss", _pairs(0.1, 3, 1.2, 5, log_input=False, full=True), variant="full"),
    _row("nn.functional.gaussian_nll_loss", _gaussian, errors=(
        F(ValueError, "negative entry", _zeros(2), _zeros(2), np.full(2, -1.0)),
        F(ValueError, "var is of incorrect size", _zeros(2, 3), _zeros(2, 3), np.ones((3, 3))))),
    _row("nn.functional.soft_margin_loss", _with_signs(1), errors=(_reduction,)),
    _row("nn.functional.hinge_embedding_loss", _with_signs(1, margin=0.5), errors=(_reduction,)),
    _row("nn.functional.margin_ranking_loss", _with_signs(2, margin=0.5), errors=(
        F(RuntimeError, "same dimension", _zeros(2), _zeros(2, 2), _zeros(2)),)),
    _row("nn.functional.cosine_embedding_loss", lambda m: [
        S(m(3, 4), m(3, 4), _signs(m, 3), 0.1, reduction=r) for r in _REDUCTIONS], tolerance=10),
    _row("nn.functional.multi_margin_loss", _multi_margin, errors=(
        F(ValueError, "p == 1 and p == 2", _scores, _ints(0, 1, 2, 0), 3),)),
    _row("nn.functional.multilabel_soft_margin_loss", _multilabel, errors=(_reduction,)),
    _row("nn.functional.triplet_margin_loss", _triplet, tolerance=10, errors=(
        F(ValueError, "margin must be greater than 0", _zeros(2, 3), _zeros(2, 3), _zeros(2, 3), -1.0),)),
    _row("nn.functional.triplet_margin_with_distance_loss", lambda m: [
        S(m(3, 4), m(3, 4), m(3, 4), margin=2.0, reduction=r) for r in _REDUCTIONS], tolerance=10),
]  # fmt: skip

ROWS = [*NORMS, *DROPOUTS, *TABLES, *LOSSES]
