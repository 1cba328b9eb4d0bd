# The bare form can be: its parts compiled without the C library's headers and linked against a platform of stubs.

BARE_CC ?= $(CC)
# RISC-V compilers of this age call a library for atomic bytes; it has no needs of its own.
BARE_LIBS := $(if $(findstring riscv64,$(BARE_CC)),-latomic)
BARE_OUT := $(OUT)/bare-link/$(notdir $(BARE_CC))
# What a bare image for this guest is made of; lift belongs to the software engines.
BARE_SRC := $(filter-out %_test.c src/guest/riscv64/lift% src/guest/riscv64/helpers.c,$(filter \
  src/lib/% src/isa/riscv64/% src/core/% src/ir/% src/guest/riscv64/% src/device/% src/machine/% src/loader/%,$(SRC_CODE)))
BARE_OBJ := $(patsubst %.c,$(BARE_OUT)/%.o,$(BARE_SRC) src/platform/bare/str.c tests/bare-link/stub.c)
# The compiler's own headers are all there is.
BARE_CFLAGS = -std=gnu11 -O2 $(WARN) -ffreestanding -nostdinc -isystem $(shell $(BARE_CC) -print-file-name=include) \
  -Isrc -fno-strict-aliasing -fno-strict-overflow -fno-stack-protector -fno-pic -MMD -MP

$(BARE_OUT)/%.o: %.c
	$(Q)mkdir -p $(@D)
	$(Q)$(BARE_CC) $(BARE_CFLAGS) -c -o $@ $<

$(BARE_OUT)/carbovisor.elf: $(BARE_OBJ)
	$(Q)$(BARE_CC) -nostdlib -static -no-pie -Wl,-e,start -Wl,--no-undefined -Wl,--build-id=none -o $@ $(BARE_OBJ) $(BARE_LIBS) -lgcc

## bare-link: link what the bare form is made of, freestanding, against a platform of stubs   [BARE_CC=...]
bare-link: $(BARE_OUT)/carbovisor.elf
	$(Q)echo "bare-link: $(words $(BARE_OBJ)) files, no undefined symbol"

-include $(shell find $(BARE_OUT) -name '*.d' 2>/dev/null)
.PHONY: bare-link
