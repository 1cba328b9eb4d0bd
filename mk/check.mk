# The whole test run and its parts; scripts/suites lists them.

## check: set up, then run every test suite; ends with the totals
check:
	$(Q)scripts/setup
	$(Q)scripts/guests riscv64 arm64
	$(Q)scripts/check

## check-full: check, then the bare form on every board of its table and its long life cycle
check-full: check
	$(Q)$(MAKE) bare-debians
	$(Q)$(MAKE) bare-life

## test-NAME: one suite of scripts/suites
test-%:
	$(Q)scripts/setup build guests test
	$(Q)scripts/check $*

.PHONY: check check-full
