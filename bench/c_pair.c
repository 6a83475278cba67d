/* c_pair COUNT: kmalloc(64) and kfree of libcoalmm.so from C, COUNT times, in a process with one thread.
 *
 * Prints one line of JSON: nanoseconds of processor time a pair, the loop in it. The best of ROUNDS, since what
 * is measured always takes as long, and only other things make it longer.
 */
#include <coalmm.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 5

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    long count = argc == 2 ? atol(argv[1]) : 0;
    double best = 1e9;
    if (count <= 0 || coalmm_boot("ram=64M") != 0)
        return 2;
    for (int round = 0; round < ROUNDS; round++) {
        double start = seconds();
        for (long i = 0; i < count; i++)
            kfree(kmalloc(64));
        double taken = seconds() - start;
        best = taken < best ? taken : best;
    }
    printf("{\"pair_ns\": %.4f}\n", best * 1e9 / count);
}
