"""The other side of the cases, in Keras and TensorFlow; imported by the worker process alone.

Each function maps named tensors (images as (N, H, W, C)) and settings to named tensors. The one
that gradients are taken of is ``output``.
"""
