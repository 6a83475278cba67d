"""One run of `coalmm run`: signals of the terminal, the time limit, the report, the exit status."""

from __future__ import annotations

import os
import sys
import time

from coalmm.errors import lower_first
from coalmm.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import signal
    from types import FrameType

    from click import UsageError

    from coalmm.kernel import Kernel
else:
    import _signal as signal  # without the enumerations, which take longer to make than a small program runs

SIGNALLED = 128  # exit status of a program that signal N ended: 128 + N, as shells have it
TIMED_OUT = 124  # as timeout(1)
FORWARDED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)
ENOUGH, PATIENCE = 3, 2.0  # so many Ctrl-C in so many seconds end a run whose program does not
FORMS = (".txt", ".json", ".html")


def bad_option(option: str, why: str) -> UsageError:
    """What is raised for an option whose value cannot be."""
    from click import BadParameter

    return BadParameter(why, param_hint=option)


def report_form(path: str | None) -> str:
    """What `--report` asks for: a suffix, "" without it. UsageError for another one, or a file that cannot be made."""
    if path is None:
        return ""
    form = ".txt" if path == "-" else os.path.splitext(path)[1].lower()
    if form not in FORMS:
        raise bad_option("--report", f"{path}: the name must end in {', '.join(FORMS[:-1])} or {FORMS[-1]}")
    if path != "-":
        try:
            open(path, "a").close()
        except OSError as error:
            raise bad_option("--report", f"{path}: {lower_first(error.strerror or '')}") from None
    return form


class Session:
    """A program on a machine, from the command line."""

    def __init__(
        self, kernel: Kernel, timeout: float | None, report: str | None, form: str, quiet: bool, trace: bool
    ) -> None:
        self.kernel = kernel
        self.timeout = timeout
        self.report = report
        self.form = form
        self.quiet = quiet
        self.system = kernel.linux()
        if trace:
            from coalmm.linux.trace import TracingDispatcher

            self.system.dispatcher = TracingDispatcher(self.system, sys.stderr.write)
        self.timed_out = self.abandoned = False
        self.interrupts: list[float] = []
        self.result: dict[str, Any] | None = None

    def spawn(self, argv: list[str], path: bytes, environment: dict[str, str], cwd: str) -> None:
        """Load the program. OSError as execve has it."""
        environ = [os.fsencode(f"{name}={value}") for name, value in environment.items()]
        arguments = [os.fsencode(text) for text in argv]
        self.group = self.system.spawn(arguments, environ, os.fsencode(cwd), path).group

    def go(self) -> int:
        """Run the program and report; the exit status. The machine is gone then, and the terminal as it was."""
        with self.kernel:
            self.run(self.timeout)
            if self.report is not None or not self.quiet:
                self.results()
        if self.report is not None:
            self.write_report(self.report, self.form)
        elif not self.quiet:
            sys.stderr.write(self.report_text(sys.stderr.isatty()))
        return self.exit_status

    def run(self, timeout: float | None) -> None:
        """Run until all processes have ended, the time is over, or the user insists. Signals go to the program."""
        before = {number: signal.signal(number, self.forward) for number in FORWARDED}
        try:
            ended = self.system.run(timeout, ends=True)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        self.timed_out = not ended and not self.abandoned

    def forward(self, number: int, frame: FrameType | None) -> None:
        """A signal for coalmm is one for the program; the third Ctrl-C in a short time ends the run."""
        self.system.interrupt(number)
        now = time.monotonic()
        self.interrupts = [*(at for at in self.interrupts if now - at < PATIENCE), now]
        if len(self.interrupts) >= ENOUGH:
            self.abandoned = True
            self.system.stop()

    @property
    def exit_status(self) -> int:
        """What coalmm exits with."""
        if self.timed_out:
            return TIMED_OUT
        status = signal.SIGINT if self.abandoned else self.group.status or 0
        return SIGNALLED + (status & 0x7F) if status & 0x7F else status >> 8

    def results(self) -> dict[str, Any]:
        """The report as a dict."""
        from coalmm.linux.report.result import result_of

        if self.result is None:
            self.result = result_of(self.kernel.recorder, self.timed_out)
        return self.result

    def report_text(self, colour: bool = False) -> str:
        """The report for a terminal."""
        from coalmm.linux.report.text import report_text

        return report_text(self.results(), colour)

    def write_report(self, path: str, form: str) -> None:
        """Write the report. OSError."""
        if path == "-":
            sys.stderr.write(self.report_text())
            return
        if form == ".json":
            import json

            text = json.dumps(self.results(), indent=1) + "\n"
        elif form == ".html":
            from coalmm.linux.report.page import report_page

            text = report_page(self.results())
        else:
            text = self.report_text()
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
