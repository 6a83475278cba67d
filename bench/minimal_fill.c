/* minimal_fill: hooks for TLB misses of the emulator that do as little as they can.
 *
 * minimal_fill answers from a calculation. table_fill answers from a list of ranges that do not overlap, the
 * newest first; there are few misses in what runs on it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer { uint64_t paddr; int rights; };
struct range { uint64_t start, end, paddr, rights; };

struct range ranges[4096];
size_t range_count;

/* Code at 1 MiB is at 1 MiB; data from 1 GiB on is from 2 MiB on. */
bool minimal_fill(void *uc, uint64_t vaddr, int kind, struct answer *answer, void *data)
{
    (void)uc, (void)data;
    answer->paddr = vaddr >= 1ull << 30 ? vaddr - (1ull << 30) + (2ull << 20) : vaddr;
    answer->rights = kind == 18 ? 5 : 3;
    return true;
}

bool table_fill(void *uc, uint64_t vaddr, int kind, struct answer *answer, void *data)
{
    (void)uc, (void)kind, (void)data;
    for (size_t n = range_count; n-- > 0;) {
        if (ranges[n].start <= vaddr && vaddr < ranges[n].end) {
            answer->paddr = ranges[n].paddr + (vaddr - ranges[n].start);
            answer->rights = (int)ranges[n].rights;
            return true;
        }
    }
    return false;
}
