/*
 * Runs a bare arm64 program and presses the machine's power button while it runs: press ENGINE IMAGE. What it
 * prints goes to stdout; ends with 0 when the guest powered off.
 */
#include <carbovisor/carbovisor.h>
#include <stdio.h>

static int fail(const char *why)
{
    fprintf(stderr, "press: %s\n", why);
    return 1;
}

static int run(cv_vm *vm)
{
    struct cv_result result;
    char why[200];

    if (cv_vm_power_button(vm) != -22)
        return fail("a VM that does not run has a power button");
    if (cv_vm_start(vm, why, sizeof(why)))
        return fail(why);
    for (unsigned i = 0; i < 20; i++) {
        int err = cv_vm_wait(vm, 500, &result);

        if (!err)
            return result.end == CV_END_POWEROFF ? 0 : fail(result.reason);
        if (cv_vm_power_button(vm))
            return fail("no power button");
    }
    return fail("the guest did not power off");
}

int main(int argc, char **argv)
{
    cv_config *config = cv_config_create();
    char why[200];
    cv_vm *vm;
    int status;

    if (argc != 3 || !config)
        return fail("usage: press ENGINE IMAGE");
    if (cv_config_set(config, "guest-arch", "arm64", why, sizeof(why)) ||
        cv_config_set(config, "accel", argv[1], why, sizeof(why)) ||
        cv_config_set(config, "memory", "256M", why, sizeof(why)) ||
        cv_config_set(config, "net-mode", "none", why, sizeof(why)) ||
        cv_config_set(config, "serial", "stdio", why, sizeof(why)) ||
        cv_config_set(config, "kernel", argv[2], why, sizeof(why)) ||
        cv_vm_create(&vm, config, why, sizeof(why)))
        return fail(why);
    status = run(vm);
    cv_vm_destroy(vm);
    cv_config_destroy(config);
    return status;
}
