/* What both bare machines do about an exception that nobody expected: tell it, end the program. */
#include "shim.h"

void trapped(u64 cause, u64 pc, u64 address);
void trapped(u64 cause, u64 pc, u64 address)
{
    put_str("trap\n");
    put_hex(cause, '\n');
    put_hex(pc, '\n');
    put_hex(address, '\n');
    leave(63);
}
