"""Scalars: nothing but the engine's own cost, forward and backward."""

from ..case import case

TERMS = 10


@case()
def scalar_expression(torch):
    """50 operators on 0-dim tensors, forward and backward"""
    x = torch.tensor(0.7, requires_grad=True)
    y = torch.tensor(0.3, requires_grad=True)

    def step():
        x.grad = y.grad = None
        z = x
        for _ in range(TERMS):
            z = (z * y + x).tanh() - z / 3  # five operators
        z.backward()
        return x.grad + y.grad

    return step


@case()
def scalar_expression_forward(torch):
    """50 operators on 0-dim tensors under no_grad"""
    x, y = torch.tensor(0.7), torch.tensor(0.3)

    def step():
        with torch.no_grad():
            z = x
            for _ in range(TERMS):
                z = (z * y + x).tanh() - z / 3
        return z

    return step
