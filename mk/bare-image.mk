# The bare image of an ISA: out/bare/<arch>/carbovisor.{elf,img}. One table of the two arches, one way for both.

BARE_ARCHES := riscv64 arm64

BARE_CROSS_riscv64 ?= riscv64-linux-gnu-
BARE_CROSS_arm64 ?= aarch64-linux-gnu-
# Hypervisor code touches no FP or vector registers: they belong to guests.
BARE_FLAGS_riscv64 := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -fno-pic
BARE_FLAGS_arm64 := -march=armv8-a -mgeneral-regs-only -mno-outline-atomics -mstrict-align -fno-pic
# RISC-V's libgcc is of another ABI; what is needed of it is in boot/riscv64/compiler.c.
BARE_LIBGCC_arm64 := -lgcc
BARE_OPT ?= -O2
# What runs at a command or at boot, and is short then: by size.
BARE_OPT_COLD ?= -Os
BARE_COLD := $(addprefix src/,app/bare/host.c app/bare/main.c app/bare/commands.c api/% backend/% config/% control/% loader/% machine/% \
  isa/% device/flash/% device/misc/% device/pci/% device/rtc/% device/intc/aplic.c guest/arm64/simd% guest/arm64/fp% \
  lib/softfloat.c lib/fmt.c platform/bare/board.c platform/bare/panic.c platform/bare/drivers/virtio% \
  core/vm.c core/state.c)
BARE_DEFS ?=
# CV_DEBUG brings lock-order checks.
ifeq ($(MODE),dbg)
BARE_DEFS += -DCV_DEBUG
endif

# Objects of other flags (MODE=dbg, BARE_OPT) in the same folder are built anew.
BARE_FLAGS_NOW := $(strip $(BARE_OPT) $(BARE_OPT_COLD) $(BARE_DEFS))
$(OUT)/bare/flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(BARE_FLAGS_NOW)' | cmp -s - $@ || echo '$(BARE_FLAGS_NOW)' >$@

# $(1): arch. Sources that an image of it is made of; lift and the IR belong to software engines.
bare_other = $(filter-out $(1),$(BARE_ARCHES) x86_64)
bare_src = $(filter-out %_test.c src/guest/$(1)/lift% src/guest/$(1)/helpers% \
  $(foreach o,$(call bare_other,$(1)),src/machine/virt_$(o)% src/platform/bare/boot/$(o)/% src/platform/bare/drivers/$(o)/% src/app/bare/registry_$(o).c) \
  $(foreach t,$(BARE_NOT) $(BARE_NOT_$(1)),src/$(t)),$(filter \
  src/lib/% src/core/% src/isa/$(1)/% src/guest/$(1)/% src/device/% src/machine/% src/loader/% src/control/% \
  $(foreach t,$(BARE_ALSO),src/$(t)) src/platform/bare/% src/engine/bare/$(1)/% src/app/bare/%,\
  $(sort $(shell find src -name '*.c' -o -name '*.S'))))
# What only one ISA's boards have.
BARE_NOT_riscv64 := platform/bare/drivers/gic% platform/bare/drivers/pl%
BARE_NOT_arm64 := platform/bare/drivers/goldfish%
# Parts of other folders that are freestanding, and parts of these that are not for an image.
BARE_ALSO := config/config.c config/bundle_read.c backend/block_raw.c backend/char_stream.c backend/net_switch.c backend/null.c \
  api/make.c api/registry_find.c
BARE_NOT := machine/machines.c platform/bare/sim/%

define bare_image
BARE_DIR_$(1) := $(OUT)/bare/$(1)
BARE_OBJ_$(1) := $$(patsubst %,$(OUT)/bare/$(1)/obj/%.o,$$(call bare_src,$(1)))

$(OUT)/bare/$(1)/obj/%.o: % $(OUT)/bare/flags
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(BARE_CROSS_$(1))gcc -std=gnu11 $$(if $$(filter $$(BARE_COLD),$$<),$$(BARE_OPT_COLD),$$(BARE_OPT)) -g $$(WARN) -ffreestanding -nostdinc \
	  -isystem $$(shell $$(BARE_CROSS_$(1))gcc -print-file-name=include) -Isrc -Iinclude -DCV_BARE $$(BARE_DEFS) \
	  -fno-strict-aliasing -fno-strict-overflow -fno-stack-protector -fno-asynchronous-unwind-tables \
	  -fno-common -ffunction-sections -fdata-sections $$(BARE_FLAGS_$(1)) -MMD -MP -c -o $$@ $$<

$(OUT)/bare/$(1)/carbovisor.elf: $$(BARE_OBJ_$(1)) src/platform/bare/boot/$(1)/image.ld
	$$(Q)$$(BARE_CROSS_$(1))gcc $$(BARE_FLAGS_$(1)) -nostdlib -static -no-pie -Wl,--no-undefined -Wl,--build-id=none \
	  -Wl,--gc-sections -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments -Wl,-Map=$$@.map \
	  -T src/platform/bare/boot/$(1)/image.ld -o $$@ $$(BARE_OBJ_$(1)) $$(BARE_LIBGCC_$(1))
$(OUT)/bare/$(1)/carbovisor.img: $(OUT)/bare/$(1)/carbovisor.elf
	$$(Q)$$(BARE_CROSS_$(1))objcopy -O binary $$< $$@

# The same with the interpreter, which nothing in it chooses: for its size (bench/README.md).
BARE_INTERP_OBJ_$(1) := $$(patsubst %,$(OUT)/bare/$(1)/obj/%.o,$$(filter src/engine/interp/% src/engine/soft/% src/ir/% \
  src/guest/$(1)/lift% src/guest/$(1)/helpers%,$$(SRC_CODE)))
$(OUT)/bare/$(1)/interp.elf: $$(BARE_OBJ_$(1)) $$(BARE_INTERP_OBJ_$(1)) src/platform/bare/boot/$(1)/image.ld
	$$(Q)$$(BARE_CROSS_$(1))gcc $$(BARE_FLAGS_$(1)) -nostdlib -static -no-pie -Wl,--no-undefined -Wl,--build-id=none \
	  -Wl,--gc-sections -Wl,-u,engine_interp -Wl,-u,lift_$(1) -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments \
	  -T src/platform/bare/boot/$(1)/image.ld -o $$@ $$(BARE_OBJ_$(1)) $$(BARE_INTERP_OBJ_$(1)) $$(BARE_LIBGCC_$(1))

bare-$(1): $(OUT)/bare/$(1)/carbovisor.img
.PHONY: bare-$(1)
-include $$(shell find $(OUT)/bare/$(1)/obj -name '*.d' 2>/dev/null)
endef
$(foreach a,$(BARE_ARCHES),$(eval $(call bare_image,$(a))))

## bare [ARCH=riscv64|arm64]: the bare form's image, out/bare/ARCH/carbovisor.img
bare: bare-$(ARCH)

## bare-size: bytes of text, rodata and data of each image that is built
bare-size:
	$(Q)for a in $(BARE_ARCHES); do f=$(OUT)/bare/$$a/carbovisor.elf; [ -e $$f ] || continue; \
	  size -A $$f | awk -v a=$$a '/^\.(text|rodata|data)/ {n += $$2; printf "%s %s %d\n", a, $$1, $$2} END {print a, "total", n}'; done
.PHONY: bare bare-size
