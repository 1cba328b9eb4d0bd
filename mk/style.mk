# Mistakes and layout that tools find.

## tidy: clang-tidy over src/ (settings and their reasons: .clang-tidy)   [FILES='src/core/vm.c']
tidy:
	$(Q)scripts/tidy $(FILES)

STYLED = $(shell find src include tests examples bench fuzz -name '*.[ch]' | sort)

## format-check: what clang-format would change, as errors; format: change it
format-check:
	$(Q)if tool=$$(scripts/llvm-tool clang-format); then \
	  $$tool --dry-run -Werror $(STYLED) && echo "$(words $(STYLED)) passed, 0 failed"; else echo '0 passed, 0 failed'; fi
format:
	$(Q)$$(scripts/llvm-tool clang-format) -i $(STYLED)

.PHONY: tidy format-check format
