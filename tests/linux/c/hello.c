#include <stdio.h>
int main(int argc, char **argv) {
    printf("hello %d\n", argc);
    return 3;
}
