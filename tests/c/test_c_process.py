"""The library in a process: which Python it finds, beside a Python that is there, after fork, and its images."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from c_programs import compile_c, needs_library, run

import coalmm
import coalmm.c
from machines import LIBRARIES, PAGING, PROJECT

pytestmark = needs_library

SAVES = """
    #include <coalmm.h>
    #include <stdio.h>
    #include <string.h>
    int main(void)
    {
        char *text = kmalloc(100);
        strcpy(text, "left by C");
        void **list = kmalloc(64);
        *list = text;
        pid_t pid = coalmm_process_create("saved");
        coalmm_process_switch(pid);
        intptr_t user = coalmm_process_map(pid, 0, 4096, "rw");
        copy_to_user((void *)user, "user", 5);
        mem_enable_tracking();
        kmalloc(33);
        printf("%p %zd\\n", (void *)text, user);
        return coalmm_save("machine.coal");
    }
"""


def write(folder, text):
    path = folder / "program.c"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("paging", PAGING)
def test_an_image_of_a_c_machine_is_attached_with_cs_addresses(tmp_path, monkeypatch, paging):
    monkeypatch.chdir(tmp_path)
    text = SAVES.replace("char *text", f'coalmm_boot("ram=8M paging={paging}");\n        char *text')
    done = run(compile_c(write(tmp_path, text), tmp_path / "program"))
    assert done.returncode == 0, done.stderr
    pointer, user = done.stdout.split()
    with coalmm.attach("machine.coal") as kernel:
        assert kernel.memory.read(int(pointer, 16), 10) == b"left by C\0"
        assert kernel.kmalloc_size(int(pointer, 16)) >= 100
        assert kernel.processes.find(1).read(int(user), 4) == b"user"
        (leak,) = kernel.tracking.live()
        assert leak.size == 33 and leak.site.startswith(str(tmp_path / "program+0x"))
        kernel.kfree(int(pointer, 16))
        kernel.validate()


def test_a_damaged_kernel_base_is_refused(tmp_path):
    with coalmm.boot(ram="4M") as kernel:
        kernel.save(tmp_path / "good.coal")
    data = (tmp_path / "good.coal").read_bytes()
    for base in (0, 1, 0xC0000800, (1 << 64) - 4096, 0xC0100000):
        (tmp_path / "bad.coal").write_bytes(data[:32] + base.to_bytes(8, "little") + data[40:])
        with pytest.raises(coalmm.BadImageError):
            coalmm.attach(tmp_path / "bad.coal")


def test_a_forked_child_is_told_that_it_has_no_machine(tmp_path):
    source = write(tmp_path, """
        #include <coalmm.h>
        #include <stdio.h>
        #include <sys/wait.h>
        #include <unistd.h>
        static void say(const coalmm_report_t *report, void *context)
        {
            (void)context;
            printf("%s: %s\\n", report->function, report->message);
            fflush(stdout);
        }
        int main(void)
        {
            coalmm_set_hook(say, NULL);
            char *text = kmalloc(10);
            text[0] = 'p';
            if (fork() == 0) {
                kfree(text);
                _exit(kmalloc(10) != NULL || frame_alloc() != 0 || krealloc(text, 20) != NULL);
            }
            int status;
            wait(&status);
            printf("%d %c %d\\n", status, text[0], coalmm_validate());
            kfree(text);
        }
    """)
    lines = run(compile_c(source, tmp_path / "program")).stdout.splitlines()
    assert lines[:4] == [
        f"{name}: this process was forked: the machine is its parent's"
        for name in ("kfree", "kmalloc", "frame_alloc", "krealloc")
    ]
    assert lines[4] == "0 p 0"


def test_a_program_that_was_not_linked_with_it_can_load_it(tmp_path):
    source = write(tmp_path, """
        #include <dlfcn.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        int main(int argc, char **argv)
        {
            void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
            if (library == NULL) return puts(dlerror()), 1;
            void *(*allocate)(size_t) = (void *(*)(size_t))(uintptr_t)dlsym(library, "kmalloc");
            strcpy(allocate(20), "loaded");
            return 0;
        }
    """.replace("#include <stdio.h>", "#include <stdint.h>\n#include <stdio.h>"))
    done = run(compile_c(source, tmp_path / "program", libs=()), coalmm.c.LIBRARY)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment with coalmm in its site-packages, as pip puts it there, that finds what coalmm needs elsewhere."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    packages = next(folder.glob("lib/python3*/site-packages"))
    keep = shutil.ignore_patterns("__pycache__", "cpython-*")
    shutil.copytree(LIBRARIES["compiled"] / "coalmm", packages / "coalmm", ignore=keep)
    shutil.copytree(coalmm.c.LIBRARY_FOLDER, packages / "coalmm" / "c" / coalmm.c.LIBRARY_FOLDER.name)
    (packages / "needs.pth").write_text("\n".join(path for path in sys.path if "site-packages" in path))
    pkg_config = folder / "lib" / "pkgconfig"
    pkg_config.mkdir()
    shutil.copy(PROJECT / "build" / sys.implementation.cache_tag / "coalmm.pc", pkg_config)
    return folder


def test_an_installed_library_runs_the_python_that_it_is_installed_in(installed, tmp_path):
    source = write(tmp_path, """
        #include <coalmm.h>
        #include <stdio.h>
        #include <string.h>
        int main(void)
        {
            FILE *maps = fopen("/proc/self/maps", "r");
            kfree(kmalloc(1));
            for (char line[512]; fgets(line, sizeof line, maps); )
                if (strstr(line, "/coalmm/")) fputs(line, stdout);
        }
    """)
    folder = installed / "lib" / "pkgconfig"
    flags = run("pkg-config", "--cflags", "--libs", "coalmm", PKG_CONFIG_PATH=folder).stdout.split()
    target = tmp_path / "program"
    subprocess.run(["gcc", "-o", target, source, *flags], check=True)
    lines = run(target).stdout.splitlines()
    assert lines and all(str(installed.resolve()) in line for line in lines)
    assert any("fast_path" in line for line in lines)


BESIDE = """
import ctypes, sys
import coalmm, coalmm.c
own = coalmm.boot(ram="4M")
mine = own.kmalloc(10)
library = ctypes.CDLL(str(coalmm.c.LIBRARY))
library.kmalloc.restype = ctypes.c_void_p
library.kfree.argtypes = [ctypes.c_void_p]
assert library.coalmm_boot(b"ram=8M track") == 0
c = coalmm.current.get()
assert c is not own and c.kernel_base == 0xC0000000
pointer = library.kmalloc(100)
ctypes.memset(pointer, 7, 100)
assert c.memory.read(pointer, 100) == bytes([7]) * 100
assert [leak.site for leak in c.tracking.live()] == ["<string>:12"]
c.kfree(pointer)
own.kfree(mine)
HOOK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
told = []
hook = HOOK(lambda report, context: told.append(report))
library.coalmm_set_hook(hook, None)
library.kfree(pointer)
assert len(told) == 1
def interrupt():
    raise KeyboardInterrupt
c.tracking.caller = interrupt
try:
    library.kmalloc(100)
    sum(range(100000))
except KeyboardInterrupt:
    library.coalmm_error.restype = ctypes.c_char_p
    assert library.coalmm_error() == b"kmalloc: interrupted" and len(told) == 1
else:
    raise AssertionError("Ctrl-C was lost")
views = c.ram.bytes, c.ram.words
library.coalmm_shutdown()
assert views[0][0] == 0xA9 and coalmm.current.get() is None
print("done")
"""


def test_python_that_loads_it_shares_the_machine(tmp_path):
    done = run(sys.executable, "-c", BESIDE, PYTHONPATH=LIBRARIES["compiled"])
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_c_code_that_runs_after_pythons_end_can_call_nothing(tmp_path):
    source = write(tmp_path, """
        #include <coalmm.h>
        #include <stdio.h>
        static void *memory;
        void start(void) { memory = kmalloc(10); }
        __attribute__((destructor)) static void last(void)
        {
            kfree(memory);
            printf("%p %s\\n", kmalloc(10), coalmm_error());
        }
    """)
    library = compile_c(source, tmp_path / "late.so", "-shared", "-fPIC")
    code = f"import ctypes, coalmm; ctypes.CDLL({str(library)!r}).start()"
    done = run(sys.executable, "-c", code, PYTHONPATH=LIBRARIES["compiled"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "(nil) kmalloc: Python has ended\n", "")


def test_python_with_the_interpreted_modules_is_refused(tmp_path):
    code = "import ctypes, coalmm.c; print(ctypes.CDLL(str(coalmm.c.LIBRARY)).coalmm_boot(None))"
    done = run(sys.executable, "-c", code, PYTHONPATH=LIBRARIES["compiled"], COALMM_MODE="interpreted")
    assert done.stdout == "-8\n" and "needs coalmm's compiled modules" in done.stderr


def test_the_config_command_says_what_is_missing(tmp_path):
    shutil.copytree(PROJECT / "src" / "coalmm", tmp_path / "coalmm")
    done = run(sys.executable, "-m", "coalmm.c.config", "--libs", PYTHONPATH=tmp_path)
    assert done.returncode == 1 and "install it again" in done.stderr and len(done.stderr.splitlines()) == 1
    done = run(sys.executable, "-m", "coalmm.c.config", "--static", PYTHONPATH=LIBRARIES["compiled"])
    assert done.returncode == 2 and "nothing to print" in done.stderr


def test_the_sources_of_the_library_are_not_in_the_way(tmp_path):
    assert [path.name for path in Path(coalmm.c.INCLUDE_FOLDER).iterdir()] == ["coalmm.h"]
