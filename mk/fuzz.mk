# Fuzz targets by libFuzzer: fuzz/X.c is target X, its seeds are fuzz/seeds/X, what a run finds goes to out/fuzz/X.

FUZZ_CC ?= clang
FUZZ_OUT := $(OUT)/fuzz
FUZZ_TARGETS := $(filter-out board,$(patsubst fuzz/%.c,%,$(wildcard fuzz/*.c)))
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ_CFLAGS = -std=gnu11 -O1 -g $(WARN) $(FUZZ_SAN) -Isrc -Iinclude -Ifuzz -MMD -MP -fno-strict-aliasing \
  -fno-strict-overflow $(PKG_CFLAGS)
# The registry names every guest and engine; targets choose their own parts.
FUZZ_SRC := $(filter-out src/api/%,$(SRC_LIB)) $(SRC_PLAT)
FUZZ_OBJ := $(patsubst %.c,$(FUZZ_OUT)/obj/%.o,$(FUZZ_SRC))
SECONDS ?= 60
TARGET ?= $(FUZZ_TARGETS)
# Memory is bounded, and one input may take that many seconds, on a machine that has other things to do too (a hang is
# a finding).
FUZZ_TIMEOUT ?= 60
FUZZ_LIMITS = -timeout=$(FUZZ_TIMEOUT) -rss_limit_mb=1500 -print_final_stats=0

$(FUZZ_OUT)/obj/src/%.o: src/%.c
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<
$(FUZZ_OUT)/obj/fuzz/%.o: fuzz/%.c
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<
$(FUZZ_OUT)/libcv.a: $(FUZZ_OBJ)
	$(Q)rm -f $@; ar rcs $@ $^
$(FUZZ_OUT)/bin/%: $(FUZZ_OUT)/obj/fuzz/%.o $(FUZZ_OUT)/obj/fuzz/board.o $(FUZZ_OUT)/libcv.a
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_SAN) -fsanitize=fuzzer -o $@ $< $(FUZZ_OUT)/obj/fuzz/board.o $(FUZZ_OUT)/libcv.a $(PKG_LIBS) $(LDLIBS)

fuzz-build: $(addprefix $(FUZZ_OUT)/bin/,$(TARGET))

## fuzz: run the fuzz targets, a minute each; findings in out/fuzz   [TARGET='lift yaml'] [SECONDS=60]
fuzz: fuzz-build
	$(Q)for t in $(TARGET); do mkdir -p $(FUZZ_OUT)/corpus/$$t $(FUZZ_OUT)/found/$$t; echo "== $$t, $(SECONDS) s"; \
	  $(FUZZ_OUT)/bin/$$t $(FUZZ_LIMITS) -max_total_time=$(SECONDS) -artifact_prefix=$(FUZZ_OUT)/found/$$t/ \
	  $(FUZZ_OUT)/corpus/$$t $$(ls -d fuzz/seeds/$$t 2>/dev/null) || exit 1; done

-include $(shell find $(FUZZ_OUT)/obj -name '*.d' 2>/dev/null)
.PHONY: fuzz fuzz-build
