# The conformance suite: tests/conformance over every guest and engine that is linked in.

CONFORMANCE_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/conformance/*.c))
$(CONFORMANCE_OBJ): CFLAGS += -Itests/conformance

$(B)/conformance: $(CONFORMANCE_OBJ) $(B)/libcv.a $(B)/libplat-linux.a
	$(Q)$(CC) $(LDFLAGS) -o $@ $(CONFORMANCE_OBJ) -Wl,--start-group $(B)/libcv.a $(B)/libplat-linux.a -Wl,--end-group \
	  $(PKG_LIBS) $(LDLIBS) -lcmocka

## conformance: one suite over all engines   [MODE=asan] [WORD='riscv64 on jit']
conformance: $(B)/conformance
	$(Q)timeout -k 5 $$((600 * $${PATIENCE:-1})) $< $(if $(WORD),'$(WORD)')

.PHONY: conformance
