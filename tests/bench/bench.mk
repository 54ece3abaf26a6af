# `make bench`: every tests/bench/*_bench.cc with Google Benchmark, optimised as released, one after another.
# BENCH_FLAGS goes to the programs, as in `make bench BENCH_FLAGS=--benchmark_filter=Tokenizer`.

BENCH_SOURCES := $(sort $(wildcard tests/bench/*_bench.cc))
BENCH_PROGRAMS := $(BENCH_SOURCES:tests/bench/%.cc=$B/tests/bench/%)
BENCH_FLAGS ?=

$B/tests/bench/%_bench: $B/tests/bench/%_bench.o $B/front.a
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^ -lbenchmark_main -lbenchmark $(FRONT_LIBS)

.SECONDARY: $(BENCH_SOURCES:%.cc=$B/%.o)
.PHONY: bench
ifeq ($(HAVE_BENCHMARK),yes)
bench: $(BENCH_PROGRAMS)
	$(Q)for program in $(BENCH_PROGRAMS); do $$program $(BENCH_FLAGS) || exit 1; done
else
bench:
	@echo 'Google Benchmark is missing: apt-get install libbenchmark-dev, then ./configure' >&2; exit 69
endif
