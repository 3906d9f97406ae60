"""Speed and memory, side by side with Keras and with the naive form; inpainting beside OpenCV.

``python -m benchmarks [training|inference|srgan|precision|memory|data|inpainting|pconv|style]``;
never part of the tests.
"""
