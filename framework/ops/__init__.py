"""Operators: one plain function each, beside its gradient formulas. See `framework.engine.op`."""
