# The bare platform alone on a board: its image with tests/bare/platform in place of the front end.

define bare_platform
BARE_PLATFORM_OBJ_$(1) := $$(patsubst %,$(OUT)/bare/$(1)/obj/%.o,tests/bare/platform/main.c \
  $$(filter src/lib/% src/isa/$(1)/% src/platform/bare/%,$$(call bare_src,$(1))))
$(OUT)/bare/$(1)/platform.elf: $$(BARE_PLATFORM_OBJ_$(1)) src/platform/bare/boot/$(1)/image.ld
	$$(Q)$$(BARE_CROSS_$(1))gcc $$(BARE_FLAGS_$(1)) -nostdlib -static -no-pie -Wl,--no-undefined -Wl,--build-id=none \
	  -Wl,--gc-sections -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments \
	  -T src/platform/bare/boot/$(1)/image.ld -o $$@ $$(BARE_PLATFORM_OBJ_$(1)) $$(BARE_LIBGCC_$(1))
$(OUT)/bare/$(1)/platform.img: $(OUT)/bare/$(1)/platform.elf
	$$(Q)$$(BARE_CROSS_$(1))objcopy -O binary $$< $$@
endef
$(foreach a,$(BARE_ARCHES),$(eval $(call bare_platform,$(a))))

# tests/bare/platform/run starts it.
bare-platform: $(foreach a,$(BARE_ARCHES),$(OUT)/bare/$(a)/platform.img)
.PHONY: bare-platform
