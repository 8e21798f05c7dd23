"""One small operator: what an operator costs before it computes anything."""

from ..case import case

REPEATS = 100


@case(repeats=REPEATS)
def add_16x16(torch):
    """a + b of 16x16 without grad"""
    a, b = torch.randn(16, 16), torch.randn(16, 16)

    def step():
        for _ in range(REPEATS):
            result = a + b
        return result

    return step


@case(repeats=REPEATS)
def add_16x16_grad(torch):
    """a + b of 16x16, both requiring grad: the result and its node"""
    a, b = torch.randn(16, 16, requires_grad=True), torch.randn(16, 16, requires_grad=True)

    def step():
        for _ in range(REPEATS):
            result = a + b
        return result

    return step
