/* minimal_fill: a hook for TLB misses of the emulator that answers at once, from a calculation. */
#include <stdbool.h>
#include <stdint.h>

struct answer { uint64_t paddr; int rights; };

/* Code at 1 MiB is at 1 MiB; data from 1 GiB on is from 2 MiB on. */
bool minimal_fill(void *uc, uint64_t vaddr, int kind, struct answer *answer, void *data)
{
    (void)uc, (void)data;
    answer->paddr = vaddr >= 1ull << 30 ? vaddr - (1ull << 30) + (2ull << 20) : vaddr;
    answer->rights = kind == 18 ? 5 : 3;
    return true;
}
