// Instructions that read, change and write memory, while slices of time end all the time: each is done once.
#include "say.h"
static volatile long counts[8];
int main(void) {
    for (long i = 0; i < 1000000; i++) {
        counts[0]++;
        __asm__ volatile("addl $3, %0" : "+m"(counts[1])::"cc");
        __asm__ volatile("lock; incl %0" : "+m"(counts[2])::"cc");
        __asm__ volatile("negl %0" : "+m"(counts[3])::"cc");
        long one = 1;
        __asm__ volatile("lock; xaddl %1, %0" : "+m"(counts[4]), "+r"(*(int *)&one)::"cc");
    }
    say("%ld %ld %ld %ld %ld\n", counts[0], counts[1], counts[2], counts[3], counts[4]);
    return 0;
}
