// What execve reads of arrays and strings that lie across pages, and how many it takes.
#include "say.h"

static char **misaligned(char *page_end, int count, char *text) {
    char **array = (char **)(page_end - 3 * sizeof(char *) - 3);
    for (int word = 0; word <= count; word++) {
        char *value = word < count ? text : 0;
        memcpy((char *)array + word * sizeof value, &value, sizeof value);
    }
    return array;
}

static void sum(int argc, char **argv) {
    unsigned long total = 0, bytes = 0;
    for (int word = 2; word < argc; word++)
        for (char *at = argv[word]; *at; at++, bytes++)
            total = total * 31 + *at;
    say("%d arguments, %lu bytes, %lx\n", argc, bytes, total & 0xffffffff);
}

static void try(const char *what, char *program, long count, long size) {
    pid_t child = fork();
    if (!child) {
        char **array = malloc((count + 3) * sizeof *array), *text = malloc(size + 1);
        memset(text, 'a', size);
        text[size] = 0;
        array[0] = program, array[1] = "sum";
        for (long word = 0; word < count; word++)
            array[word + 2] = text;
        array[count + 2] = 0;
        char *none[] = {0};
        execve(program, array, none);
        say("%s: %s\n", what, strerrorname_np(errno));
        _exit(1);
    }
    int status;
    waitpid(child, &status, 0);
    say_status(what, status);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        sum(argc, argv);
        return 0;
    }
    char *pages = mmap(0, 6 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + 5 * 4096, 4096, 0);
    char *text = pages + 2 * 4096 - 5;
    memset(text, 'b', 2 * 4096);
    if (!fork()) {
        char *none[] = {0};
        execve(argv[0], misaligned(pages + 4096, 6, text), none);
        _exit(1);
    }
    wait(0);
    char *end = pages + 5 * 4096 - 4;
    memset(end, 'c', 4);
    char *bad[] = {argv[0], end, 0}, *past[] = {argv[0], "x", (char *)8, 0};
    say_result("a string without an end", execve(argv[0], bad, bad + 2));
    say_result("a bad string", execve(argv[0], past, past + 3));
    say_result("a bad array", execve(argv[0], (char **)(pages + 5 * 4096), past + 3));
    try("a long string", argv[0], 1, (128 << 10) - 1);
    try("a string that is too long", argv[0], 1, 128 << 10);
    try("many", argv[0], 100, 15000);
    try("too many", argv[0], 100, 30000);
    struct rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_STACK, &limit);
    try("many with a large stack", argv[0], 50, 120000);
    try("too many with a large stack", argv[0], 55, 120000);
    return 0;
}
