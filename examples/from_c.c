/* from_c: what C code sees of coalmm. docs/from-c.md walks through what it prints. */
#include <coalmm.h>
#include <stdio.h>
#include <string.h>

struct task { int number; char name[28]; };

static void say(const coalmm_report_t *report, void *context)
{
    (void)context;
    printf("refused: %s: %s\n", report->function, report->message);
}

int main(void)
{
    if (coalmm_boot("ram=64M paging=i386 track") != 0) {
        fprintf(stderr, "%s\n", coalmm_error());
        return 1;
    }
    coalmm_set_hook(say, NULL);

    struct task *task = kzalloc(sizeof *task); /* memory that C writes at once */
    strcpy(task->name, "init");
    printf("task at %p, physical %#lx\n", (void *)task, (unsigned long)coalmm_virt_to_phys(task));
    mem_dump(task, sizeof *task);

    pid_t pid = coalmm_process_create("shell"); /* user memory: faults, copy-on-write */
    coalmm_process_switch(pid);
    char *user = (char *)coalmm_process_map(pid, 0, 4096, "rw"), name[16];
    copy_to_user(user, "from user space", 16);
    printf("%zd bytes: %s\n", strncpy_from_user(name, user, sizeof name), name);

    char *lost = kmalloc(300); /* the mistakes */
    kfree(task);
    kfree(task);
    kfree(lost + 8);

    coalmm_process_exit(pid);
    coalmm_print_leaks();
    coalmm_shutdown();
    return 0;
}
