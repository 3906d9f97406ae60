"""Agreement with Keras: ``python -m parity``.

A case is one computation, written once with lit_restore and once with Keras. Outputs, states and
the gradients with respect to every array are compared in float64 and in float32, with bounds that
follow from the arithmetic; and every case has wrong variants that the comparison must notice.

Keras never shares a process with PyTorch: its results are read from ``parity/golden`` or come from
a worker process (``--ref live``).
"""
