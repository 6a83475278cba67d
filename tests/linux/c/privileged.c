// in/out/cli/hlt at CPL 3
#include "say.h"
#include <setjmp.h>
static sigjmp_buf back;
static volatile long code, addr, trapno, err, at;
static char *here;
static void hit(int s, siginfo_t *i, void *c) { ucontext_t *u=c; code=i->si_code; addr=(long)i->si_addr;
#ifdef __x86_64__
 trapno=u->uc_mcontext.gregs[REG_TRAPNO]; err=u->uc_mcontext.gregs[REG_ERR]; at=u->uc_mcontext.gregs[REG_RIP]-(long)here;
#else
 trapno=u->uc_mcontext.gregs[REG_TRAPNO]; err=u->uc_mcontext.gregs[REG_ERR]; at=u->uc_mcontext.gregs[REG_EIP]-(long)here;
#endif
 siglongjmp(back, s); }
int main(){
 unsigned char tests[][8]={{0xe4,0x60},{0xe5,0x60},{0x66,0xe5,0x60},{0xec},{0xed},{0x66,0xed},{0xe6,0x80},{0xe7,0x80},{0xee},{0xef},{0x6c},{0x6d},{0x6e},{0x6f},{0xf3,0x6c},{0xf3,0x6e},
  {0xfa},{0xfb},{0xf4},{0x0f,0x06},{0x0f,0x08},{0x0f,0x09},{0x0f,0x30},{0x0f,0x32},{0x0f,0x20,0xc0},{0x0f,0x22,0xc0},{0x0f,0x21,0xc0},{0x0f,0x23,0xc0},{0x0f,0x01,0xf8},{0x0f,0x01,0x38},{0x0f,0x01,0x10},{0x0f,0x01,0x18},{0x0f,0x00,0x10},{0x0f,0x00,0x18},{0x0f,0x01,0xf0},{0x0f,0x33},
  {0xf1},{0xcf},{0xcb},{0x0f,0x01,0xca},{0x0f,0xaa},{0x0f,0x0b},{0x0f,0x07},{0x0f,0x35},{0x0f,0x01,0xc1},{0x0f,0x01,0xd9},{0x0f,0x01,0xc8},{0x0f,0x01,0xc9},{0x0f,0x34}};
 char *code_page=mmap(0,4096,7,MAP_PRIVATE|MAP_ANONYMOUS,-1,0); here=code_page;
 for(int s=4;s<=11;s++) handle(s,hit,SA_NODEFER); handle(SIGTRAP,hit,SA_NODEFER);
 for(unsigned i=0;i<sizeof tests/8;i++){ memset(code_page,0xc3,64); int n=8; while(n>1&&!tests[i][n-1])n--; memcpy(code_page,tests[i],n);
  say("%u:",i); for(int k=0;k<n;k++)say(" %02x",tests[i][k]);
  int s=sigsetjmp(back,1); if(!s){ 
#ifdef __x86_64__
   __asm__ volatile("mov %0,%%rdi; mov %0,%%rsi; mov $1,%%ecx; mov $0x80,%%edx; mov %1, %%rax; call *%0"::"r"(code_page+0),"r"((long)code_page):"rdi","rsi","rcx","rdx","rax","memory","rbx","r8","r9","r10","r11");
#else
   __asm__ volatile("mov %0,%%edi; mov %0,%%esi; mov $1,%%ecx; mov $0x80,%%edx; mov %0,%%eax; call *%0"::"b"(code_page):"edi","esi","ecx","edx","eax","memory");
#endif
   say(" no signal\n"); } else say(" signal %d code %ld addr %s trap %ld err %ld at %ld\n",s,code,addr==0?"0":addr==(long)here?"here":"else",trapno,err,at);
 } }
