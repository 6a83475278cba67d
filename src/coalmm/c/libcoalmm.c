/* libcoalmm.so: the functions of coalmm.h, in front of the compiled modules of coalmm.
 *
 *     kmalloc(64) --> the fast path, compiled from heap/fast_path.py
 *                 \-> allocate() --> allocators.pyx: kmalloc, without Python's lock too
 *     mem_dump(p) --> call() --> calls.py, by the name of the function, with Python's lock
 *
 * It is not linked with Python and names none of its symbols, so that any program can link or load it: the
 * interpreter is the one that is in the process already, that the program was linked with (a Python without
 * a shared library), or libpython, which coalmm_boot loads.
 */
#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include <Python.h> /* for the layout of PyConfig; every function is looked up by name */

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>

#include "coalmm.h"
#include "lock.h"

#define EXPORTED __attribute__((visibility("default")))
#define INTERRUPTED 6 /* kind of a report: Ctrl-C came while Python ran */
#define CALLER __builtin_return_address(0)
#define CALL(...) call(__func__, CALLER, (uint64_t[5]){__VA_ARGS__})
#define ALLOCATOR(name, first, second) allocate(#name, CALLER, &binding.name, first, second)

typedef uint64_t allocator(uint64_t, uint64_t);

/* What calls.py fills in, which has the same structure. */
struct binding {
    uint64_t (*dispatch)(const char *name, const uint64_t *arguments); /* takes the GIL by itself */
    uint64_t ended;         /* Python has: nothing can be called any more */
    uint64_t base, size;    /* where RAM is mapped, and how much of it; 0 without a machine */
    /* A report by the call that runs, for `call`: */
    const void *caller;     /* the return address of the call, for tracking */
    uint64_t kind, address; /* 0: nothing to report */
    char message[1024];
    char error[1024];       /* why a call failed */
    /* The functions of allocators.pyx; all NULL without a machine. The first ones take `fast`. */
    void *fast;
    uint64_t (*fast_kmalloc)(void *fast, uint64_t size);
    int (*fast_kfree)(void *fast, uint64_t pointer);
    uint64_t (*fast_rounded)(void *fast, uint64_t size), (*fast_room)(void *fast, uint64_t pointer);
    uint64_t (*refused)(const char *function, uint64_t first, uint64_t second);
    allocator *kmalloc, *kfree, *kzalloc, *kmalloc_aligned, *krealloc, *kmalloc_size, *slab_alloc, *slab_free,
        *buddy_alloc, *buddy_free, *frame_alloc, *frame_free;
};
EXPORTED struct binding coalmm_binding;
extern struct binding binding __attribute__((alias("coalmm_binding"), visibility("hidden")));

static coalmm_hook_t hook;
static void *hook_context;
static bool forked; /* this process has no machine: it is the child of one that had */
static _Thread_local char error_text[sizeof binding.error];

static int start(void);
static void meet_thread(void);

/* Tell the hook what a call was refused for; called without the lock. */
static void report(const char *function, uint64_t kind, uint64_t address, const char *message)
{
    coalmm_report_t what = {(enum coalmm_kind)kind, address, function, message};
    if (message != error_text)
        snprintf(error_text, sizeof error_text, "%s: %s", function, message);
    if (hook != NULL) {
        hook(&what, hook_context);
        return;
    }
    fflush(stdout);
    fprintf(stderr, "coalmm: %s: %s\n", function, message);
    abort();
}

/* Before a call: take the lock, see to it that there is Python, and let `binding.caller` say who calls. False if
 * nothing can be called. `*outer` is for `leave`: a callback of the program may call too. */
static bool enter(const char *function, const void *caller, const void **outer)
{
    if (forked) {
        report(function, COALMM_INTERNAL, 0, "this process was forked: the machine is its parent's");
        return false;
    }
    if (binding.ended) { /* as when a destructor of the program runs last: its memory is going anyway */
        snprintf(error_text, sizeof error_text, "%s: Python has ended", function);
        return false;
    }
    lock();
    if (start() != 0) {
        unlock();
        report(function, COALMM_INTERNAL, 0, error_text);
        return false;
    }
    *outer = binding.caller;
    binding.caller = caller;
    return true;
}

/* Take over what the call that runs has to report, and let go of the lock; then report it. */
static __attribute__((noinline)) void leave_with_report(const char *function, const void *outer)
{
    char message[sizeof binding.message];
    uint64_t kind = binding.kind, address = binding.address;
    memcpy(message, binding.message, sizeof message);
    if (binding.error[0] != 0)
        memcpy(error_text, binding.error, sizeof error_text);
    binding.kind = binding.error[0] = 0;
    binding.caller = outer;
    unlock();
    if (kind == INTERRUPTED) {
        snprintf(error_text, sizeof error_text, "%s: interrupted", function);
        raise(SIGINT);
    } else if (kind != 0)
        report(function, kind, address, message);
}

/* After a call. */
static void leave(const char *function, const void *outer)
{
    if (binding.kind != 0 || binding.error[0] != 0) {
        leave_with_report(function, outer);
        return;
    }
    binding.caller = outer;
    unlock();
}

/* Call a function of calls.py. */
static __attribute__((noinline)) uint64_t call(const char *function, const void *caller, const uint64_t *arguments)
{
    const void *outer;
    if (!enter(function, caller, &outer))
        return 0;
    uint64_t result = binding.dispatch(function, arguments);
    leave(function, outer);
    return result;
}

/* Call the function `*direct` of allocators.pyx; the first call boots a machine. */
static __attribute__((noinline)) uint64_t allocate(const char *function, const void *caller, allocator **direct,
                                                   uint64_t first, uint64_t second)
{
    const void *outer;
    if (!enter(function, caller, &outer))
        return 0;
    meet_thread();
    if (*direct == NULL)
        binding.dispatch("coalmm_boot", (uint64_t[5]){0});
    uint64_t result = *direct != NULL ? (*direct)(first, second) : 0;
    if (result == 0 && binding.refused != NULL)
        binding.refused(function, first, second);
    leave(function, outer);
    return result;
}

/* A call whose result is text from malloc: print it, with what the program itself has printed in order. */
static void print(const char *function, const void *caller, uint64_t address, uint64_t size)
{
    char *text = (char *)call(function, caller, (uint64_t[5]){address, size});
    if (text != NULL)
        fputs(text, stdout);
    free(text);
}

/* ---- the document ---- */

uintptr_t frame_alloc(void) { return ALLOCATOR(frame_alloc, 0, 0); }
void frame_free(uintptr_t frame) { ALLOCATOR(frame_free, frame, 0); }
size_t frame_get_total_memory(void) { return CALL(0); }
size_t frame_get_free_memory(void) { return CALL(0); }
void frame_get_stats(frame_stats_t *stats) { CALL((uint64_t)stats); }

int paging_map_page(uintptr_t vaddr, uintptr_t paddr, uint32_t flags) { return (int)CALL(vaddr, paddr, flags); }
int paging_map_page64(uintptr_t vaddr, uintptr_t paddr, uint64_t flags) { return (int)CALL(vaddr, paddr, flags); }
void paging_unmap_page(uintptr_t vaddr) { CALL(vaddr); }
uintptr_t paging_get_physical(uintptr_t vaddr) { return CALL(vaddr); }
page_directory_t *paging_create_directory(void) { return (page_directory_t *)CALL(0); }
page_directory_t *paging_clone_directory(page_directory_t *src) { return (page_directory_t *)CALL((uint64_t)src); }
void paging_free_directory(page_directory_t *dir) { CALL((uint64_t)dir); }
void paging_switch_directory(page_directory_t *dir) { CALL((uint64_t)dir); }

void buddy_init(void *start, size_t size) { CALL((uint64_t)start, size); }
void *buddy_alloc(size_t size) { return (void *)ALLOCATOR(buddy_alloc, size, 0); }
void buddy_free(void *ptr) { ALLOCATOR(buddy_free, (uint64_t)ptr, 0); }
void buddy_get_stats(buddy_stats_t *stats) { CALL((uint64_t)stats); }

slab_cache_t *slab_cache_create(const char *name, size_t size, size_t align, void (*ctor)(void *),
                                void (*dtor)(void *))
{
    return (slab_cache_t *)CALL((uint64_t)name, size, align, (uint64_t)ctor, (uint64_t)dtor);
}
void slab_cache_destroy(slab_cache_t *cache) { CALL((uint64_t)cache); }
void *slab_alloc(slab_cache_t *cache) { return (void *)ALLOCATOR(slab_alloc, (uint64_t)cache, 0); }
void slab_free(slab_cache_t *cache, void *ptr) { ALLOCATOR(slab_free, (uint64_t)cache, (uint64_t)ptr); }
size_t slab_shrink_caches(void) { return CALL(0); }

/* The fast paths: the address, or whether the object was freed; 0 sends to the slow path. A forked child finds no
 * machine in them. The functions with a lock stand apart: in a process with one thread they would only be in the way. */
static inline uint64_t fast_kmalloc(size_t size)
{
    return binding.fast_kmalloc != NULL ? binding.fast_kmalloc(binding.fast, size) : 0;
}

static inline bool fast_kfree(void *ptr)
{
    return binding.fast_kfree != NULL && binding.fast_kfree(binding.fast, (uint64_t)ptr);
}

static __attribute__((noinline)) uint64_t locked_kmalloc(size_t size)
{
    lock();
    uint64_t address = fast_kmalloc(size);
    unlock();
    return address;
}

static __attribute__((noinline)) bool locked_kfree(void *ptr)
{
    lock();
    bool done = fast_kfree(ptr);
    unlock();
    return done;
}

void *kmalloc(size_t size)
{
    uint64_t address = __libc_single_threaded ? fast_kmalloc(size) : locked_kmalloc(size);
    return (void *)(address ? address : ALLOCATOR(kmalloc, size, 0));
}

void *kzalloc(size_t size)
{
    void *address = (void *)(__libc_single_threaded ? fast_kmalloc(size) : locked_kmalloc(size));
    return address ? memset(address, 0, size) : (void *)ALLOCATOR(kzalloc, size, 0);
}

void kfree(void *ptr)
{
    bool done = __libc_single_threaded ? fast_kfree(ptr) : locked_kfree(ptr);
    if (!done && ptr != NULL)
        ALLOCATOR(kfree, (uint64_t)ptr, 0);
}

void *kmalloc_aligned(size_t size, size_t align) { return (void *)ALLOCATOR(kmalloc_aligned, size, align); }

/* krealloc between classes, as kmalloc.py:Kmalloc.reallocate does it; NULL: take the slow path. */
static void *try_krealloc(void *ptr, size_t size)
{
    uint64_t room = binding.fast_room != NULL ? binding.fast_room(binding.fast, (uint64_t)ptr) : 0;
    uint64_t wanted = room != 0 ? binding.fast_rounded(binding.fast, size) : 0;
    if (wanted == 0 || wanted == room)
        return wanted == 0 ? NULL : ptr;
    void *moved = (void *)fast_kmalloc(size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, ptr, room < size ? room : size);
    if (!fast_kfree(ptr))
        ALLOCATOR(kfree, (uint64_t)ptr, 0);
    return moved;
}

static __attribute__((noinline)) void *locked_krealloc(void *ptr, size_t size)
{
    lock();
    void *result = try_krealloc(ptr, size);
    unlock();
    return result;
}

void *krealloc(void *ptr, size_t size)
{
    void *result = __libc_single_threaded ? try_krealloc(ptr, size) : locked_krealloc(ptr, size);
    return result ? result : (void *)ALLOCATOR(krealloc, (uint64_t)ptr, size);
}

size_t kmalloc_size(void *ptr) { return ALLOCATOR(kmalloc_size, (uint64_t)ptr, 0); }

int copy_from_user(void *to, const void *from, size_t n) { return (int)CALL((uint64_t)to, (uint64_t)from, n); }
int copy_to_user(void *to, const void *from, size_t n) { return (int)CALL((uint64_t)to, (uint64_t)from, n); }
ssize_t strncpy_from_user(char *to, const char *from, size_t n)
{
    return (ssize_t)CALL((uint64_t)to, (uint64_t)from, n);
}
ssize_t strnlen_user(const char *str, size_t max_len) { return (ssize_t)CALL((uint64_t)str, max_len); }
bool validate_user_pointer(const void *ptr, size_t size, bool write) { return CALL((uint64_t)ptr, size, write) == 1; }
bool validate_user_buffer(const void *ptr, size_t size, bool write) { return CALL((uint64_t)ptr, size, write) == 1; }

void get_meminfo(meminfo_t *info) { CALL((uint64_t)info); }
int get_proc_meminfo(pid_t pid, proc_meminfo_t *info) { return (int)CALL((uint64_t)(int64_t)pid, (uint64_t)info); }

void mem_dump(void *addr, size_t size) { print(__func__, CALLER, (uint64_t)addr, size); }
size_t mem_check_leaks(void) { return CALL(0); }
void mem_enable_tracking(void) { CALL(0); }
void mem_print_stats(void) { print(__func__, CALLER, 0, 0); }

/* ---- the rest of coalmm.h ---- */

int coalmm_boot(const char *options)
{
    lock();
    int error = start();
    unlock();
    return error ? error : (int)CALL((uint64_t)options);
}
void coalmm_shutdown(void) { CALL(0); }
const char *coalmm_error(void) { return error_text; }
void coalmm_lock(void) { lock(); }
void coalmm_unlock(void) { unlock(); }

void coalmm_set_hook(coalmm_hook_t new_hook, void *context)
{
    lock();
    hook = new_hook;
    hook_context = context;
    unlock();
}

void *coalmm_phys_to_virt(uintptr_t paddr)
{
    return paddr < binding.size ? (void *)(binding.base + paddr) : NULL;
}
uintptr_t coalmm_virt_to_phys(const void *ptr)
{
    uint64_t offset = (uint64_t)ptr - binding.base;
    return offset < binding.size ? offset : 0;
}

page_directory_t *coalmm_current_directory(void) { return (page_directory_t *)CALL(0); }

pid_t coalmm_process_create(const char *name) { return (pid_t)CALL((uint64_t)name); }
pid_t coalmm_process_fork(pid_t pid) { return (pid_t)CALL((uint64_t)(int64_t)pid); }
int coalmm_process_switch(pid_t pid) { return (int)CALL((uint64_t)(int64_t)pid); }
int coalmm_process_exit(pid_t pid) { return (int)CALL((uint64_t)(int64_t)pid); }
intptr_t coalmm_process_map(pid_t pid, uintptr_t vaddr, size_t size, const char *rights)
{
    return (intptr_t)CALL((uint64_t)(int64_t)pid, vaddr, size, (uint64_t)rights);
}
int coalmm_process_unmap(pid_t pid, uintptr_t vaddr, size_t size)
{
    return (int)CALL((uint64_t)(int64_t)pid, vaddr, size);
}

int coalmm_validate(void) { return (int)CALL(0); }
void coalmm_fail_nth(size_t nth) { CALL(nth); }
void coalmm_print_leaks(void) { print(__func__, CALLER, 0, 0); }
int coalmm_save(const char *path) { return (int)CALL((uint64_t)path); }

/* ---- Python ---- */

/* Python's functions, from whoever has them. */
static void *python(const char *name)
{
    static void *library = RTLD_DEFAULT;
    void *function = dlsym(library, name);
    if (function == NULL && library == RTLD_DEFAULT) {
        void *loaded = dlopen(COALMM_LIBPYTHON_PATH, RTLD_NOW | RTLD_GLOBAL); /* modules look there */
        if (loaded == NULL)
            loaded = dlopen(COALMM_LIBPYTHON, RTLD_NOW | RTLD_GLOBAL);
        if (loaded != NULL)
            function = dlsym(library = loaded, name);
    }
    return function;
}
#define PYTHON(name) ((__typeof__(&name))python(#name))

/* Python keeps an error with the thread that raised it. A thread that it does not know would be forgotten, with the
 * error, as soon as it lets go of the GIL; so it is made known to Python once, and parts from it when it ends. */
static pthread_key_t met_thread;
static PyThreadState *(*this_thread)(void);

static void meet_thread(void)
{
    if (this_thread() == NULL) {
        PYTHON(PyGILState_Ensure)();
        pthread_setspecific(met_thread, PYTHON(PyEval_SaveThread)());
    }
}

static void part(void *thread)
{
    if (binding.ended)
        return;
    PYTHON(PyEval_RestoreThread)(thread);
    PYTHON(PyThreadState_Clear)(thread);
    PYTHON(PyThreadState_DeleteCurrent)();
}

static void after_fork(void)
{
    pthread_setspecific(met_thread, NULL); /* Python of the child is not to be touched */
    atomic_store(&lock_word, 0);           /* whoever had the lock is not in this process */
    atomic_store(&lock_owner, NULL);
    lock_depth = 0;
    if (binding.size != 0) {
        forked = true;
        binding.fast_kmalloc = binding.fast_room = NULL;
        binding.fast_kfree = NULL;
    }
}

static int fail(const char *format, const char *what)
{
    snprintf(error_text, sizeof error_text, format, what);
    return -ENOEXEC;
}

/* The folder that has the package coalmm of which this library is a part; its file is .../coalmm/c/TAG/libcoalmm.so. */
static bool find_root(char *path)
{
    Dl_info here;
    if (dladdr(&coalmm_binding, &here) == 0 || realpath(here.dli_fname, path) == NULL)
        return false;
    for (int up = 0; up < 4; up++) {
        char *slash = strrchr(path, '/');
        if (slash == NULL)
            return false;
        *slash = 0;
    }
    return true;
}

/* The interpreter that decides where modules are found: that of the environment coalmm is installed in, if
 * it is installed; else the one it was built with. */
static const char *find_interpreter(const char *root, char *path)
{
    const char *chosen = getenv("COALMM_PYTHON");
    if (chosen != NULL)
        return chosen;
    snprintf(path, PATH_MAX, "%s/../../../bin/python%d.%d", root, PY_MAJOR_VERSION, PY_MINOR_VERSION);
    return access(path, X_OK) == 0 ? path : COALMM_PYTHON;
}

static int initialise(const char *root)
{
    char path[PATH_MAX];
    PyConfig config;
    PYTHON(PyConfig_InitPythonConfig)(&config);
    config.install_signal_handlers = 0;
    config.parse_argv = 0;
    PyStatus status = PYTHON(PyConfig_SetBytesString)(&config, &config.program_name, find_interpreter(root, path));
    if (!PYTHON(PyStatus_Exception)(status))
        status = PYTHON(Py_InitializeFromConfig)(&config);
    PYTHON(PyConfig_Clear)(&config);
    if (PYTHON(PyStatus_Exception)(status))
        return fail("Python does not start: %s", status.err_msg ? status.err_msg : "it exits");
    PYTHON(PyEval_SaveThread)();
    return 0;
}

/* Have calls.py fill in the binding; under the lock. 0, or -ENOEXEC and the error is set. */
static int start(void)
{
    static bool registered;
    char root[PATH_MAX], code[PATH_MAX + 256];
    if (binding.dispatch != NULL && this_thread != NULL)
        return 0;
    if (!registered)
        registered = pthread_key_create(&met_thread, part) == 0 && pthread_atfork(NULL, NULL, after_fork) == 0;
    if (python("Py_GetVersion") == NULL)
        return fail("no %s: install it, or link the program with `coalmm-config --libs --static`", COALMM_LIBPYTHON);
    if (strncmp(PYTHON(Py_GetVersion)(), PY_VERSION, strrchr(PY_VERSION, '.') - PY_VERSION) != 0)
        return fail("this is the libcoalmm.so of Python %s", PY_VERSION);
    if (!find_root(root))
        return fail("%s: libcoalmm.so does not find itself", strerror(errno));
    if (!PYTHON(Py_IsInitialized)()) {
        int error = initialise(root);
        if (error)
            return error;
    }
    PyGILState_STATE state = PYTHON(PyGILState_Ensure)();
    snprintf(code, sizeof code,
             "import sys\nroot = r'''%s'''\nif root not in sys.path: sys.path.append(root)\n"
             "import coalmm.c\ncoalmm.c.connect()\n", root);
    int failed = PYTHON(PyRun_SimpleString)(code);
    PYTHON(PyGILState_Release)(state);
    if (failed || binding.dispatch == NULL)
        return fail("Python does not load the modules of coalmm in %s", root);
    gil.leave = (void *(*)(void))python("PyEval_SaveThread");
    gil.come_back = (void (*)(void *))python("PyEval_RestoreThread");
    gil.held = (int (*)(void))python("PyGILState_Check");
    this_thread = PYTHON(PyGILState_GetThisThreadState);
    return 0;
}
