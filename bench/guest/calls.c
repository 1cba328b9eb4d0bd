/* Control-flow rows: calls, returns, indirect jumps, and dispatch sites with one, few or many targets. */
#include "row.h"

#define NOIPA __attribute__((noipa))

static NOIPA uint64_t fib(uint64_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static uint64_t run_fib(unsigned long n)
{
    uint64_t sum = 0;

    while (n--)
        sum += fib(24 + (n & 1));
    return sum;
}

static NOIPA int tak(int x, int y, int z)
{
    return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

static uint64_t run_tak(unsigned long n)
{
    uint64_t sum = 0;

    while (n--)
        sum += (uint64_t)tak(16, 10, (int)(n & 3));
    return sum;
}

/* 64 distinct small functions, so that a call site can be given as many targets as wanted. */
#define OP(i)                                                                                                \
    static NOIPA uint64_t op_##i(uint64_t x)                                                                 \
    {                                                                                                        \
        return (x << (i % 7 + 1)) + (x >> (i % 11 + 3)) + i;                                                 \
    }
#define OPS8(m, a) m(a##0) m(a##1) m(a##2) m(a##3) m(a##4) m(a##5) m(a##6) m(a##7)
#define OPS64(m)   OPS8(m, 1) OPS8(m, 2) OPS8(m, 3) OPS8(m, 4) OPS8(m, 5) OPS8(m, 6) OPS8(m, 7) OPS8(m, 8)
OPS64(OP)
#define OP_NAME(i) op_##i,
static uint64_t (*const ops[64])(uint64_t) = {OPS64(OP_NAME)};

/* One site, four targets in a fixed order. */
static uint64_t run_icall(unsigned long n)
{
    uint64_t x = 1;

    while (n--)
        x = ops[n & 3](x) ^ n;
    return x;
}

/* One site, 64 targets in random order: no cache per site can hold them. */
static uint64_t run_mega(unsigned long n)
{
    static uint8_t order[4096];
    uint64_t s = 11, x = 1;

    for (int i = 0; i < 4096; i++)
        order[i] = rnd(&s) >> 58;
    while (n--)
        x = ops[order[n & 4095]](x) ^ n;
    return x;
}

/* Method calls through objects of eight kinds, as object-oriented programs do them. */
struct shape;
struct shape_ops {
    uint64_t (*area)(const struct shape *s);
    uint64_t (*scale)(struct shape *s, uint32_t by);
};
struct shape {
    const struct shape_ops *ops;
    uint32_t a, b;
};

#define SHAPE(i)                                                                                             \
    static NOIPA uint64_t area_##i(const struct shape *s)                                                    \
    {                                                                                                        \
        return (uint64_t)s->a * i + s->b;                                                                    \
    }                                                                                                        \
    static NOIPA uint64_t scale_##i(struct shape *s, uint32_t by)                                            \
    {                                                                                                        \
        s->a += by ^ i;                                                                                      \
        return s->a;                                                                                         \
    }                                                                                                        \
    static const struct shape_ops shape_##i = {area_##i, scale_##i};
OPS8(SHAPE, 1)
#define SHAPE_NAME(i) &shape_##i,
static const struct shape_ops *const kinds[8] = {OPS8(SHAPE_NAME, 1)};

static uint64_t run_virtual(unsigned long n)
{
    static struct shape shapes[1024];
    uint64_t s = 12, sum = 0;

    for (int i = 0; i < 1024; i++)
        shapes[i] = (struct shape){kinds[rnd(&s) >> 61], (uint32_t)i, (uint32_t)i * 3};
    while (n--) {
        for (int i = 0; i < 1024; i++) {
            sum += shapes[i].ops->area(&shapes[i]);
            sum ^= shapes[i].ops->scale(&shapes[i], (uint32_t)n);
        }
    }
    return sum;
}

/* A bytecode machine: what it runs is the sum over i of i * 3 ^ (i & 7). */
enum { B_LIT, B_LOAD, B_STORE, B_ADD, B_MUL, B_XOR, B_AND, B_DEC, B_JNZ, B_DUP, B_DROP, B_HALT };

static const uint8_t bytecode[] = {B_LOAD, 0,     B_LIT,   3, B_MUL, B_LOAD,  0,     B_LIT,  7,
                                   B_AND,  B_XOR, B_LOAD,  1, B_ADD, B_STORE, 1,     B_LOAD, 0,
                                   B_DEC,  B_DUP, B_STORE, 0, B_JNZ, 0,       B_HALT};

static NOIPA uint64_t machine_switch(uint64_t count)
{
    uint64_t stack[16], vars[2] = {count, 0}, *sp = stack;
    const uint8_t *pc = bytecode;

    for (;;) {
        switch (*pc++) {
        case B_LIT:
            *sp++ = *pc++;
            break;
        case B_LOAD:
            *sp++ = vars[*pc++];
            break;
        case B_STORE:
            vars[*pc++] = *--sp;
            break;
        case B_ADD:
            sp--, sp[-1] += sp[0];
            break;
        case B_MUL:
            sp--, sp[-1] *= sp[0];
            break;
        case B_XOR:
            sp--, sp[-1] ^= sp[0];
            break;
        case B_AND:
            sp--, sp[-1] &= sp[0];
            break;
        case B_DEC:
            sp[-1]--;
            break;
        case B_DUP:
            *sp = sp[-1], sp++;
            break;
        case B_DROP:
            sp--;
            break;
        case B_JNZ:
            pc = *--sp ? bytecode + *pc : pc + 1;
            break;
        default:
            return vars[1];
        }
    }
}

/* The same machine with one indirect jump per operation. */
static NOIPA uint64_t machine_goto(uint64_t count)
{
    static const void *const labels[] = {&&lit, &&load, &&store, &&add, &&mul,  &&xor,
                                         &&and, &&dec,  &&jnz,   &&dup, &&drop, &&halt};
    uint64_t stack[16], vars[2] = {count, 0}, *sp = stack;
    const uint8_t *pc = bytecode;

#define NEXT goto *labels[*pc++]
    NEXT;
lit:
    *sp++ = *pc++;
    NEXT;
load:
    *sp++ = vars[*pc++];
    NEXT;
store:
    vars[*pc++] = *--sp;
    NEXT;
add:
    sp--, sp[-1] += sp[0];
    NEXT;
mul:
    sp--, sp[-1] *= sp[0];
    NEXT;
    xor : sp--, sp[-1] ^= sp[0];
    NEXT;
    and : sp--, sp[-1] &= sp[0];
    NEXT;
dec:
    sp[-1]--;
    NEXT;
jnz:
    pc = *--sp ? bytecode + *pc : pc + 1;
    NEXT;
dup:
    *sp = sp[-1], sp++;
    NEXT;
drop:
    sp--;
    NEXT;
halt:
    return vars[1];
#undef NEXT
}

static uint64_t run_interp(unsigned long n)
{
    return machine_switch(n);
}

static uint64_t run_threaded(unsigned long n)
{
    return machine_goto(n);
}

/* Returns from depth 400 to callers that alternate: deeper than any hardware return stack. */
static NOIPA uint64_t deep(uint64_t depth, uint64_t x)
{
    if (!depth)
        return x;
    if (x & 1)
        return deep(depth - 1, x * 5 + 1) + depth;
    return deep(depth - 1, x / 2 + depth) ^ depth;
}

static uint64_t run_deep(unsigned long n)
{
    uint64_t sum = 0;

    while (n--)
        sum += deep(400, n * 77);
    return sum;
}

/* A lexer for numbers, names and comments as a state machine over text. */
static uint64_t run_fsm(unsigned long n)
{
    enum { START, NAME, NUMBER, HEX, FRACTION, SLASH, COMMENT, STAR, STRING, ESCAPE };
    static const char alphabet[] = "ab x01.9/*\"\\_\n z7e";
    static uint8_t text[4096];
    uint64_t s = 13, counts[10] = {0}, sum = 0;

    for (int i = 0; i < 4096; i++)
        text[i] = (uint8_t)alphabet[rnd(&s) % (sizeof(alphabet) - 1)];
    while (n--) {
        int state = START;

        for (int i = 0; i < 4096; i++) {
            int c = text[i], digit = c >= '0' && c <= '9', letter = (c >= 'a' && c <= 'z') || c == '_';

            switch (state) {
            case START:
                state = letter ? NAME : digit ? NUMBER : c == '/' ? SLASH : c == '"' ? STRING : START;
                break;
            case NAME:
                state = letter || digit ? NAME : START;
                break;
            case NUMBER:
                state = digit ? NUMBER : c == 'x' ? HEX : c == '.' ? FRACTION : START;
                break;
            case HEX:
                state = digit || (c >= 'a' && c <= 'f') ? HEX : START;
                break;
            case FRACTION:
                state = digit ? FRACTION : START;
                break;
            case SLASH:
                state = c == '*' ? COMMENT : START;
                break;
            case COMMENT:
                state = c == '*' ? STAR : COMMENT;
                break;
            case STAR:
                state = c == '/' ? START : c == '*' ? STAR : COMMENT;
                break;
            case STRING:
                state = c == '"' ? START : c == '\\' ? ESCAPE : STRING;
                break;
            default:
                state = STRING;
            }
            counts[state]++;
        }
    }
    for (int i = 0; i < 10; i++)
        sum = mix(sum, counts[i]);
    return sum;
}

const struct row rows_calls[] = {
    {"calls", "fib", run_fib, 310, NULL, 1},
    {"calls", "tak", run_tak, 9, NULL, 1},
    {"calls", "icall", run_icall, 28000000, NULL, 1},
    {"calls", "mega", run_mega, 11000000, NULL, 1},
    {"calls", "virtual", run_virtual, 8500, NULL, 1},
    {"calls", "interp", run_interp, 2600000, NULL, 1},
    {"calls", "threaded", run_threaded, 2300000, NULL, 1},
    {"calls", "deep", run_deep, 100000, NULL, 1},
    {"calls", "fsm", run_fsm, 12000, NULL, 1},
    {NULL, NULL, NULL, 0, NULL, 0},
};
