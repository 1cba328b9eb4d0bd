# Do the tests notice mistakes? tests/mutation/mutations seeds them.

## mutation: seed mistakes one at a time; a suite has to catch each   [NAMES='jit-fence ir-']
mutation:
	$(Q)scripts/setup build guests test
	$(Q)tests/mutation/run $(NAMES)

.PHONY: mutation
