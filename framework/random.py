"""The random generator over Tensors, and the process-wide default one that `manual_seed` seeds."""

from __future__ import annotations

from typing import Any

from . import backend
from .engine import Variable, wrap
from .generator import MT19937Generator


class Generator(MT19937Generator):
    """A source of random numbers: PyTorch's CPU stream from the same seed, whatever ``device`` it is said to be of."""

    def __init__(self, device: Any = "cpu") -> None:
        super().__init__(backend.device(device))

    def get_state(self) -> Any:
        """The state: a uint8 tensor of 5056 bytes, laid out as PyTorch's."""
        return wrap(self.get_state_array())

    def set_state(self, new_state: Any) -> None:
        """Sets the state; TypeError unless it is a uint8 tensor."""
        if not isinstance(new_state, Variable):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        self.set_state_array(backend.to_host(new_state._array))


#: What every random function draws from unless it is given a generator.
default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Seeds the default generator; the numbers that follow are those PyTorch gives for ``int(seed)``."""
    default_generator.manual_seed(int(seed))
    return default_generator


def seed() -> int:
    """Seeds the default generator from the system's randomness and returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator was last given."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The default generator's state, a uint8 tensor."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Sets the default generator's state."""
    default_generator.set_state(new_state)
