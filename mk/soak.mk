# Longer loops than a test run has time for.
SOAK_MINUTES ?= 10

## soak: boots, lockstep, guests and fuzz in turn until the time is up   [SOAK_MINUTES=10]
soak: all
	$(Q)scripts/setup build guests test
	$(Q)scripts/soak $(SOAK_MINUTES)

# 9500 programs of 105 thousand instructions each, none of them repeated, and twice: flat and on scattered pages.
## soak-oracle-arm64: a thousand million random A64 instructions against QEMU, some hours   [SEED=1] [TURNS=9500]
soak-oracle-arm64: all
	$(Q)scripts/setup build test
	$(Q)tests/oracle-arm64/run jit $(or $(SEED),1) $(or $(TURNS),9500)

.PHONY: soak soak-oracle-arm64
