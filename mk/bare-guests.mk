# Guests for the tests and the instruction counts of the bare form: out/bare-guests/<arch>/<name>.elf

bare_guest_cc_riscv64 := riscv64-linux-gnu-gcc -march=rv64gc_zicsr_zifencei -mabi=lp64 -mcmodel=medany
bare_guest_src_riscv64 := $(wildcard tests/bare/*.h tests/bare/riscv64/*.[ch] tests/bare/riscv64/*.S) tests/bare/riscv64/link.ld
BARE_GUESTS_riscv64 := bench compete late blk spin hello forms hostile tick chatter alarm victim moved wide plic hvc vector vector2

# One program, several roles.
bare_bench_compete.elf := -DCOMPETING
bare_bench_late.elf := -DLATE
bare_bench_blk.elf := -DBLK
bare_bench_neighbour.elf := -DNEIGHBOUR
bare_bench_chatter.elf := -DRATE=1000
bare_bench_alarm.elf := -DBY_CALL
bare_bench_vector2.elf := -DSEED=3

bare_guest_flags := -O2 -std=gnu11 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector -nostdlib -static \
  -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments

# $(call bare_guest_build,ISA,SOURCES)
define bare_guest_build
$(Q)mkdir -p $(@D)
$(Q)$(bare_guest_cc_$(1)) $(bare_guest_flags) $(bare_bench_$(notdir $@)) -T tests/bare/$(1)/link.ld -o $@ \
  tests/bare/$(1)/start.S tests/bare/$(1)/defaults.c $(2)
endef

bare_guest_src_riscv64 += tests/bare/common.h src/platform/bare/boot/riscv64/frame.inc
$(OUT)/bare-guests/riscv64/%.elf: tests/bare/riscv64/%.c $(bare_guest_src_riscv64)
	$(call bare_guest_build,riscv64,$<)
$(OUT)/bare-guests/riscv64/chatter.elf $(OUT)/bare-guests/riscv64/alarm.elf: tests/bare/riscv64/tick.c $(bare_guest_src_riscv64)
	$(call bare_guest_build,riscv64,$<)
$(OUT)/bare-guests/riscv64/compete.elf $(OUT)/bare-guests/riscv64/late.elf $(OUT)/bare-guests/riscv64/blk.elf: tests/bare/riscv64/bench.c tests/bare/blk.h $(bare_guest_src_riscv64)
	$(call bare_guest_build,riscv64,$<)
$(OUT)/bare-guests/riscv64/vector2.elf: tests/bare/riscv64/vector.c $(bare_guest_src_riscv64)
	$(call bare_guest_build,riscv64,$<)
# In place of the hypervisor: tells what the firmware took.
$(OUT)/bare-guests/riscv64/null.img: tests/bare/riscv64/null.S
	$(Q)mkdir -p $(@D)
	$(Q)riscv64-linux-gnu-gcc -march=rv64imac -mabi=lp64 -nostdlib -static -Wl,--build-id=none,-Ttext=0x80200000 -o $@.elf $<
	$(Q)riscv64-linux-gnu-objcopy -O binary $@.elf $@

bare_guest_cc_arm64 := aarch64-linux-gnu-gcc -march=armv8-a -mgeneral-regs-only -mstrict-align
bare_guest_src_arm64 := $(wildcard tests/bare/*.h tests/bare/arm64/*.[ch] tests/bare/arm64/*.S) tests/bare/arm64/link.ld
BARE_GUESTS_arm64 := bench compete late blk spin hello forms hostile tick chatter victim moved flood calm gicv2 wide lent neighbour hvc

bare_guest_src_arm64 += tests/bare/common.h src/platform/bare/boot/arm64/pairs.inc
$(OUT)/bare-guests/arm64/%.elf: tests/bare/arm64/%.c $(bare_guest_src_arm64)
	$(call bare_guest_build,arm64,$<)
$(OUT)/bare-guests/arm64/compete.elf $(OUT)/bare-guests/arm64/late.elf $(OUT)/bare-guests/arm64/blk.elf: tests/bare/arm64/bench.c tests/bare/blk.h $(bare_guest_src_arm64)
	$(call bare_guest_build,arm64,$<)
$(OUT)/bare-guests/arm64/forms.elf: tests/bare/arm64/forms.c tests/bare/arm64/overflow.c tests/bare/arm64/its.c $(bare_guest_src_arm64)
	$(call bare_guest_build,arm64,$(filter %/forms.c %/overflow.c %/its.c,$^))
$(OUT)/bare-guests/arm64/chatter.elf: tests/bare/arm64/tick.c $(bare_guest_src_arm64)
	$(call bare_guest_build,arm64,$<)
$(OUT)/bare-guests/arm64/neighbour.elf: tests/bare/arm64/lent.c $(bare_guest_src_arm64)
	$(call bare_guest_build,arm64,$<)
$(OUT)/bare-guests/arm64/null.img: tests/bare/arm64/null.S
	$(Q)mkdir -p $(@D)
	$(Q)aarch64-linux-gnu-gcc -nostdlib -static -Wl,--build-id=none,-Ttext=0 -o $@.elf $<
	$(Q)aarch64-linux-gnu-objcopy -O binary $@.elf $@

bare-guests: $(foreach g,$(BARE_GUESTS_$(ARCH)),$(OUT)/bare-guests/$(ARCH)/$(g).elf) $(OUT)/bare-guests/$(ARCH)/null.img

## bench-bare [ARCH=riscv64]: what leaving a guest costs, in instructions, against its bars
bench-bare: bare bare-guests $(OUT)/bare/$(ARCH)/interp.elf $(OUT)/carbovisor
	$(Q)bench/bare --arch $(ARCH) --out $(OUT)
.PHONY: bare-guests bench-bare
