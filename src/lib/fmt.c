/* Formatting and parsing. */
#include "lib/fmt.h"
#include "lib/err.h"
#include "lib/str.h"

struct out {
    char *buf;
    size_t size, len;
};

struct spec {
    bool left, zero, plus, space, alt, upper, neg;
    int width, precision; /* precision -1: none */
    unsigned base;
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void pad(struct out *o, char c, int n)
{
    while (n-- > 0)
        put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text, int len)
{
    pad(o, ' ', s->left ? 0 : s->width - len);
    for (int i = 0; i < len; i++)
        put(o, text[i]);
    pad(o, ' ', s->left ? s->width - len : 0);
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
    int len = 0;

    if (!text)
        text = "(null)";
    while ((s->precision < 0 || len < s->precision) && text[len])
        len++;
    put_text(o, s, text, len);
}

static const char *sign_prefix(const struct spec *s, uint64_t value)
{
    if (s->neg)
        return "-";
    if (s->plus)
        return "+";
    if (s->space)
        return " ";
    if (s->alt && value && s->base == 16)
        return s->upper ? "0X" : "0x";
    return "";
}

static void put_number(struct out *o, const struct spec *s, uint64_t value)
{
    const char *prefix = sign_prefix(s, value), *set = s->upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char digits[66];
    int n = 0, zeros, blanks, plen = (int)strlen(prefix);

    for (uint64_t v = value; v; v /= s->base)
        digits[n++] = set[v % s->base];
    if (s->precision < 0 && !n)
        digits[n++] = '0';
    if (s->alt && s->base == 8 && (!n || digits[n - 1] != '0'))
        digits[n++] = '0';
    zeros = MAX(s->precision - n, 0);
    if (s->zero && !s->left && s->precision < 0)
        zeros = MAX(s->width - plen - n, 0);
    blanks = s->width - plen - zeros - n;
    pad(o, ' ', s->left ? 0 : blanks);
    while (*prefix)
        put(o, *prefix++);
    pad(o, '0', zeros);
    while (n)
        put(o, digits[--n]);
    pad(o, ' ', s->left ? blanks : 0);
}

static const char *parse_flags(const char *f, struct spec *s)
{
    for (;; f++) {
        switch (*f) {
        case '-':
            s->left = true;
            break;
        case '0':
            s->zero = true;
            break;
        case '+':
            s->plus = true;
            break;
        case ' ':
            s->space = true;
            break;
        case '#':
            s->alt = true;
            break;
        default:
            return f;
        }
    }
}

/* A va_list in a struct, since it may be an array and cannot be passed by pointer portably. */
struct args {
    va_list ap;
};

#define FIELD_MAX 100000 /* widths and precisions beyond are taken as this: arithmetic on them is safe */

/* Digits or *. */
static const char *parse_int(const char *f, struct args *a, int *out)
{
    if (*f == '*') {
        *out = va_arg(a->ap, int);
        *out = MAX(MIN(*out, FIELD_MAX), -FIELD_MAX);
        return f + 1;
    }
    *out = 0;
    for (; *f >= '0' && *f <= '9'; f++)
        *out = MIN(*out * 10 + (*f - '0'), FIELD_MAX);
    return f;
}

/* Bytes of the integer that the length letters name. */
static const char *parse_length(const char *f, unsigned *bytes)
{
    *bytes = sizeof(int);
    if (f[0] == 'h')
        *bytes = f[1] == 'h' ? 1 : 2;
    else if (f[0] == 'l')
        *bytes = f[1] == 'l' ? sizeof(long long) : sizeof(long); /* long is 4 bytes on 64-bit Windows */
    else if (f[0] == 'z')
        *bytes = sizeof(size_t);
    else if (f[0] == 'j')
        *bytes = sizeof(uint64_t);
    else
        return f;
    return f + ((f[0] == 'h' || f[0] == 'l') && f[1] == f[0] ? 2 : 1);
}

static void put_signed(struct out *o, struct spec *s, struct args *a, unsigned bytes)
{
    int64_t v = bytes == 8 ? va_arg(a->ap, int64_t) : va_arg(a->ap, int);

    if (bytes < 4)
        v = bits_sext((uint64_t)v, bytes * 8);
    s->neg = v < 0;
    put_number(o, s, s->neg ? 0 - (uint64_t)v : (uint64_t)v);
}

static void put_unsigned(struct out *o, struct spec *s, struct args *a, unsigned bytes)
{
    uint64_t v = bytes == 8 ? va_arg(a->ap, uint64_t) : va_arg(a->ap, unsigned);

    if (bytes < 4)
        v &= (UINT64_C(1) << bytes * 8) - 1;
    s->plus = s->space = false;
    put_number(o, s, v);
}

static void put_one(struct out *o, struct spec *s, struct args *a, unsigned bytes, char conversion)
{
    char c;

    switch (conversion) {
    case 'd':
    case 'i':
        put_signed(o, s, a, bytes);
        return;
    case 'X':
        s->upper = true;
        /* fall through */
    case 'x':
        s->base = 16;
        put_unsigned(o, s, a, bytes);
        return;
    case 'o':
        s->base = 8;
        /* fall through */
    case 'u':
        put_unsigned(o, s, a, bytes);
        return;
    case 'p':
        s->base = 16;
        s->alt = true;
        put_number(o, s, (uintptr_t)va_arg(a->ap, void *));
        return;
    case 's':
        put_string(o, s, va_arg(a->ap, const char *));
        return;
    case 'c':
        c = (char)va_arg(a->ap, int);
        put_text(o, s, &c, 1); /* also a zero */
        return;
    default:
        put(o, conversion);
        return;
    }
}

int fmt_vsnprintf(char *buf, size_t size, const char *f, va_list ap)
{
    struct out o = {buf, size, 0};
    struct args a;

    va_copy(a.ap, ap);
    while (*f) {
        struct spec s = {.precision = -1, .base = 10};
        unsigned bytes;

        if (*f != '%') {
            put(&o, *f++);
            continue;
        }
        f = parse_flags(f + 1, &s);
        f = parse_int(f, &a, &s.width);
        if (s.width < 0) {
            s.left = true;
            s.width = -s.width;
        }
        if (*f == '.')
            f = parse_int(f + 1, &a, &s.precision);
        f = parse_length(f, &bytes);
        if (!*f)
            break;
        put_one(&o, &s, &a, bytes, *f++);
    }
    va_end(a.ap);
    if (size)
        buf[MIN(o.len, size - 1)] = 0;
    return (int)o.len;
}

int fmt_snprintf(char *buf, size_t size, const char *f, ...)
{
    va_list ap;
    int n;

    va_start(ap, f);
    n = fmt_vsnprintf(buf, size, f, ap);
    va_end(ap);
    return n;
}

/* ---- parsing ---- */

static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

/* Digits at s; end is set behind them. */
static int parse_digits(const char *s, const char **end, uint64_t *out)
{
    unsigned base = 10;
    const char *start;
    uint64_t v = 0;

    if (s[0] == '0' && (s[1] | 0x20) == 'x')
        base = 16;
    else if (s[0] == '0' && (s[1] | 0x20) == 'b')
        base = 2;
    if (base != 10)
        s += 2;
    for (start = s; digit(*s) < base; s++) {
        if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit(*s), &v))
            return -ERANGE;
    }
    *end = s;
    *out = v;
    return s == start ? -EINVAL : 0;
}

int fmt_parse_u64(const char *s, uint64_t *out)
{
    uint64_t v;
    int err = parse_digits(s, &s, &v);

    if (err || *s)
        return err ? err : -EINVAL;
    *out = v;
    return 0;
}

int fmt_parse_size(const char *s, uint64_t *out)
{
    static const char letters[] = "kmgt";
    const char *letter;
    uint64_t v;
    int err = parse_digits(s, &s, &v);

    if (err)
        return err;
    letter = *s ? strchr(letters, *s | 0x20) : NULL;
    if (letter && *letter) {
        unsigned shift = 10 * ((unsigned)(letter - letters) + 1);

        if (v > UINT64_MAX >> shift)
            return -ERANGE;
        v <<= shift;
        s++;
        s += s[0] == 'i' && (s[1] | 0x20) == 'b' ? 2 : (s[0] | 0x20) == 'b' ? 1 : 0;
    }
    if (*s)
        return -EINVAL;
    *out = v;
    return 0;
}

#define NEAREST_MAX 32

/*
 * Edit distance of the first NEAREST_MAX letters: insert, delete, replace, and swap of two neighbours one
 * step each (optimal string alignment).
 */
static unsigned distance(const char *a, const char *b)
{
    size_t n = MIN(strlen(b), (size_t)NEAREST_MAX);
    unsigned rows[3][NEAREST_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];

    for (unsigned j = 0; j <= n; j++)
        last[j] = j;
    for (unsigned i = 0; a[i] && i < NEAREST_MAX; i++) {
        unsigned *spare = before;

        row[0] = i + 1;
        for (unsigned j = 0; j < n; j++) {
            unsigned best = MIN(last[j + 1], row[j]) + 1;

            best = MIN(best, last[j] + (a[i] != b[j]));
            if (i && j && a[i] == b[j - 1] && a[i - 1] == b[j])
                best = MIN(best, before[j - 1] + 1);
            row[j + 1] = best;
        }
        before = last;
        last = row;
        row = spare;
    }
    return last[n];
}

const char *fmt_nearest(const char *word, const char *const *known, size_t n)
{
    size_t best = 0;

    for (size_t i = 1; i < n; i++) {
        if (distance(word, known[i]) < distance(word, known[best]))
            best = i;
    }
    /* One mistake in a short word, one more for each three letters beyond; never a word made wholly new. */
    return n && distance(word, known[best]) <= (MIN(strlen(word), (size_t)NEAREST_MAX) + 1) / 3 ? known[best]
                                                                                                : NULL;
}

void fmt_hint(char *buf, size_t size, const char *word, const char *const *known, size_t n)
{
    const char *near = fmt_nearest(word, known, n);
    size_t at;

    if (near) {
        fmt_snprintf(buf, size, "the nearest is '%s'", near);
        return;
    }
    at = (size_t)fmt_snprintf(buf, size, "known:");
    for (size_t i = 0; i < n && at < size; i++)
        at += (size_t)fmt_snprintf(buf + at, size - at, "%s %s", i ? "," : "", known[i]);
}
