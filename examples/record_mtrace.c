/* Starts glibc's mtrace in any dynamically linked program:
 *
 *   gcc -shared -fPIC -O2 -o record_mtrace.so record_mtrace.c
 *   MALLOC_TRACE=/tmp/trace LD_PRELOAD="libc_malloc_debug.so.0 $PWD/record_mtrace.so" PROGRAM
 *
 * LD_PRELOAD is taken away from the program's own children, which would write over the trace.
 */
#include <mcheck.h>
#include <stdlib.h>

__attribute__((constructor)) static void begin(void)
{
    unsetenv("LD_PRELOAD");
    mtrace();
}
