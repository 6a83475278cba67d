"""32-bit programs of Debian, dynamically linked, in a root of their own: as they run natively in a chroot."""

import os
import subprocess

import pytest
from guests import run_natively, run_on_ours

from debian import i386_root

PYTHON = """
import threading
total = []
threads = [threading.Thread(target=lambda n=n: total.append(sum(range(10**4 * n)))) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sum(total), 2**100, 1/3, hash('coal') % 1, sum(range(10**5)))
"""
PERL = r"""
pipe R, W; unless (my $p = fork) { print W join ",", sort { $a <=> $b } map { $_ * 7919 % 101 } 1 .. 40; exit 3 }
close W; print <R>, "\n"; wait; print $? >> 8, " ", exp 1, " ", 2**52 + 1, " ", sprintf("%.17g", atan2(1, 1)), "\n";
"""
FILES = "cd $(mktemp -d); seq 3000 >a; split -n3 a; cat x?? | sha256sum; mv a b; wc b; stat -c %s%A b; rm -r $PWD"
SQL = "create table t(a); with recursive n(x) as (select 1 union all select x+1 from n where x<500) "
PROGRAMS = {
    "ls": ["/bin/ls", "-ln", "/usr/bin"],
    "recursive ls": ["/bin/ls", "-R", "/etc", "/lib"],
    "bash": ["/bin/bash", "-c", "for i in 1 2 3; do echo $i; done | sort -r | head -1"],
    "dash": ["/bin/dash", "-c", "i=0; while [ $i -lt 50 ]; do i=$((i+1)); done; echo $i $0; (exit 3); echo $?"],
    "traps": ["/bin/bash", "-c", "trap 'echo usr1' USR1; kill -USR1 $$; kill -SEGV $BASHPID"],
    "files": ["/bin/bash", "-c", FILES],
    "numbers": ["/bin/bash", "-c", "factor 4294967297; seq 1 .5 2; printf '%.20Lf\n' .1; expr 65535 \\* 65539"],
    "python3": ["/usr/bin/python3", "-S", "-c", PYTHON],
    "perl": ["/bin/bash", "-c", f"perl <<'END'\n{PERL}\nEND"],  # with -e it wants a /dev/null
    "sqlite3": ["/usr/bin/sqlite3", ":memory:", SQL + "insert into t select x*x from n; select sum(a), avg(a) from t;"],
    "a message for no file": ["/bin/cat", "/nowhere"],
    "a program that is not there": ["/bin/bash", "-c", "/bin/nothing"],
}


@pytest.fixture(scope="module")
def root():
    return i386_root()


def in_chroot(root, argv):
    """What the host's kernel makes of it."""
    change = ["/usr/sbin/chroot", str(root)]
    if os.getuid() != 0:
        change = ["unshare", "--map-root-user", *change]
    if subprocess.run([*change, "/bin/true"], capture_output=True).returncode:
        pytest.skip("no right to chroot here")
    return run_natively([*change, *argv])


@pytest.mark.parametrize("paging", ["i386", "pae"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_dynamic_32_bit_program_does_what_it_does_on_linux(root, name, paging):
    native = in_chroot(root, PROGRAMS[name])
    ours = run_on_ours(PROGRAMS[name], root=str(root), paging=paging)
    assert not ours.oopses, ours.oopses
    assert ours.outcome == native, ours.crashes
