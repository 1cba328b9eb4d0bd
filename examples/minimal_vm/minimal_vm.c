/*
 * A virtual machine inside your program: runs an ELF image and says how it ended.
 * cc minimal_vm.c $(pkg-config --cflags --libs carbovisor); ./a.out hello.elf
 */
#include <carbovisor/carbovisor.h>
#include <inttypes.h>
#include <stdio.h>

static const char *const end_names[] = {"powered off", "reset", "crashed", "chose its status"};

static void print_counter(void *opaque, const char *name, uint64_t value)
{
    (void)opaque;
    printf("%-20s %" PRIu64 "\n", name, value);
}

static int fail(const char *why)
{
    fprintf(stderr, "minimal_vm: %s\n", why);
    return 1;
}

static int run(cv_config *config, const char *image)
{
    const struct {
        const char *key, *value;
    } settings[] = {{"firmware", image}, {"memory", "64M"}, {"net-mode", "none"}, {"serial", "stdio"}};
    struct cv_result result;
    uint64_t pc = 0;
    char why[200];
    cv_vm *vm;

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (cv_config_set(config, settings[i].key, settings[i].value, why, sizeof(why)))
            return fail(why);
    }
    if (cv_vm_create(&vm, config, why, sizeof(why)))
        return fail(why);
    printf("carbovisor %s, engine %s\n", cv_version(), cv_vm_engine(vm, NULL));
    fflush(stdout);
    if (cv_vm_start(vm, why, sizeof(why)) || cv_vm_wait(vm, 10000, &result)) {
        cv_vm_destroy(vm);
        return fail("the guest did not start and end within ten seconds");
    }
    cv_vm_reg_get(vm, 0, "pc", &pc, sizeof(pc));
    printf("the guest %s, status %u, pc 0x%" PRIx64 "\n", end_names[result.end], result.status, pc);
    cv_vm_counters(vm, print_counter, NULL);
    cv_vm_destroy(vm);
    return result.end != CV_END_POWEROFF;
}

int main(int argc, char **argv)
{
    cv_config *config = cv_config_create();
    int status;

    if (argc != 2 || !config)
        return fail("usage: minimal_vm IMAGE.elf");
    status = run(config, argv[1]);
    cv_config_destroy(config);
    return status;
}
