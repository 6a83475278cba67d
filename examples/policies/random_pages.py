"""Random replacement: no bookkeeping, and no worst case that a program runs into each time."""

import random


class Policy:
    def __init__(self):
        self.random = random.Random(1)  # so that a run can be repeated

    def evict(self, pages, count):
        return self.random.sample(pages, min(count, len(pages)))
