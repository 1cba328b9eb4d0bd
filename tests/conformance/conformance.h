/* The tests of one (guest, engine) pair; *state is its struct rig_pair. */
#ifndef CONFORMANCE_CONFORMANCE_H
#define CONFORMANCE_CONFORMANCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "rig.h"

/* exec.c: registers, accesses, exceptions, budgets, code writes, hashes. */
void exec_registers(void **state);
void exec_mmio(void **state);
void exec_bus_error(void **state);
void exec_illegal(void **state);
void exec_budget(void **state);
void exec_code_rewritten_by_guest(void **state);
void exec_code_rewritten_by_host(void **state);
void exec_dirty_again(void **state);
void exec_watch(void **state);
void exec_flush_keeps_state(void **state);
void exec_random_code(void **state);
void exec_deterministic(void **state);
void exec_checkpointed(void **state);

/* life.c: start, pause, stop, reset, interrupts, several vCPUs and VMs. */
void life_halt_and_wake(void **state);
void life_inject_not_lost(void **state);
void life_inject_handshake(void **state);
void life_pause(void **state);
void life_pause_while_halted(void **state);
void life_stop(void **state);
void life_first_result_stands(void **state);
void life_reset(void **state);
void life_reset_refused(void **state);
void life_states(void **state);
void life_calls(void **state);
void life_two_vms(void **state);
void life_destroy_running(void **state);

#endif
