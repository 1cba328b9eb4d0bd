# Stock guests, the interactive run, and the checks of the tree.

## guests: fetch a stock Debian kernel and initrd, out/guests/ARCH/{kernel,initrd.gz}   [ARCH=riscv64|arm64]
guests:
	$(Q)scripts/setup guests
	$(Q)scripts/guests $(ARCH)

# The sub-make reads pkg-config again, after the set-up may have installed what it names.
## run: boot that guest to a root shell on this terminal   [ARCH=riscv64|arm64] [ACCEL=jit] [ARGS='--smp 2']
run:
	$(Q)scripts/setup build guests
	$(Q)scripts/guests $(ARCH)
	$(Q)$(MAKE) all
	$(Q)exec $(OUT)/carbovisor run --guest-arch $(ARCH) --kernel $(OUT)/guests/$(ARCH)/kernel \
	  --initrd $(OUT)/guests/$(ARCH)/initrd.gz $(if $(ACCEL),--accel $(ACCEL)) $(ARGS)

.PHONY: guests run
