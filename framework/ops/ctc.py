"""Connectionist temporal classification: the likelihood of a label sequence, summed over its alignments in time.

Graves et al., 2006, "Connectionist temporal classification". A sequence of labels is extended with blanks around each
label; its states are walked in time, staying, stepping on, or skipping a blank between different labels. `alpha` and
`beta` are log-likelihoods (time, batch, states) of all walks up to and from each state, both with its own emission.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import Variable, op, wrap
from .index import _scatter_add_zeros
from .loss import check_reduction
from .pointwise import where
from .shape import shape_of, unsqueeze

# --- arguments ----------------------------------------------------------------------------------------------------

_WHERE = "(while checking arguments for ctc_loss_allocate_outputs)"


def _lengths(value: Any, name: str, batch: int) -> tuple[int, ...]:
    if isinstance(value, Variable):
        if value._array.dtype.kind not in "iu":
            raise RuntimeError(f"{name} must be integral")
        value = value._array.tolist()
    items = tuple(int(v) for v in value) if isinstance(value, Sequence) else (int(value),)
    if len(items) != batch:
        raise RuntimeError(f"{name} must be of size batch_size")
    if items and min(items) < 0:
        raise RuntimeError(f"Expected {name} to have value at least 0, but got value {min(items)} {_WHERE}")
    return items


def _check_size(found: int, wanted: int, dim: int, at_least: bool = False) -> None:
    if found < wanted or (found != wanted and not at_least):
        least = "at least " if at_least else ""
        raise RuntimeError(
            f"Expected tensor to have size {least}{wanted} at dimension {dim}, but got size {found} for argument #2 "
            f"'targets' {_WHERE}"
        )


def _labels(targets: Any, lengths: tuple[int, ...], blank: int) -> Any:
    """An array of targets, in rows or end to end, as (batch, longest), filled up with blanks."""
    xp, longest = namespace(targets), max(lengths, default=0)
    places = np.arange(longest)
    kept = places < np.array(lengths, np.int64)[:, None]
    if targets.ndim == 2:
        _check_size(targets.shape[0], len(lengths), 0)
        _check_size(targets.shape[1], longest, 1, at_least=True)
        rows = targets[:, :longest]
    else:
        _check_size(targets.shape[0], sum(lengths), 0)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        rows = targets[xp.asarray(np.where(kept, starts[:, None] + places, 0))] if longest else targets[:0]
        rows = rows.reshape(len(lengths), longest)
    return xp.where(xp.asarray(kept), rows.astype(np.int64), blank)


# --- walks --------------------------------------------------------------------------------------------------------


def _states(labels: Any, blank: int) -> tuple[Any, Any]:
    """The labels with blanks around them, and 0 where a state can be reached over a skipped blank, else -inf."""
    xp = namespace(labels)
    batch, count = labels.shape
    states = xp.full((batch, 2 * count + 1), blank, np.int64)
    states[:, 1::2] = labels
    skips = xp.full(states.shape, -math.inf)
    if count > 1:
        skips[:, 3::2] = xp.where(labels[:, 1:] != labels[:, :-1], 0.0, -math.inf)
    return states, skips


def _emissions(log_probs: Any, states: Any) -> Any:
    """The log-probability of each state's label at each time: (time, batch, states)."""
    return log_probs[:, namespace(states).arange(states.shape[0])[:, None], states]


def _shifted(array: Any, by: int) -> Any:
    """States moved up by `by` (down where negative), -inf coming in."""
    result = namespace(array).full_like(array, -math.inf)
    if by > 0:
        result[:, by:] = array[:, :-by]
    else:
        result[:, :by] = array[:, -by:]
    return result


def _alpha(emissions: Any, skips: Any) -> Any:
    xp = namespace(emissions)
    alpha = xp.full_like(emissions, -math.inf)
    alpha[0, :, :2] = emissions[0, :, :2]
    for t in range(1, len(emissions)):
        before = alpha[t - 1]
        reached = xp.logaddexp(before, _shifted(before, 1)) if before.shape[1] > 1 else before
        if before.shape[1] > 3:
            reached = xp.logaddexp(reached, _shifted(before, 2) + skips)
        alpha[t] = reached + emissions[t]
    return alpha


def _beta(emissions: Any, skips: Any, last: Any, ends: Any) -> Any:
    """`last` (batch, 1) is each sequence's last time, `ends` (batch, states) 0 at the states it may end in."""
    xp = namespace(emissions)
    beta = xp.full_like(emissions, -math.inf)
    for t in range(len(emissions) - 1, -1, -1):
        going = xp.full_like(emissions[t], -math.inf)
        if t + 1 < len(emissions):
            after = beta[t + 1]
            going = xp.logaddexp(after, _shifted(after, -1)) if after.shape[1] > 1 else after
            if after.shape[1] > 3:
                going = xp.logaddexp(going, _shifted(after + skips, -2))
        beta[t] = xp.where(last == t, ends, going) + emissions[t]
    return beta


def _ends(xp: Any, count: int, target_lengths: tuple[int, ...], dtype: Any) -> Any:
    """0 at the last label and at the blank after it, -inf at the other states."""
    after = 2 * np.array(target_lengths, np.int64)[:, None]
    states = np.arange(count)
    return xp.asarray(np.where((states == after) | (states == after - 1), 0.0, -np.inf), dtype=dtype)


# --- the operator -------------------------------------------------------------------------------------------------


def _ctc_input(g, log_probs, labels, input_lengths, target_lengths, blank, zero_infinity, out):
    return _ctc_loss_backward(
        g[0], log_probs, labels, out[0], out[1], input_lengths, target_lengths, blank, zero_infinity
    )


@op(name="CtcLossBackward0", log_probs=_ctc_input)
def _ctc_loss(log_probs, labels, input_lengths, target_lengths, blank, zero_infinity):
    """(losses (batch), alpha)."""
    xp = namespace(log_probs)
    states, skips = _states(labels, blank)
    alpha = _alpha(_emissions(log_probs, states), skips.astype(log_probs.dtype))
    last = xp.asarray(np.maximum(np.array(input_lengths, np.int64) - 1, 0))
    final = alpha[last, xp.arange(len(input_lengths))] + _ends(xp, states.shape[1], target_lengths, log_probs.dtype)
    top = xp.maximum(final.max(axis=1), np.finfo(final.dtype).min)  # finite, where every walk is impossible too
    losses = -(xp.log(xp.exp(final - top[:, None]).sum(axis=1)) + top)
    if 0 in input_lengths:  # no time: only the empty sequence fits
        empty = [0.0 if n == 0 else math.inf for n in target_lengths]
        nothing = xp.asarray(np.array(input_lengths) == 0)
        losses = xp.where(nothing, xp.asarray(empty, dtype=losses.dtype), losses)
    return losses, alpha


def _no_second(g):
    raise RuntimeError("derivative for aten::_ctc_loss_backward is not implemented")


@op(name="CtcLossBackwardBackward0", input=_no_second, log_probs=_no_second)
def _ctc_loss_backward(input, log_probs, labels, losses, alpha, input_lengths, target_lengths, blank, zero_infinity):
    """Probability minus posterior of each class at each time: PyTorch's gradient, which takes for granted that
    log_probs come out of a log_softmax (of whose own gradient the probabilities drop out)."""
    xp = namespace(log_probs)
    states, skips = _states(labels, blank)
    emissions = _emissions(log_probs, states)
    lengths = np.array(input_lengths, np.int64)
    ends = _ends(xp, states.shape[1], target_lengths, log_probs.dtype)
    last = xp.asarray(lengths[:, None] - 1)
    walks = alpha + _beta(emissions, skips.astype(log_probs.dtype), last, ends)
    possible = walks > -math.inf
    share = xp.exp(xp.where(possible, walks - xp.where(possible, emissions, 0), -math.inf) + losses[:, None])
    index = xp.broadcast_to(states, share.shape)
    posterior = _scatter_add_zeros.plain(share.astype(log_probs.dtype, copy=False), log_probs.shape, 2, index)
    in_time = xp.asarray(np.arange(len(log_probs))[:, None, None] < lengths[:, None])
    if zero_infinity:
        in_time = in_time & (losses < math.inf)[:, None]
    grad = (xp.exp(log_probs) - posterior) * input[:, None]
    grad = xp.where((losses == math.inf)[:, None], math.nan, grad)  # no walk, no posterior
    return xp.where(in_time, grad, 0).astype(log_probs.dtype, copy=False)


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """The negative log-likelihood of label sequences under (time, batch, classes) or (time, classes) log_probs.

    Args:
        targets: labels, (batch, longest), or end to end in one dimension; none of them `blank`.
        input_lengths, target_lengths: of each sequence; a tensor or a sequence of ints.
        reduction: "mean" divides each loss by its target's length first, then takes the mean over the batch.
        zero_infinity: zero loss and gradient for targets that do not fit into their time.

    The gradient takes for granted that log_probs come out of log_softmax, as PyTorch's does. RuntimeError for lengths
    that do not fit.
    """
    check_reduction(reduction)
    if log_probs.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 3-dimensional tensor, but got {log_probs.ndim + 1}-dimensional tensor for argument #1 "
            f"'log_probs' {_WHERE}"
        )
    alone = log_probs.ndim == 2
    if alone:
        log_probs = unsqueeze(log_probs, 1)
        targets = unsqueeze(targets, 0) if targets.ndim == 1 else targets
    time, batch, classes = shape_of(log_probs)
    if not time:
        raise RuntimeError("log_probs tensor must not be empty")
    if log_probs._array.dtype not in (np.float32, np.float64):
        named = dtypes.scalar_type_name(log_probs.dtype)
        raise NotImplementedError(f"\"ctc_loss_cpu\" not implemented for '{named}'")
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    times, counts = _lengths(input_lengths, "input_lengths", batch), _lengths(target_lengths, "target_lengths", batch)
    if max(times, default=0) > time:
        raise RuntimeError(f"Expected input_lengths to have value at most {time}, but got value {max(times)} {_WHERE}")
    labels = wrap(_labels(targets._array, counts, blank))
    losses = _ctc_loss(log_probs, labels, times, counts, blank, zero_infinity)[0]
    if zero_infinity:
        losses = where(losses == math.inf, 0.0, losses)
    if reduction == "mean":
        xp = namespace(losses._array)
        return (losses / wrap(xp.asarray([max(n, 1) for n in counts], dtype=losses._array.dtype))).mean()
    if reduction == "sum":
        return losses.sum()
    return losses[0] if alone else losses
