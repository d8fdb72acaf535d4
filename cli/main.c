/* main.c - the program: finds the subcommand and hands over. */
#include <stdio.h>

/* main prints how the program is used. */
int main(void) {
    fputs("usage: shrike COMMAND ...\n", stderr);
    return 2;
}
