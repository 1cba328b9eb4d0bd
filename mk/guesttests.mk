# Bare-metal test programs for the riscv64 machine `virt`: tests/guests/riscv64, run by tests/run-guests.

gt_src := tests/guests/riscv64
gt_out := $(OUT)/tests/guests/riscv64
gt_cc := riscv64-linux-gnu-gcc
# No compressed code and no FP in the C parts, so that they stand on little; stubs name what they need themselves.
gt_cflags := -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -fno-pic -mcmodel=medany -mno-relax \
  -march=rv64ima_zicsr_zifencei -mabi=lp64 -fno-stack-protector -fno-strict-aliasing -fno-tree-loop-distribute-patterns \
  -fno-delete-null-pointer-checks -static -Wl,--build-id=none -Wl,-T,$(gt_src)/link.ld -Wl,--no-warn-rwx-segments
gt_base := $(gt_src)/start.S $(gt_src)/harness.c
gt_deps := $(gt_base) $(gt_src)/harness.h $(gt_src)/link.ld mk/guesttests.mk

gt_groups := i m a c zba zbb zbc zbs zicond f d zfh
gt_table := $(gt_groups:%=$(gt_out)/table-%.elf)
# Programs of one C file each; priv and smp ones with page tables.
gt_progs := $(patsubst $(gt_src)/prog/%.c,$(gt_out)/%.elf,$(wildcard $(gt_src)/prog/*.c))

$(gt_out)/table-%.S: $(gt_src)/gen.py $(gt_src)/fpref.py
	$(Q)mkdir -p $(@D)
	$(Q)python3 $(gt_src)/gen.py $* $@ $(@:.S=.bin)

$(gt_out)/table-%.elf: $(gt_out)/table-%.S $(gt_src)/table.c $(gt_deps)
	$(Q)$(gt_cc) $(gt_cflags) -I$(gt_src) -o $@ $(gt_base) $(gt_src)/table.c $<

$(gt_out)/%.elf: $(gt_src)/prog/%.c $(gt_src)/vm.c $(gt_src)/vm.h $(gt_src)/smp.c $(gt_src)/smp.h $(gt_deps)
	$(Q)mkdir -p $(@D)
	$(Q)$(gt_cc) $(gt_cflags) -I$(gt_src) -o $@ $(gt_base) $(gt_src)/vm.c $(gt_src)/smp.c $<

# S-mode programs over an SBI: sbi/sbi_x.c.
gt_sbi := $(patsubst $(gt_src)/sbi/sbi_%.c,$(gt_out)/sbi_%.elf,$(wildcard $(gt_src)/sbi/sbi_*.c))
gt_sbi_base := $(gt_src)/sbi/start.S $(gt_src)/sbi/sbi.c $(gt_src)/harness.c $(gt_src)/vm.c
$(gt_out)/sbi_%.elf: $(gt_src)/sbi/sbi_%.c $(gt_sbi_base) $(gt_src)/sbi/sbi.h $(gt_src)/vm.h $(gt_deps)
	$(Q)mkdir -p $(@D)
	$(Q)$(gt_cc) -Wl,--defsym=image_base=0x80200000 $(gt_cflags) -I$(gt_src) -o $@ $(gt_sbi_base) $<

# The same for arm64: tests/guests/arm64, one C file a program.
gta_src := tests/guests/arm64
gta_out := $(OUT)/tests/guests/arm64
gta_cc := aarch64-linux-gnu-gcc
# Translation is off at first, where all memory is Device and accesses have to be aligned.
gta_cflags := -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -fno-pic -march=armv8.1-a -mstrict-align \
  -mgeneral-regs-only -fno-stack-protector -fno-strict-aliasing -fno-tree-loop-distribute-patterns \
  -static -Wl,--build-id=none -Wl,-T,$(gta_src)/link.ld -Wl,--no-warn-rwx-segments
gta_progs := $(patsubst $(gta_src)/prog/%.c,$(gta_out)/%.elf,$(wildcard $(gta_src)/prog/*.c))
# Those that also come with a hundred times the work.
gta_progs += $(gta_out)/smp_litmus_soak.elf $(gta_out)/smp_atomics_soak.elf $(gta_out)/smp_hostile_soak.elf

gta_lib := $(filter-out $(gta_src)/start.S,$(wildcard $(gta_src)/*.[cS]))
$(gta_out)/%.elf: $(gta_src)/prog/%.c $(gta_src)/start.S $(gta_lib) $(wildcard $(gta_src)/*.h) \
  $(gta_src)/link.ld src/platform/bare/boot/arm64/pairs.inc mk/guesttests.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(gta_cc) $(gta_cflags) -I$(gta_src) -o $@ $(gta_src)/start.S $(gta_lib) $<

$(gta_out)/%_soak.elf: $(gta_src)/prog/%.c $(gta_out)/%.elf
	$(Q)$(gta_cc) $(gta_cflags) -DSOAK -I$(gta_src) -o $@ $(gta_src)/start.S $(gta_lib) $<

# Presses the power button of the machine that runs power_key.
$(OUT)/tests/guests/press: tests/guests/press.c $(B)/libcarbovisor.a include/carbovisor/carbovisor.h
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -O1 -Wall -Wextra -Werror $(filter -fsanitize%,$(LDFLAGS)) -Iinclude -o $@ $< $(B)/libcarbovisor.a $(PKG_LIBS) $(LDLIBS)

## guest-programs: build the bare-metal guest tests (tests/run-guests runs them)
guest-programs: $(OUT)/tests/guests/press $(gt_table) $(gt_progs) $(gt_sbi) $(gta_progs)
.PHONY: guest-programs
