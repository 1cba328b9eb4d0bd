# Carbovisor. `make help` lists the targets; mk/ has the parts.
MODE ?= rel
ARCH ?= riscv64
OUT := out
B := $(OUT)/build/$(MODE)
MAKEFLAGS += --no-print-directory
Q := $(if $(V),,@)

CC ?= cc
WARN := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wno-missing-field-initializers
CFLAGS_rel := -O2 -g
CFLAGS_dbg := -O0 -g -DCV_DEBUG
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS_tsan := -O2 -g -fsanitize=thread
CFLAGS_cov := -O0 -g --coverage
# Random delays at every point of the safepoint protocol: core/platform.h, tests/delay.
CFLAGS_delay := -O2 -g -DCV_DELAYS
ifeq ($(CFLAGS_$(MODE)),)
$(error MODE=$(MODE) is unknown: use rel, dbg, asan, tsan, cov or delay)
endif
CFLAGS += -std=gnu11 $(CFLAGS_$(MODE)) $(WARN) -Isrc -Iinclude -MMD -MP -fno-strict-aliasing -fno-strict-overflow
LDFLAGS += $(CFLAGS_$(MODE))
LDLIBS := -lpthread

.DEFAULT_GOAL := all
include mk/sources.mk

all: $(OUT)/carbovisor

-include $(filter-out mk/sources.mk,$(wildcard mk/*.mk))

clean:
	$(Q)rm -rf $(OUT)/build $(OUT)/carbovisor

help:
	@sed -n 's/^## //p' Makefile mk/*.mk

.PHONY: all clean help
.DELETE_ON_ERROR:
