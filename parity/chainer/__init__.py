"""The other side of some cases, in Chainer; imported by its worker process alone.

Each function maps named variables (images as (N, C, H, W), kernels as PyTorch has them) and
settings to named variables. The one that gradients are taken of is ``output``. Chainer's defaults
are left as they are wherever a user leaves them.
"""
