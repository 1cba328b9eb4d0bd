/* What a body needs from its surroundings: the bare machine `virt` (bare.S) or Linux (linux.S). */
#ifndef ORACLE_SHIM_H
#define ORACLE_SHIM_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

void put(const char *s, u64 len);
void leave(u64 status) __attribute__((noreturn));
/* Each body's main; the program ends with status 0 when it returns. */
void body_main(void);

static inline void put_str(const char *s)
{
    u64 n = 0;

    while (s[n])
        n++;
    put(s, n);
}

/* 16 digits, then end. */
static inline void put_hex(u64 v, char end)
{
    char text[17];

    for (int i = 0; i < 16; i++)
        text[i] = "0123456789abcdef"[v >> (60 - 4 * i) & 15];
    text[16] = end;
    put(text, 17);
}

#define FOLD(h, v) ((h) = ((h) ^ (v)) * 0x9e3779b97f4a7c15UL, (h) ^= (h) >> 29)
#endif
