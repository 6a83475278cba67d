"""First in, first out: the page that came first goes first, used or not."""


class Policy:
    def evict(self, pages, count):
        return pages[:count]  # they come with the oldest first
