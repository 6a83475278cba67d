/* Patterns in memory: byte i of pattern `seed` is a byte of a table of 4099 pseudo-random ones. 4099 is prime, so
 * bytes that moved by a page, or belong to a neighbour, differ. From seed 5000 on they have no zero byte. Also part
 * of every reproducer. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { PATTERN_PERIOD = 4099, PATTERN_STEP = 61, PATTERN_TEXT = 5000 };

static unsigned char pattern_table[2][PATTERN_PERIOD];

static void pattern_start(void)
{
    uint32_t x = 1;
    for (int i = 0; i < PATTERN_PERIOD; i++) {
        x = x * 1664525u + 1013904223u;
        pattern_table[0][i] = (unsigned char)(x >> 24);
        pattern_table[1][i] = (unsigned char)(x >> 24) | 1;
    }
}

/* The next piece of a pattern: a run of the table from *place on, and how many of `left` bytes it covers. */
static size_t pattern_piece(size_t *place, size_t left)
{
    size_t length = PATTERN_PERIOD - *place;
    if (length > left)
        length = left;
    *place = (*place + length) % PATTERN_PERIOD;
    return length;
}

static void fill(void *address, size_t size, size_t seed)
{
    const unsigned char *table = pattern_table[seed >= PATTERN_TEXT];
    size_t place = seed * PATTERN_STEP % PATTERN_PERIOD, done = 0;
    while (done < size) {
        size_t from = place, length = pattern_piece(&place, size - done);
        memcpy((char *)address + done, table + from, length);
        done += length;
    }
}

/* Where the bytes first differ from the pattern; (size_t)-1 if they do not. */
static size_t differs(const void *address, size_t size, size_t seed)
{
    const unsigned char *table = pattern_table[seed >= PATTERN_TEXT];
    size_t place = seed * PATTERN_STEP % PATTERN_PERIOD, done = 0;
    const unsigned char *p = address;
    while (done < size) {
        size_t from = place, length = pattern_piece(&place, size - done);
        if (memcmp(p + done, table + from, length) != 0)
            for (size_t i = 0; i < length; i++)
                if (p[done + i] != table[from + i])
                    return done + i;
        done += length;
    }
    return (size_t)-1;
}

/* Where the first byte is that is not zero; (size_t)-1 if all are. */
static size_t nonzero(const void *address, size_t size)
{
    const unsigned char *p = address;
    for (size_t i = 0; i < size; i++)
        if (p[i])
            return i;
    return (size_t)-1;
}
