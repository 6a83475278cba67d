/* What the functions that stand under `print` and `panic` do in a reproducer: print, and for a panic end. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void said(const char *panic, const char *format, va_list arguments)
{
    char text[1024];
    said_text(text, sizeof text, format, arguments);
    printf("%s%s%s%s", panic ? panic : "", panic ? ": " : "", text, panic ? "\n" : "");
    fflush(stdout);
    if (panic)
        abort();
}
