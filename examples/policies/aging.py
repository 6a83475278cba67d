"""Aging: a shift register of accessed bits for each page stands for the time since its last use."""


class Policy:
    def __init__(self):
        self.history = {}

    def evict(self, pages, count):
        self.history = {
            (page.file, page.number): self.history.get((page.file, page.number), 0) >> 1 | page.accessed << 7
            for page in pages
        }
        return sorted(pages, key=lambda page: self.history[page.file, page.number])[:count]
