"""Side by side with PyTorch: the same cases, in turn, in separate processes. Run `python -m benchmarks --help`."""
