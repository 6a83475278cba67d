/* Physical memory appears at KERNBASE in every address space: the kernel lives in the higher half. */
#ifndef MEMLAYOUT_H
#define MEMLAYOUT_H

typedef unsigned int uint;
typedef unsigned long addr;

#define PGSIZE 4096
#define PHYSTOP 0x1000000u /* 16 MiB of RAM */
#define KERNBASE 0x80000000u
#define V2P(a) ((uint)((addr)(a) - KERNBASE))
#define P2V(a) ((void *)((addr)(a) + KERNBASE))

#define PTE_P 1
#define PTE_W 2
#define PTE_U 4
#define PTE_ADDR(pte) ((pte) & ~0xFFFu)
#define PTE_FLAGS(pte) ((pte) & 0xFFF)

#endif
