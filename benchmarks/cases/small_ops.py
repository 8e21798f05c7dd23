"""Operators on small tensors that move elements about, without grad."""

from ..case import case


@case()
def small_cat(torch):
    """cat of four 16x16 along the second dimension"""
    parts = [torch.randn(16, 16) for _ in range(4)]
    return lambda: torch.cat(parts, 1)


@case()
def small_stack(torch):
    """stack of four 16x16"""
    parts = [torch.randn(16, 16) for _ in range(4)]
    return lambda: torch.stack(parts)


@case()
def small_gather(torch):
    """gather of 64x8 elements from 64x32"""
    x, index = torch.randn(64, 32), torch.randint(0, 32, (64, 8))
    return lambda: torch.gather(x, 1, index)


@case()
def small_topk(torch):
    """topk of 5 in each row of 128x100"""
    x = torch.randn(128, 100)
    return lambda: torch.topk(x, 5).values


@case()
def small_slice(torch):
    """x[:, 1] of 64x32"""
    x = torch.randn(64, 32)
    return lambda: x[:, 1]


@case()
def small_index(torch):
    """x[i] of 64x32 with 16 integers"""
    x, index = torch.randn(64, 32), torch.randint(0, 64, (16,))
    return lambda: x[index]


@case()
def small_mask(torch):
    """x[x > 0] of 64x32"""
    x = torch.randn(64, 32)
    return lambda: x[x > 0]


@case()
def small_index_backward(torch):
    """x[i].sum() of 64x32 with 16 integers, forward and backward"""
    x, index = torch.randn(64, 32, requires_grad=True), torch.randint(0, 64, (16,))

    def step():
        x.grad = None
        x[index].sum().backward()
        return x.grad

    return step
