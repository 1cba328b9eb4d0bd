/*
 * Formatting and parsing of text without a C library.
 */
#ifndef CV_LIB_FMT_H
#define CV_LIB_FMT_H

#include <stdarg.h>
#include "lib/base.h"

/*
 * As C's snprintf for d i u x X o c s p %, with flags - 0 + space #, width, precision and * for both, and
 * the lengths hh h l ll z j. No floats, no n. Always terminates where size > 0; gives the length that the
 * whole text has.
 */
int fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int fmt_snprintf(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* How much of a text of length n a buffer of `size` bytes has. */
static inline size_t fmt_fitted(int n, size_t size)
{
    return MIN((size_t)n, size - 1);
}

/* Decimal, 0x hexadecimal, 0b binary; the whole string. 0, -EINVAL, -ERANGE. */
int fmt_parse_u64(const char *s, uint64_t *out);
/* The same with an optional suffix K M G T (powers of 1024; KiB and KB alike). */
int fmt_parse_size(const char *s, uint64_t *out);
/* The known word that was probably meant, by edit distance; NULL where none is near. */
const char *fmt_nearest(const char *word, const char *const *known, size_t n);
/* "the nearest is 'x'", or where none is near all of them: "known: x, y". For the end of a message. */
void fmt_hint(char *buf, size_t size, const char *word, const char *const *known, size_t n);

#endif
