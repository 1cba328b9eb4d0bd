/* Any accesses to the PCI host bridge, its function, and one that has I/O, memory and MSI-X. */
#include "board.h"
#include "device/pci/pci_test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_in in = {data, size};
    struct vm *vm = board_new("arm64", NULL);
    char why[160];

    FUZZ_CHECK(pci_test_create(vm, vm_device(vm, "pci"), "test", PCI_DEVFN(1, 0), why, sizeof(why)));
    board_play(vm, &in, "pci");
    board_free(vm);
    return 0;
}
