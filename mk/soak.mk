# Longer loops than a test run has time for.
SOAK_MINUTES ?= 10

## soak: boots, lockstep, guests and fuzz in turn until the time is up   [SOAK_MINUTES=10]
soak: all
	$(Q)scripts/setup build guests test
	$(Q)scripts/soak $(SOAK_MINUTES)

.PHONY: soak
