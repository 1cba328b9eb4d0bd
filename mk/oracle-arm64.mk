# A64 against an oracle: tests/oracle-arm64/run builds and runs it.

$(B)/oracle-arm64: $(B)/tests/oracle-arm64/vm.o $(B)/libcv.a $(B)/libplat-linux.a
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(B)/libcv.a $(B)/libplat-linux.a -Wl,--end-group $(PKG_LIBS) $(LDLIBS)

oracle-arm64: $(B)/oracle-arm64

.PHONY: oracle-arm64
