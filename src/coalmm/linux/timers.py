"""ITIMER_REAL, ITIMER_VIRTUAL and ITIMER_PROF of a process, and alarm(2), which is the first of them."""

REAL, VIRTUAL, PROF = 0, 1, 2


class Timer:
    """When it goes off next (seconds on its clock; None: it is off), and how often after that."""

    def __init__(self) -> None:
        self.deadline: float | None = None
        self.interval = 0.0

    def left(self, now: float) -> float:
        """Seconds until it goes off; 0 for one that is off."""
        return 0.0 if self.deadline is None else max(self.deadline - now, 1e-6)

    def expire(self, now: float) -> bool:
        """Whether it has gone off by now; then it is set again, or off."""
        if self.deadline is None or now < self.deadline:
            return False
        self.deadline = max(self.deadline + self.interval, now) if self.interval else None
        return True


class Timers:
    """The three timers of a process."""

    def __init__(self) -> None:
        self.timers = (Timer(), Timer(), Timer())

    def __getitem__(self, which: int) -> Timer:
        return self.timers[which]

    @property
    def is_any_set(self) -> bool:
        """Whether one of them will go off."""
        return any(timer.deadline is not None for timer in self.timers)
