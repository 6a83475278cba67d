/* Two-level page tables. A directory owns the pages below KERNBASE that it maps. */
#include "defs.h"

void *memset(void *, int, unsigned long);
void *memcpy(void *, const void *, unsigned long);

uint *current;

static void lcr3(uint pa) { __asm__ volatile("mov %0, %%cr3" :: "r"((addr)pa) : "memory"); }
static void invlpg(uint va) { __asm__ volatile("invlpg (%0)" :: "r"((addr)va) : "memory"); }

static uint *walkpgdir(uint *pgdir, uint va, int alloc)
{
    uint *pde = &pgdir[va >> 22];
    if (!(*pde & PTE_P)) {
        char *table = alloc ? kalloc() : 0;
        if (table == 0)
            return 0;
        *pde = V2P(memset(table, 0, PGSIZE)) | PTE_P | PTE_W | PTE_U;
    }
    return (uint *)P2V(PTE_ADDR(*pde)) + (va >> 12 & 1023);
}

uint *setupkvm(void)
{
    uint *pgdir = (uint *)kalloc();
    return pgdir ? memset(pgdir, 0, PGSIZE) : 0;
}

void switchuvm(uint *pgdir)
{
    if (pgdir == 0)
        panic("switchuvm: no pgdir");
    current = pgdir;
    lcr3(V2P(pgdir));
}

int mappage(uint *pgdir, uint va, uint pa, int flags)
{
    uint *pte = walkpgdir(pgdir, va, 1);
    if (pte == 0)
        return -1;
    if (*pte & PTE_P)
        panic("remap");
    *pte = pa | flags | PTE_P;
    return 0;
}

void unmappage(uint *pgdir, uint va)
{
    uint *pte = walkpgdir(pgdir, va, 0);
    if (pte == 0 || !(*pte & PTE_P))
        return;
    kfree(P2V(PTE_ADDR(*pte)));
    *pte = 0;
    invlpg(va);
}

uint translate(uint *pgdir, uint va)
{
    uint *pte = walkpgdir(pgdir, va, 0);
    return pte && *pte & PTE_P ? PTE_ADDR(*pte) | va % PGSIZE : 0;
}

void freevm(uint *pgdir)
{
    for (uint i = 0; i < KERNBASE >> 22; i++) {
        if (!(pgdir[i] & PTE_P))
            continue;
        for (uint k = 0; k < 1024; k++)
            unmappage(pgdir, i << 22 | k << 12);
        kfree(P2V(PTE_ADDR(pgdir[i])));
    }
    kfree((char *)pgdir);
}

uint *copyuvm(uint *pgdir)
{
    uint *copy = setupkvm();
    for (uint va = 0; copy && va < KERNBASE; va += PGSIZE) {
        uint *pte = walkpgdir(pgdir, va, 0);
        if (pte == 0) {
            va |= 0x3FF000; /* the table is not there */
            continue;
        }
        if (!(*pte & PTE_P))
            continue;
        char *page = kalloc();
        if (page == 0 || mappage(copy, va, V2P(page), PTE_FLAGS(*pte)) < 0) {
            if (page)
                kfree(page);
            freevm(copy);
            return 0;
        }
        memcpy(page, P2V(PTE_ADDR(*pte)), PGSIZE);
    }
    return copy;
}

/* The kernel's address of user memory, 0 where the user has not these rights. */
static char *reach(uint *pgdir, uint va, int rights)
{
    uint *pte = va < KERNBASE ? walkpgdir(pgdir, va, 0) : 0;
    return pte && (*pte & rights) == (uint)rights ? (char *)P2V(PTE_ADDR(*pte)) + va % PGSIZE : 0;
}

static int reachable(uint *pgdir, uint va, uint n, int rights)
{
    if (va >= KERNBASE || n > KERNBASE - va)
        return 0;
    for (uint page = va & ~(PGSIZE - 1u); n && page <= va + n - 1; page += PGSIZE)
        if (!reach(pgdir, page, rights))
            return 0;
    return 1;
}

int copyout(uint *pgdir, uint va, const void *from, uint n)
{
    if (!reachable(pgdir, va, n, PTE_P | PTE_U | PTE_W))
        return -1;
    for (uint i = 0; i < n; i++)
        *reach(pgdir, va + i, PTE_P) = ((const char *)from)[i];
    return 0;
}

int copyin(uint *pgdir, void *to, uint va, uint n)
{
    if (!reachable(pgdir, va, n, PTE_P | PTE_U))
        return -1;
    for (uint i = 0; i < n; i++)
        ((char *)to)[i] = *reach(pgdir, va + i, PTE_P);
    return 0;
}
