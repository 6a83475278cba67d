"""The conformance kit: somebody's C memory code held against the Coal OS memory management API ("the document").

The target runs in a process of its own under a small C driver (`driver/`). A check sends it operations, and a model
of what the document promises judges every answer. The kit knows nothing of this project's own kernel.
"""
