#ifndef DEFS_H
#define DEFS_H

#include "memlayout.h"

struct spinlock;
void acquire(struct spinlock *lock); /* spinlock.c */
void release(struct spinlock *lock);
void cprintf(char *format, ...); /* console.c */
void panic(char *why) __attribute__((noreturn));

void kinit(void *start, void *stop); /* kalloc.c */
char *kalloc(void);
void kfree(char *page);
extern uint free_pages;

extern uint *current; /* vm.c */
uint *setupkvm(void);
uint *copyuvm(uint *pgdir);
void freevm(uint *pgdir);
void switchuvm(uint *pgdir);
int mappage(uint *pgdir, uint va, uint pa, int flags);
void unmappage(uint *pgdir, uint va);
uint translate(uint *pgdir, uint va);
int copyout(uint *pgdir, uint va, const void *from, uint n);
int copyin(uint *pgdir, void *to, uint va, uint n);

#endif
