# The bare form on QEMU as the board: two stock Debians from a bundle, and the hypervisor's shell.

# QEMU's own keys are off: Ctrl-a is the hypervisor's. `quit` at its shell powers the board off. The network card that
# a board has by itself wants a ROM of another package.
BARE_QEMU_riscv64 := qemu-system-riscv64 -M virt -cpu rv64 -nic none
BARE_QEMU_arm64 := qemu-system-aarch64 -M virt,virtualization=on,gic-version=3 -cpu cortex-a57 -nic none
BARE_CPUS ?= 2
BARE_RAM ?= 2G
BARE_VMS ?= $(wildcard examples/two_debians/*_$(ARCH).yaml)
BARE_CONSOLE := -display none -monitor none -chardev stdio,id=console,signal=off -serial chardev:console

$(OUT)/bare/%/guests.cvb: $(OUT)/carbovisor FORCE
	$(Q)mkdir -p $(@D)
	$(Q)$(OUT)/carbovisor bundle $(BARE_VMS) -o $@

# The sub-make reads pkg-config again, after the set-up may have installed what it names.
## run-bare: boot the bare image in QEMU with two Debians, at its shell   [ARCH=riscv64|arm64] [BARE_CPUS=2] [ARGS='-append console=all']
run-bare:
	$(Q)scripts/setup build guests bare
	$(Q)scripts/guests $(ARCH)
	$(Q)$(MAKE) all bare $(OUT)/bare/$(ARCH)/guests.cvb
	$(Q)exec $(BARE_QEMU_$(ARCH)) -smp $(BARE_CPUS) -m $(BARE_RAM) $(BARE_CONSOLE) -kernel $(OUT)/bare/$(ARCH)/carbovisor.img \
	  -initrd $(OUT)/bare/$(ARCH)/guests.cvb $(ARGS)

## bare-debians: two Debians through the shell on every board of the table; bare-life: 1000 life cycles, bad input
bare-debians bare-life: all
	$(Q)$(MAKE) bare ARCH=riscv64 && $(MAKE) bare ARCH=arm64
	$(Q)$(if $(filter bare-life,$@),tests/bare/lifecycle --cycles 1000,tests/bare/debians all)

.PHONY: run-bare bare-debians bare-life
