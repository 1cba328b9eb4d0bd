# What is built from what. Sources are found by folder; a unit test x_test.c becomes out/build/MODE/test/x_test.

PLATFORM := linux
PKGS := libcyaml yaml-0.1
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

# Everything but platforms and the program: what both forms share and the tests link.
SRC_ALL := $(sort $(shell find src -name '*.c'))
SRC_TEST := $(filter %_test.c,$(SRC_ALL))
SRC_CODE := $(filter-out %_test.c,$(SRC_ALL))
SRC_PLAT := $(filter src/platform/linux/%,$(SRC_CODE))
SRC_PTEST := $(filter src/platform/test/%,$(SRC_CODE))
# What of the bare platform its unit tests run, on a simulated machine.
SRC_PBARE := $(filter src/platform/bare/mm/% src/platform/bare/sched/% src/platform/bare/sync/% src/platform/bare/irq/% \
  src/platform/bare/sim/% src/platform/bare/board.c src/platform/bare/files.c src/platform/bare/disk.c \
  src/platform/bare/boot/arm64/smccc.c src/platform/bare/boot/riscv64/hgatp.c,$(SRC_CODE))
SRC_APP := $(filter src/app/carbovisor/%,$(SRC_CODE))
SRC_NAT := $(filter src/app/nat/%,$(SRC_CODE))
# Engines of the bare form belong to its image (mk/bare-image.mk).
SRC_LIB := $(filter-out src/platform/% src/app/% src/engine/bare/%,$(SRC_CODE))

obj = $(patsubst %.c,$(B)/%.o,$(1))
OBJ_LIB := $(call obj,$(SRC_LIB))
OBJ_PLAT := $(call obj,$(SRC_PLAT))
OBJ_PTEST := $(call obj,$(SRC_PTEST))
OBJ_PBARE := $(call obj,$(SRC_PBARE))
OBJ_APP := $(call obj,$(SRC_APP))
OBJ_NAT := $(call obj,$(SRC_NAT))

# Freestanding parts: no builtin surprises. Code that generated code calls touches no vector registers.
LEAN := src/guest/% src/engine/soft/% src/core/mem.c
# Other modes instrument it, so there generated code saves vector registers around it.
CFLAGS += $(if $(filter rel dbg,$(MODE)),-DCV_LEAN)
lean_flags = $(if $(filter $(LEAN),$(1)),$(if $(filter rel dbg,$(MODE)),-mgeneral-regs-only))

# 16-byte compare-and-swap, of which x86-64 compilers have to be told.
HOST := $(shell $(CC) -dumpmachine 2>/dev/null)
CFLAGS += $(if $(findstring x86_64,$(HOST)),-mcx16)

$(B)/%.o: %.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(PKG_CFLAGS) $(call lean_flags,$<) -c -o $@ $<

$(B)/libcv.a: $(OBJ_LIB)
	$(Q)rm -f $@; ar rcs $@ $^
$(B)/libplat-linux.a: $(OBJ_PLAT)
	$(Q)rm -f $@; ar rcs $@ $^
$(B)/libplat-test.a: $(OBJ_PTEST)
	$(Q)rm -f $@; ar rcs $@ $^
# Their lock-order checks are a part of the test.
$(OBJ_PBARE): CFLAGS += -DCV_DEBUG
$(B)/libplat-bare.a: $(OBJ_PBARE)
	$(Q)rm -f $@; ar rcs $@ $^

# The links follow MODE, so their age says nothing.
FORCE:
.PHONY: FORCE
$(OUT)/carbovisor: $(B)/carbovisor FORCE
	$(Q)ln -sf build/$(MODE)/carbovisor $@
$(B)/carbovisor: $(OBJ_APP) $(B)/libcv.a $(B)/libplat-linux.a
	$(Q)$(CC) $(LDFLAGS) -o $@ $(OBJ_APP) -Wl,--start-group $(B)/libcv.a $(B)/libplat-linux.a -Wl,--end-group $(PKG_LIBS) $(LDLIBS)

# The NAT helper, a program of its own. It locks itself up further than sanitizers can live with.
$(OBJ_NAT): CFLAGS := $(filter-out -fsanitize% -fno-sanitize% --coverage,$(CFLAGS))
all: $(OUT)/carbovisor-nat
$(OUT)/carbovisor-nat: $(B)/carbovisor-nat FORCE
	$(Q)ln -sf build/$(MODE)/carbovisor-nat $@
$(B)/carbovisor-nat: $(OBJ_NAT)
	$(Q)$(CC) -o $@ $(OBJ_NAT) -lslirp -lseccomp

# Unit tests: on the test platform, except where real memory and files are the point.
TEST_ON_LINUX := src/control/% src/config/% src/guest/% src/loader/% src/ir/% src/lib/% src/core/% src/engine/% src/platform/linux/% src/app/%
EXTRA_LIBS_fdt_test := -lfdt
TESTS := $(patsubst src/%.c,$(B)/test/%,$(SRC_TEST))
test_plat = $(if $(filter src/platform/bare/% src/engine/bare/%,src/$(1).c),$(B)/libplat-bare.a,$(if $(filter $(TEST_ON_LINUX),src/$(1).c),$(B)/libplat-linux.a,$(B)/libplat-test.a))
$(B)/test/%: $(B)/src/%.o $(B)/libcv.a $(B)/libplat-test.a $(B)/libplat-linux.a $(B)/libplat-bare.a
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(B)/libcv.a $(call test_plat,$*) -Wl,--end-group $(PKG_LIBS) $(LDLIBS) -lcmocka -lm $(EXTRA_LIBS_$(notdir $*))

# It starts the program.
$(B)/test/app/nat/nat_test: $(B)/carbovisor-nat

unit-tests: $(TESTS)
.PHONY: unit-tests
.SECONDARY:

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# It sets the host's rounding mode.
$(B)/src/lib/softfloat_test.o: CFLAGS += -frounding-math
