# The library as others link it, the example that does, and the installation.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
LIBEXECDIR ?= $(PREFIX)/libexec
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
VERSION := $(shell sed -n 's/^#define CV_VERSION "\(.*\)"/\1/p' include/carbovisor/carbovisor.h)
SOVERSION := $(firstword $(subst ., ,$(VERSION)))

# One object whose only global names are those of the public header: the rest cannot clash with the embedder's.
$(B)/embed.o: $(B)/libcv.a $(B)/libplat-linux.a
	$(Q)ld -r -o $@ --whole-archive $^
	$(Q)objcopy --wildcard --keep-global-symbol='cv_*' $@
$(B)/libcarbovisor.a: $(B)/embed.o
	$(Q)rm -f $@; ar rcs $@ $^

# The shared library is of position-independent objects of its own.
PIC_OBJ := $(patsubst %.c,$(B)/pic/%.o,$(SRC_LIB) $(SRC_PLAT))
$(B)/pic/%.o: %.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(PKG_CFLAGS) $(call lean_flags,$<) -fPIC -fno-semantic-interposition -c -o $@ $<
$(B)/libcarbovisor.so.$(VERSION): $(PIC_OBJ) mk/exports.map
	$(Q)$(CC) $(LDFLAGS) -shared -Wl,-Bsymbolic,-soname,libcarbovisor.so.$(SOVERSION),--version-script=mk/exports.map,--no-undefined \
	  -o $@ $(PIC_OBJ) $(PKG_LIBS) $(LDLIBS)

$(B)/carbovisor.pc: mk/install.mk include/carbovisor/carbovisor.h FORCE
	$(Q)printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$(INCLUDEDIR)' '' 'Name: carbovisor' \
	  'Description: virtual machines as a library' 'Version: $(VERSION)' 'Requires.private: $(PKGS)' \
	  'Libs: -L$${libdir} -lcarbovisor' 'Libs.private: $(LDLIBS)' 'Cflags: -I$${includedir}' >$@

## examples: build examples/minimal_vm, hello_world and hello_arm64 into out/examples
examples: $(OUT)/examples/minimal_vm $(OUT)/examples/hello.elf $(OUT)/examples/hello_arm64.elf
$(OUT)/examples/minimal_vm: examples/minimal_vm/minimal_vm.c $(B)/libcarbovisor.a include/carbovisor/carbovisor.h
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -O2 $(WARN) $(filter -fsanitize%,$(LDFLAGS)) -Iinclude -o $@ $< $(B)/libcarbovisor.a $(PKG_LIBS) $(LDLIBS)
$(OUT)/examples/hello.elf: examples/hello_world/hello.c examples/hello_world/start.S examples/hello_world/Makefile
	$(Q)mkdir -p $(@D)
	$(Q)$(MAKE) -s -B -C examples/hello_world OUT=$(abspath $(@D))

$(OUT)/examples/hello_arm64.elf: examples/hello_arm64/start.S examples/hello_arm64/Makefile
	$(Q)mkdir -p $(@D)
	$(Q)$(MAKE) -s -B -C examples/hello_arm64 OUT=$(abspath $(@D))

INSTALL_NAT := $(if $(SRC_NAT),$(B)/carbovisor-nat)

## install: command, NAT helper, library, header, pkg-config file, man page, completion   [PREFIX=/usr/local] [DESTDIR=]
install: $(B)/carbovisor $(INSTALL_NAT) $(B)/libcarbovisor.a $(B)/libcarbovisor.so.$(VERSION) $(B)/carbovisor.pc
	$(Q)install -D -m 755 $(B)/carbovisor $(DESTDIR)$(BINDIR)/carbovisor
	$(Q)$(if $(INSTALL_NAT),install -D -m 755 $(INSTALL_NAT) $(DESTDIR)$(LIBEXECDIR)/carbovisor/carbovisor-nat)
	$(Q)install -D -m 644 $(B)/libcarbovisor.a $(DESTDIR)$(LIBDIR)/libcarbovisor.a
	$(Q)install -D -m 644 $(B)/libcarbovisor.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libcarbovisor.so.$(VERSION)
	$(Q)ln -sf libcarbovisor.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libcarbovisor.so.$(SOVERSION)
	$(Q)ln -sf libcarbovisor.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libcarbovisor.so
	$(Q)install -D -m 644 include/carbovisor/carbovisor.h $(DESTDIR)$(INCLUDEDIR)/carbovisor/carbovisor.h
	$(Q)install -D -m 644 $(B)/carbovisor.pc $(DESTDIR)$(LIBDIR)/pkgconfig/carbovisor.pc
	$(Q)install -D -m 644 docs/carbovisor.1 $(DESTDIR)$(DATADIR)/man/man1/carbovisor.1
	$(Q)install -D -m 644 scripts/carbovisor.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/carbovisor

.PHONY: examples install FORCE
