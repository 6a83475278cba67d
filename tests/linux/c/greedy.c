// Takes more than there is: a map that is refused or not, pages until the end.
#include "say.h"
int main(void) {
    say("asked for much\n");
    for (int i = 0; i < 64; i++) {
        char *part = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (part == MAP_FAILED) {
            say("end: refused\n");
            return 0;
        }
        memset(part, i, 1 << 20);
    }
    say("end\n");
    return 0;
}
