"""Programs of the machine, run natively and on ours: equal output and status."""

import pytest
from guests import assert_same, needs

SHELL = {
    "pipes": "seq 1 1000 | sort -rn | head -3 | tr '\\n' ' '; cat <(echo one) <(echo two); echo ${PIPESTATUS[@]}",
    "traps": "trap 'echo usr1' USR1; trap 'echo exit' EXIT; kill -USR1 $$; sleep 0.1 & wait; echo done",
    "jobs": "set -m; sleep 0.3 & kill %1; wait %1; echo $?; (sleep 0.1; exit 7) & wait $!; echo $?",
    "stopped job": "set -m; sleep 0.3 & kill -STOP %1; sleep 0.1; jobs; kill -CONT %1; fg %1 >/dev/null; echo $?",
    "timeout": "timeout 0.2 sleep 3; echo $?",
    "text tools": "seq 1 200 | sed -n '/7$/{s/7/X/g;p}' | grep -n 1X | awk '{s+=$1} END{print s}'; factor 90",
    "compression": "seq 5000 | gzip -9 | gzip -d | md5sum; seq 5000 | xz -0 -T2 | xz -d | md5sum",
    "here": "read -r a b <<< 'p q r'; echo $b; declare -A m; m[k]=v; echo ${m[k]}; [[ abc =~ b. ]]; echo $?",
}
PYTHON = {
    "sum": "print(sum(range(10**5)))",
    "subprocess": "import subprocess as s; print(s.getoutput('seq 5|tail -1'), s.run('false').returncode)",
    "threads": """
import threading, queue
q, out = queue.Queue(), []
def work():
    while (x := q.get()) is not None:
        out.append(x * x)
threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads]; [q.put(i) for i in range(200)]; [q.put(None) for _ in threads]
[t.join() for t in threads]
print(sum(out))
""",
    "multiprocessing": """
import multiprocessing as m
def f(x): return x * x
with m.Pool(2) as pool: print(pool.map(f, range(10)))
""",
    "signal": """
import signal, os
signal.signal(signal.SIGALRM, lambda s, f: print('signal', s))
signal.setitimer(signal.ITIMER_REAL, 0.05); signal.pause()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); os.kill(os.getpid(), signal.SIGUSR2)
print(signal.sigwait([signal.SIGUSR2]))
""",
    "mmap": """
import mmap, os
m = mmap.mmap(-1, 8192); m[:5] = b'hello'
if not (pid := os.fork()): m[:5] = b'child'; os._exit(0)
os.waitpid(pid, 0); print(m[:5])
""",
}
OTHERS = {
    "dash": ["/bin/dash", "-c", "i=0; while [ $i -lt 50 ]; do i=$((i+1)); done; echo $i; (exit 3); echo $?"],
    "perl": ["/usr/bin/perl", "-e", "$p = fork; exit 3 unless $p; waitpid $p, 0; print $? >> 8, exp 1"],
    "sqlite3": [
        "/usr/bin/sqlite3",
        ":memory:",
        "create table t(a); insert into t values(1),(2),(4); select sum(a), avg(a) from t;",
    ],
    "compiler": ["/bin/sh", "-c", "cd /tmp; echo 'int main(){return 3;}' >q.c; gcc q.c -o q && ./q; echo $?"],
    "bc": ["/bin/sh", "-c", "echo 'scale=30; 4*a(1)' | bc -lq"],
}


@pytest.mark.parametrize("name", SHELL)
def test_bash_does_what_it_does_on_linux(name):
    needs("/bin/bash")
    assert_same(["/bin/bash", "-c", SHELL[name]])


@pytest.mark.parametrize("name", PYTHON)
def test_python_does_what_it_does_on_linux(name):
    needs("/usr/bin/python3")
    assert_same(["/usr/bin/python3", "-c", PYTHON[name]])


@pytest.mark.parametrize("name", OTHERS)
def test_programs_do_what_they_do_on_linux(name):
    needs(OTHERS[name][0])
    assert_same(OTHERS[name])


def test_waiting_costs_no_processor_time():
    ours = assert_same(["/bin/sleep", "1"])
    assert ours.idle > 0.6  # of the second; the rest is the start of the program
