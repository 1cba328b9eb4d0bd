/* Floating-point rows. Contraction is off and libm unused, so the checksums are bit-exact on every guest. */
#include "row.h"

static uint64_t run_matmul(unsigned long n)
{
    enum { N = 48 };
    static double a[N][N], b[N][N], c[N][N];
    uint64_t s = 21, sum = 0;

    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i][j] = (double)(int32_t)rnd(&s) / 65536, b[i][j] = (double)(int32_t)rnd(&s) / 65536;
    while (n--) {
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                double t = 0;

                for (int k = 0; k < N; k++)
                    t += a[i][k] * b[k][j];
                c[i][j] = t;
            }
        }
        a[n % N][n / N % N] = c[n % N][5] * 1e-6;
        sum = mix(sum, bits(c[n % N][n / N % N]));
    }
    return sum;
}

struct body {
    double p[3], v[3], m;
};

static void nbody_step(struct body *b, int count, double dt)
{
    for (int i = 0; i < count; i++) {
        for (int j = i + 1; j < count; j++) {
            double d[3], r2 = 0.01, f;

            for (int k = 0; k < 3; k++)
                d[k] = b[i].p[k] - b[j].p[k], r2 += d[k] * d[k];
            f = dt / (r2 * __builtin_sqrt(r2));
            for (int k = 0; k < 3; k++) {
                b[i].v[k] -= d[k] * b[j].m * f;
                b[j].v[k] += d[k] * b[i].m * f;
            }
        }
    }
    for (int i = 0; i < count; i++)
        for (int k = 0; k < 3; k++)
            b[i].p[k] += dt * b[i].v[k];
}

static uint64_t run_nbody(unsigned long n)
{
    enum { N = 6 };
    struct body b[N];
    uint64_t s = 22, sum = 0;

    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 3; k++) {
            b[i].p[k] = (double)(int16_t)rnd(&s) / 1024;
            b[i].v[k] = (double)(int16_t)rnd(&s) / 65536;
        }
        b[i].m = 1 + i;
    }
    while (n--)
        nbody_step(b, N, 0.001);
    for (int i = 0; i < N; i++)
        sum = mix(sum, bits(b[i].p[0]) ^ bits(b[i].v[2]));
    return sum;
}

static uint64_t run_mandel(unsigned long n)
{
    uint64_t inside = 0;

    for (unsigned long y = 0; y < n; y++) {
        for (unsigned x = 0; x < 64; x++) {
            double cr = x / 24.0 - 2.0, ci = (double)y / (double)n * 2.4 - 1.2, zr = 0, zi = 0;
            int k = 0;

            for (; k < 200; k++) {
                double r2 = zr * zr, i2 = zi * zi;

                if (r2 + i2 > 4.0)
                    break;
                zi = 2 * zr * zi + ci;
                zr = r2 - i2 + cr;
            }
            inside += (uint64_t)k;
        }
    }
    return inside;
}

static uint64_t run_triad(unsigned long n)
{
    enum { N = 4096 };
    static double a[N], b[N], c[N];
    uint64_t s = 23, sum = 0;

    for (int i = 0; i < N; i++)
        b[i] = (double)(int32_t)rnd(&s), c[i] = (double)(int32_t)rnd(&s) / 4096;
    while (n--) {
        double q = 0.5 + (double)(n & 7);

        for (int i = 0; i < N; i++)
            a[i] = b[i] + q * c[i];
        b[n & (N - 1)] = a[n * 7 & (N - 1)];
    }
    for (int i = 0; i < N; i += 16)
        sum = mix(sum, bits(a[i]));
    return sum;
}

/* Single precision: a 3-point filter with a limiter. */
static uint64_t run_float32(unsigned long n)
{
    enum { N = 4096 };
    static float a[N + 2], b[N + 2];
    uint64_t s = 24, sum = 0;

    for (int i = 0; i < N + 2; i++)
        a[i] = (float)(int32_t)rnd(&s) / 65536;
    while (n--) {
        for (int i = 1; i <= N; i++) {
            float t = 0.25f * a[i - 1] + 0.5f * a[i] + 0.25f * a[i + 1];

            b[i] = t > 20000.0f ? 20000.0f : t;
        }
        for (int i = 1; i <= N; i++)
            a[i] = b[i] * 1.0001f - 0.5f;
    }
    for (int i = 0; i < N; i += 16)
        sum = mix(sum, bits(a[i]));
    return sum;
}

static uint64_t run_fma_sqrt_div(unsigned long n)
{
    double x = 1.5, y = 0.25, sum = 0;

    while (n--) {
        x = __builtin_fma(x, y, 1.25);
        y = __builtin_sqrt(x * 0.5 + y);
        x = x / (y + 0.75) + __builtin_fma(-x, 0.125, y);
        sum += x - y;
    }
    return mix(bits(x), bits(sum));
}

/* Conversions both ways, comparisons, sign injection, minimum: what numeric code does between its sums. */
static uint64_t run_convert(unsigned long n)
{
    uint64_t s = 25, sum = 0;

    while (n--) {
        int64_t i = (int64_t)rnd(&s) >> 20;
        double d = (double)i * 0.001, e = __builtin_fabs(d);
        float f = (float)d;

        sum += (uint64_t)(int64_t)e + (uint64_t)(int64_t)(int32_t)(f * 0.0001f);
        sum ^= (uint64_t)(d < (double)f) << 7;
        sum += (uint64_t)(e > 1e9 ? 1 : __builtin_copysign(2.0, d) > 0);
    }
    return sum;
}

const struct row rows_fp[] = {
    {"fp", "matmul", run_matmul, 470, NULL, 1},
    {"fp", "nbody", run_nbody, 280000, NULL, 1},
    {"fp", "mandel", run_mandel, 4500, NULL, 1},
    {"fp", "triad", run_triad, 6000, NULL, 1},
    {"fp", "float32", run_float32, 2000, NULL, 1},
    {"fp", "fma-sqrt-div", run_fma_sqrt_div, 15000000, NULL, 1},
    {"fp", "convert", run_convert, 8100000, NULL, 1},
    {NULL, NULL, NULL, 0, NULL, 0},
};
