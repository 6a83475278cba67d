"""The rows about programs: TLB misses, faults, fork and whole programs on the emulated CPU."""

import base64
import os
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from bench import qiling_peer
from bench.build import COALMM, OUTPUT, program
from bench.result import Result
from bench.rows import Row, Sizes
from bench.runner import Rounds, Side, median_of, native, ours, ratio_of

SHORT_ROUNDS = 15  # of what takes a twentieth of a second
FORK_PAGES = 16_384  # 64 MiB
SQL = (
    "create table t(a, b); with recursive c(x) as (select 1 union all select x + 1 from c where x < {count}) "
    "insert into t select x, x * 7 from c; select count(*) from t;"
)


@dataclass(frozen=True)
class Work:
    """How much the programs do."""

    touched: int
    hashed: int  # bytes
    packed: int  # bytes
    inserts: int
    summed: int


WORK = {
    "full": Work(65_536, 50_000_000, 10_000_000, 100_000, 10**6),
    "quick": Work(65_536, 20_000_000, 3_000_000, 30_000, 3 * 10**5),
    "tiny": Work(2048, 200_000, 50_000, 300, 10**3),
}


def input_file(name: str, size: int, text: bool) -> Path:
    """Random bytes, or text made of them; the same each time."""
    path = OUTPUT / f"{name}-{size}"
    if not path.exists() or path.stat().st_size != size:
        content = random.Random(size).randbytes(size)
        path.write_bytes(base64.b64encode(content)[:size] if text else content)
    return path


def commands(work: Work) -> dict[str, list[str]]:
    """The programs of the table, as command lines with full paths; an empty one for what the machine has not."""
    wanted = {
        f"sha256sum of {work.hashed // 10**6} MB": ["sha256sum", str(input_file("random", work.hashed, False))],
        f"gzip of {work.packed // 10**6} MB": ["gzip", "-c", str(input_file("text", work.packed, True))],
        f"sqlite3, {work.inserts:,} inserts": ["sqlite3", ":memory:", SQL.format(count=work.inserts)],
        f"CPython sum(range({work.summed:,}))": ["python3", "-S", "-c", f"print(sum(range({work.summed})))"],
    }
    found = {}
    for what, (name, *arguments) in wanted.items():
        path = shutil.which(name, path="/usr/bin:/bin")
        found[what] = [os.path.realpath(path), *arguments] if path else []
    return found


def tlb_row(work: Work, sizes: Sizes) -> Row:
    def conclude(rounds: Rounds) -> list[Result]:
        miss = ratio_of(rounds, ("coalmm", "again_ns"), ("bare", "again_ns"))
        fault = ratio_of(rounds, ("coalmm", "warm_ns"), ("native", "warm_ns"))
        times = [median_of(rounds, side, "again_ns") for side in ("coalmm", "bare")]
        figures = "{:.0f} against {:.0f} ns, the loop of stores around it included".format(*times)
        zero = [median_of(rounds, side, "warm_ns") for side in ("coalmm", "native")]
        what = "TLB miss of a present page, against a hook in C that answers at once"
        return [
            Result("tlb", what, miss, 2.5, 1.3, figures),
            Result(
                "tlb",
                "demand-zero fault of a running program, against the host's first touch",
                fault,
                1.0,
                0.4,
                "{:.0f} against {:.0f} ns a page".format(*zero),
            ),
        ]

    guest = str(program("guest"))
    sides = {
        "coalmm": ours("program", "1G", guest, "touch", work.touched, 5),
        "bare": ours("minimal", work.touched, 5),
        "native": native("guest", "touch", work.touched, 5),
    }
    return Row("tlb", sides, min(sizes.rounds, 5), conclude)


def fork_row(work: Work, sizes: Sizes) -> Row:
    pages = min(FORK_PAGES, work.touched)

    def conclude(rounds: Rounds) -> list[Result]:
        ratio = ratio_of(rounds, ("coalmm", "fork_ns"), ("native", "fork_ns"))
        times = [median_of(rounds, side, "fork_ns") / 1e6 for side in ("coalmm", "native")]
        what = f"fork and copy-on-write of {pages * 4096 >> 20} MiB by a program, against the host"
        return [Result("fork", what, ratio, 5.0, 1.0, "{:.1f} against {:.1f} ms".format(*times))]

    sides = {
        "coalmm": ours("program", "1G", str(program("guest")), "fork", pages),
        "native": native("guest", "fork", pages),
    }
    return Row("fork", sides, min(sizes.rounds, 5), conclude)


def program_row(what: str, command: list[str], trial: list[str], sizes: Sizes) -> Row:
    """`trial` is the same program with little to do."""
    qemu = shutil.which("qemu-x86_64")
    no_qiling = qiling_peer.why_not(trial)

    def against_qiling(rounds: Rounds) -> Result:
        name = f"{what}, whole process, against Qiling"
        if no_qiling:
            return Result("programs", name, None, None, None, no_qiling)
        whole = ratio_of(rounds, ("run", "seconds"), ("qiling", "seconds"))
        sides = [median_of(rounds, side, "seconds") for side in ("run", "qiling")]
        return Result("programs", name, whole, None, None, "{:.2f} against {:.2f} s of processor time".format(*sides))

    def conclude(rounds: Rounds) -> list[Result]:
        ratio = median_of(rounds, "coalmm", "ratio")
        times = [median_of(rounds, "coalmm", name) for name in ("coalmm_s", "bare_s")]
        figures = "{:.2f} against {:.2f} s of emulation".format(*times)
        results = [Result("programs", f"{what}, against a bare emulator", ratio, 1.3, 1.1, figures)]
        name = f"{what}, whole process, against qemu-x86_64"
        if not qemu:
            missing = "qemu-x86_64 is not installed: apt-get install qemu-user"
            return [*results, Result("programs", name, None, None, 3.0, missing), against_qiling(rounds)]
        whole = ratio_of(rounds, ("run", "seconds"), ("qemu", "seconds"))
        sides = [median_of(rounds, side, "seconds") for side in ("run", "qemu", "native")]
        figures = "{:.2f} against {:.2f} s of processor time; native {:.2f} s".format(*sides)
        return [*results, Result("programs", name, whole, None, 3.0, figures), against_qiling(rounds)]

    sides = {"coalmm": ours("bare", *command), "run": coalmm_run(command), "native": ours("timed", *command)}
    if qemu:
        sides["qemu"] = ours("timed", qemu, *command)
    if not no_qiling:
        sides["qiling"] = ours("timed", *qiling_peer.command(command))
    return Row("programs", sides, min(sizes.rounds, 3), conclude)


def missing_row(what: str) -> Row:
    """The line of a program that this machine has not."""
    result = Result("programs", f"{what}, against a bare emulator", None, 1.3, 1.1, "the program is not installed")
    return Row("programs", {}, 0, lambda rounds: [result])


def coalmm_run(command: list[str]) -> Side:
    """The whole process of `coalmm run`, timed from outside. The command is what pip puts into the script `coalmm`."""
    side = ours("timed", sys.executable, "-c", "from coalmm.__main__ import entry; entry()", "run", "--", *command)
    return Side(side.command, {**side.environment, "PYTHONPATH_RUN": str(COALMM)})


def start_row(sizes: Sizes) -> Row:
    def conclude(rounds: Rounds) -> list[Result]:
        ratio = ratio_of(rounds, ("coalmm", "seconds"), ("python", "seconds"))
        times = [median_of(rounds, side, "seconds") * 1000 for side in ("coalmm", "python")]
        what = "coalmm run -- /bin/true, whole process, against python3 -c ''"
        return [Result("start", what, ratio, 6.0, 2.5, "{:.0f} against {:.0f} ms of processor time".format(*times))]

    sides = {"coalmm": coalmm_run(["/bin/true"]), "python": ours("timed", sys.executable, "-c", "")}
    return Row("start", sides, max(sizes.rounds, SHORT_ROUNDS), conclude)


def program_rows(size: str, sizes: Sizes) -> list[Row]:
    """Every row about programs."""
    work = WORK[size]
    trials = commands(WORK["tiny"]).values()
    programs = [
        program_row(what, command, trial, sizes) if command else missing_row(what)
        for (what, command), trial in zip(commands(work).items(), trials, strict=True)
    ]
    return [tlb_row(work, sizes), fork_row(work, sizes), *programs, start_row(sizes)]
