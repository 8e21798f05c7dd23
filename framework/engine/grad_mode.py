"""Whether operations are recorded: a thread-local flag and torch's context managers and decorators over it."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any


class _Mode(threading.local):
    """`enabled`: operations on tensors that need gradients are recorded.
    `arrays`: the engine is running a gradient formula on raw arrays, so operators take arrays."""

    enabled = True
    inference = False
    arrays = False


mode = _Mode()


class _GradMode:
    """Sets the grad mode on entry and restores it on exit; also a decorator for functions and generators."""

    enabled: bool
    inference: bool | None = None  # None: leave as it is

    def __init__(self, function: Any = None) -> None:
        self._function = function  # set when used as `@no_grad` without parentheses
        self._previous: list[tuple[bool, bool]] = []
        if function is not None:
            functools.update_wrapper(self, function)

    def __enter__(self) -> None:
        self._previous.append((mode.enabled, mode.inference))
        mode.enabled = self.enabled
        if self.inference is not None:
            mode.inference = self.inference

    def __exit__(self, *exc: object) -> None:
        mode.enabled, mode.inference = self._previous.pop()

    def clone(self) -> _GradMode:
        """A fresh context of the same setting: a decorated function may be re-entered and run in several threads."""
        return type(self)()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._function is not None:
            with self.clone():
                return self._function(*args, **kwargs)
        return self._decorate(args[0])

    def __get__(self, instance: Any, owner: Any) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def _decorate(self, function: Callable) -> Callable:
        if inspect.isgeneratorfunction(function):
            return self._decorate_generator(function)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return wrapped

    def _decorate_generator(self, function: Callable) -> Callable:
        """The generator's body runs in the mode; its consumer, between two items, does not."""

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            step, sent = generator.send, None
            while True:
                with self.clone():
                    try:
                        item = step(sent)
                    except StopIteration as stop:
                        return stop.value
                try:
                    step, sent = generator.send, (yield item)
                except GeneratorExit:
                    with self.clone():
                        generator.close()
                    raise
                except BaseException as error:  # handed into the generator, as a plain `yield` would
                    step, sent = generator.throw, error

        return wrapped


class no_grad(_GradMode):
    """Inside, nothing is recorded: results do not require grad. A context manager and a decorator; thread-local."""

    enabled = False


class enable_grad(_GradMode):
    """Inside, operations are recorded even within `no_grad`."""

    enabled = True


class set_grad_enabled(_GradMode):
    """Turns recording on or off, at once; as a context manager also restores it on exit."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.enabled = self.mode = bool(mode)
        self._previous.append((_current_mode().enabled, _current_mode().inference))
        _current_mode().enabled = self.enabled

    def __enter__(self) -> None:
        # The constructor has switched already and noted what to go back to.
        _current_mode().enabled = self.enabled
        if not self._previous:
            self._previous.append((_current_mode().enabled, _current_mode().inference))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._previous:  # a decorator changes nothing outside the function
            _current_mode().enabled, _current_mode().inference = self._previous.pop()
        return super().__call__(*args, **kwargs)

    def clone(self) -> set_grad_enabled:
        return set_grad_enabled(self.enabled)


class inference_mode(_GradMode):
    """`no_grad` under the name that torch recommends for evaluation; `inference_mode(False)` records."""

    def __init__(self, mode: Any = True) -> None:
        super().__init__(None if isinstance(mode, bool) else mode)
        self.inference = mode if isinstance(mode, bool) else True
        self.enabled = not self.inference

    def clone(self) -> inference_mode:
        return inference_mode(bool(self.inference))


def _current_mode() -> _Mode:
    return mode


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread."""
    return mode.enabled


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`."""
    return mode.inference
