/* What the functions that stand under `panic` and `print` in check.toml were called with, as printf would show it. Nothing
 * is known about their parameters: what cannot be a string is shown as a number. Also part of the reproducers. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Whether a string can be read there: the kernel looks before this program does. */
static int said_readable(const char *text)
{
    int before = errno, readable = text && (access(text, F_OK) == 0 || (errno != EFAULT && errno != ENAMETOOLONG));
    errno = before;
    return readable;
}

/* One conversion, from its % on; where the text goes on behind it. */
static const char *said_one(char *out, size_t room, const char *from, va_list *arguments)
{
    char one[32];
    size_t length = 1 + strspn(from + 1, "-+ #0123456789."), large = strspn(from + length, "lzjtqh");
    char kind = from[length + large];
    int wide = large && from[length] != 'h' && (from[length] != 'l' || large > 1 || sizeof(long) == 8);
    int words = from[length] == 'j' || from[length] == 'q' || (from[length] == 'l' && large > 1) ? 2 : 1;
    snprintf(one, sizeof one, "%.*s", (int)(length < 16 ? length : 16), from);
    if (kind == 0 || kind == '%') {
        snprintf(out, room, "%s", kind ? "%" : "");
        return from + length + large + (kind != 0);
    }
    if (kind == 's') {
        const char *text = va_arg(*arguments, const char *);
        strcat(one, "s");
        snprintf(out, room, one, text == NULL ? "(null)" : said_readable(text) ? text : "(no string)");
    } else if (strchr("fFeEgG", kind)) {
        strncat(one, &kind, 1);
        snprintf(out, room, one, va_arg(*arguments, double));
    } else if (strchr("diuxXoc", kind)) {
        long long value = sizeof(long) == 4 && words == 2 ? va_arg(*arguments, long long) : va_arg(*arguments, long);
        if (!wide || sizeof(long) == 4)
            value = words == 2 ? value : strchr("di", kind) ? (int)value : (long long)(unsigned)value;
        strcat(one, kind == 'c' ? "" : "ll");
        strncat(one, &kind, 1);
        kind == 'c' ? snprintf(out, room, one, (int)value) : snprintf(out, room, one, value);
    } else
        snprintf(out, room, "%#lx", va_arg(*arguments, unsigned long));
    return from + length + large + 1;
}

/* The text of a call, into `room` bytes. */
static void said_text(char *out, size_t room, const char *format, va_list arguments)
{
    va_list rest;
    va_copy(rest, arguments);
    size_t used = 0;
    if (!said_readable(format)) { /* no format comes first: a number, perhaps, then a text */
        const char *second = va_arg(rest, const char *);
        snprintf(out, room, "%#lx%s%s", (unsigned long)(uintptr_t)format, said_readable(second) ? ", " : "",
                 said_readable(second) ? second : "");
        format = "";
    }
    while (*format && used + 1 < room) {
        if (*format == '%')
            format = said_one(out + used, room - used, format, &rest);
        else
            snprintf(out + used, room - used, "%c", *format++);
        used += strlen(out + used);
    }
    va_end(rest);
}
