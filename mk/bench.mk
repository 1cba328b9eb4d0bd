# The benchmark: programs for the guest, then the driver that runs them beside QEMU.

bench_out := $(OUT)/bench/$(ARCH)
bench_text := $(if $(filter arm64,$(ARCH)),0x40200000,0x80000000)
bench_cross := $(if $(filter arm64,$(ARCH)),aarch64,$(ARCH))-linux-gnu-gcc
# No contraction and no libm calls, so that checksums are bit-exact; loops stay loops, not calls of memcpy.
bench_cflags := -O2 -std=gnu11 -Wall -Wextra -Werror -static -pthread -ffp-contract=off -fno-math-errno \
  -fno-tree-loop-distribute-patterns $(if $(filter x86_64,$(ARCH)),-mfma)
bench_sources := $(wildcard bench/guest/*.c) bench/guest/arch/$(ARCH).c

$(bench_out)/cvbench: $(bench_sources) $(wildcard bench/guest/*.h) mk/bench.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(bench_cross) $(bench_cflags) -o $@ $(bench_sources)

$(bench_out)/start.elf: bench/guest/arch/$(ARCH)-start.S mk/bench.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(bench_cross) -nostdlib -static -Wl,--build-id=none,-n,-Ttext=$(bench_text) -o $@ $<

bench-programs: $(bench_out)/cvbench $(bench_out)/start.elf
	@:

## bench: the same guest work under Carbovisor and QEMU: table, CSV, plot   [ARCH=riscv64] [ARGS='--rows fp --reps 1']
bench:
	$(Q)scripts/setup build guests bench
	$(Q)scripts/guests $(ARCH)
	$(Q)$(MAKE) bench-programs
	$(Q)$(if $(findstring --only qemu,$(ARGS)),true,$(MAKE) MODE=rel $(OUT)/carbovisor)
	$(Q)bench/run --arch $(ARCH) $(ARGS)

.PHONY: bench bench-programs
