# `make fuzz SECONDS=60`: every tests/fuzz/*_fuzz.cc with libFuzzer, AddressSanitizer and
# UndefinedBehaviorSanitizer, each for so many seconds (or RUNS=n executions), as many at a time as make has
# jobs. Seeds are in tests/fuzz/corpus/NAME and stay as they are; what is found goes to build-fuzz, with the
# program's own words in build-fuzz/NAME.log. A line for each target that ended clean.
# FUZZ=html runs one target alone. With FUZZ_SEED=n and RUNS the inputs are the same each time.

FUZZ_B := build-fuzz
FUZZ_CXX ?= clang++
FUZZ_DIRS := base html image source worker
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/*_fuzz.cc))
FUZZ_TARGETS := $(FUZZ_SOURCES:tests/fuzz/%_fuzz.cc=%)
FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=$(FUZZ_B)/%_fuzz)
FUZZ_OBJECTS := $(patsubst %.cc,$(FUZZ_B)/%.o,$(sort $(foreach d,$(FUZZ_DIRS),$(wildcard src/$d/*.cc))))
FUZZ ?= $(FUZZ_TARGETS)
SECONDS ?= 60
RUNS ?=
FUZZ_SEED ?= 0
FUZZ_FLAGS := -std=c++20 -O1 -g -Wall -Wextra -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=address,undefined \
  -D_GLIBCXX_ASSERTIONS -pthread -MMD -MP -Isrc \
  -DPIXMILTER_LIBEXECDIR='""' -DPIXMILTER_VERSION='""'

$(FUZZ_B)/src/%.o: src/%.cc
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$(Q)$(FUZZ_CXX) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

$(FUZZ_B)/objects.a: $(FUZZ_OBJECTS)
	$(Q)rm -f $@ && ar rcs $@ $^

$(FUZZ_B)/%_fuzz: tests/fuzz/%_fuzz.cc $(FUZZ_B)/objects.a
	$(call say,FUZZ)
	$(Q)$(FUZZ_CXX) $(FUZZ_FLAGS) -MF $@.d -fsanitize=fuzzer -o $@ $< $(FUZZ_B)/objects.a $(CRYPTO_LIBS)

.PHONY: fuzz $(FUZZ:%=fuzz-%)
fuzz: $(FUZZ:%=fuzz-%)
$(FUZZ:%=fuzz-%): fuzz-%: $(FUZZ_B)/%_fuzz
	$(Q)mkdir -p $(FUZZ_B)/corpus/$*
	$(Q)$< -timeout=30 -seed=$(FUZZ_SEED) -max_len=$(or $(FUZZ_MAX_LEN_$*),4096) -print_final_stats=1 -verbosity=0 \
	  $(if $(wildcard tests/fuzz/$*.dict),-dict=tests/fuzz/$*.dict) \
	  $(if $(RUNS),-runs=$(RUNS),-max_total_time=$(SECONDS)) -artifact_prefix=$(FUZZ_B)/$*- \
	  $(FUZZ_B)/corpus/$* tests/fuzz/corpus/$* >$(FUZZ_B)/$*.log 2>&1 || \
	  { tail -n 60 $(FUZZ_B)/$*.log; echo "fuzz $*: FAILED"; exit 1; }
	$(Q)awk '/number_of_executed_units/ { print "fuzz $*: " $$2 " executions, clean" }' $(FUZZ_B)/$*.log

-include $(wildcard $(FUZZ_B)/*.d) $(shell [ -d $(FUZZ_B)/src ] && find $(FUZZ_B)/src -name '*.d')
