# Stock guests, the interactive run, and the checks of the tree.

## guests: fetch a stock Debian kernel and initrd, out/guests/ARCH/{kernel,initrd.gz}   [ARCH=riscv64|arm64]
guests:
	$(Q)scripts/setup guests
	$(Q)scripts/guests $(ARCH)

# The sub-make reads pkg-config again, after the set-up may have installed what it names. A panic of the guest's
# kernel is seen by its reset only, so a reset ends this run with status 5; ARGS=--no-reboot=false lets it reboot.
## run: boot that guest to a root shell on this terminal   [ARCH=riscv64|arm64] [ACCEL=jit] [ARGS='--smp 2']
run:
	$(Q)scripts/setup build guests
	$(Q)scripts/guests $(ARCH)
	$(Q)$(MAKE) all
	$(Q)exec $(OUT)/carbovisor run --guest-arch $(ARCH) --kernel $(OUT)/guests/$(ARCH)/kernel \
	  --initrd $(OUT)/guests/$(ARCH)/initrd.gz --append panic=-1 --no-reboot $(if $(ACCEL),--accel $(ACCEL)) $(ARGS)

.PHONY: guests run
