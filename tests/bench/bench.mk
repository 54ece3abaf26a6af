# `make bench`: every tests/bench/*_bench.cc with Google Benchmark, optimised as released, one after another; then
# the whole milter under load beside its peers (run.py). `make bench-parts` and `make bench-milter` are the halves;
# BENCH_FLAGS goes to the programs of the one, as in `make bench-parts BENCH_FLAGS=--benchmark_filter=Tokenizer`,
# BENCH_RUN to the other, as in `make bench-milter BENCH_RUN='--rounds 5 --workloads newsletter'`.

BENCH_SOURCES := $(sort $(wildcard tests/bench/*_bench.cc))
BENCH_PROGRAMS := $(BENCH_SOURCES:tests/bench/%.cc=$B/tests/bench/%)
BENCH_FLAGS ?=

$B/tests/bench/%_bench: $B/tests/bench/%_bench.o $B/front.a
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^ -lbenchmark_main -lbenchmark $(FRONT_LIBS)

.SECONDARY: $(BENCH_SOURCES:%.cc=$B/%.o)
BENCH_RUN ?=
BENCH_LOAD := $B/tests/bench/load $B/tests/bench/reference_milter

# Neither has anything of ours in it.
$B/tests/bench/load: $B/tests/bench/load.o
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^
$B/tests/bench/reference_milter: $B/tests/bench/reference_milter.o
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^ $(MILTER_ARCHIVE)

.PHONY: bench bench-parts bench-milter
bench: bench-parts
	@$(MAKE) --no-print-directory bench-milter
bench-milter: $(PROGRAMS) $(BENCH_LOAD)
	tests/bench/run.py --build $B $(BENCH_RUN)
ifeq ($(HAVE_BENCHMARK),yes)
bench-parts: $(BENCH_PROGRAMS)
	$(Q)missed=0; for program in $(BENCH_PROGRAMS); do $$program $(BENCH_FLAGS) || missed=1; done; exit $$missed
else
bench-parts:
	@echo 'Google Benchmark is missing: apt-get install libbenchmark-dev, then ./configure' >&2; exit 69
endif
