/* A double over a boxed single leaves no box, also where a compiler remembers that its operand had one
 * (Unprivileged 20240411, 21.2). */
#include "harness.h"

#define ROUNDS        200
#define CANONICAL_NAN 0xffffffff7fc00000UL

/* The sum of 1.0 and what the double operation makes of the single 2.0, as singles. */
#define CASE(code)                                                                                           \
    for (int i = 0; i < ROUNDS; i++) {                                                                       \
        u64 r;                                                                                               \
        asm volatile(".option push\n.option arch, +d\n"                                                      \
                     "fmv.w.x ft0, %1\n"                                                                     \
                     "fadd.s ft1, ft0, ft0\n" code "\n"                                                      \
                     "fadd.s ft3, ft0, ft2\n"                                                                \
                     "fmv.x.d %0, ft3\n.option pop"                                                          \
                     : "=r"(r)                                                                               \
                     : "r"(0x3f800000));                                                                     \
        if (!check(code, r, CANONICAL_NAN))                                                                  \
            break;                                                                                           \
    }

void test_main(void)
{
    section("a double is not a boxed single");
    csr_set("mstatus", MS_FS);
    csr_write("fcsr", 0);
    CASE("fsqrt.d ft2, ft1")
    CASE("fadd.d ft2, ft1, ft1")
    CASE("fmul.d ft2, ft0, ft1")
    CASE("fmadd.d ft2, ft0, ft0, ft1")
    CASE("fneg.d ft2, ft1")
    CASE("fabs.d ft2, ft1")
    asm volatile(".option push\n.option arch, +d\nfmv.d.x ft4, zero\n.option pop");
    CASE("fsgnj.d ft2, ft1, ft4")
}
