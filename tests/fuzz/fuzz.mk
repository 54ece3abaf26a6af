# `make fuzz SECONDS=60`: every tests/fuzz/*_fuzz.cc with libFuzzer, AddressSanitizer and
# UndefinedBehaviorSanitizer, each for so many seconds (or RUNS=n executions), one after another. Seeds are in
# tests/fuzz/corpus/NAME and stay as they are; what is found goes to build-fuzz.
# FUZZ=html runs one target alone.

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

.PHONY: fuzz
fuzz: $(FUZZ_PROGRAMS)
	$(Q)for name in $(FUZZ); do \
	  mkdir -p $(FUZZ_B)/corpus/$$name && echo "fuzz $$name" && \
	  $(FUZZ_B)/$${name}_fuzz -timeout=10 -max_len=4096 -print_final_stats=1 -verbosity=0 \
	    $$(test -f tests/fuzz/$$name.dict && echo -dict=tests/fuzz/$$name.dict) \
	    $(if $(RUNS),-runs=$(RUNS),-max_total_time=$(SECONDS)) -artifact_prefix=$(FUZZ_B)/$$name- \
	    $(FUZZ_B)/corpus/$$name tests/fuzz/corpus/$$name || exit 1; \
	done

-include $(wildcard $(FUZZ_B)/*.d) $(shell [ -d $(FUZZ_B)/src ] && find $(FUZZ_B)/src -name '*.d')
