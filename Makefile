# pixmilter's build, by hand. `make` in a fresh clone runs autoreconf and configure by itself; config.mk holds
# what configure found. Outputs go to build/ (or build-SANITIZER/ with SANITIZE=address,undefined and so on).

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif

# These install packages or clean up and must work before anything is configured.
BARE_GOALS := deps demo check clean distclean format help
ifneq ($(or $(filter-out $(BARE_GOALS),$(MAKECMDGOALS)),$(if $(MAKECMDGOALS),,all)),)
include config.mk
endif

comma := ,
SANITIZE ?=
B := build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))

# `make V=1` shows whole commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$@')

# ---- flags -------------------------------------------------------------------------------------------------

# With sanitizers the compiler takes more than twice as long for -O2, and no test gains that much by it.
OPTIMISE ?= $(if $(SANITIZE),-O1 -g1,-O2 -g)
HARDENING := -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection -D_GLIBCXX_ASSERTIONS
HARDENING_LINK := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
ifeq ($(SANITIZE),)
HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
else
# GCC warns of what is not initialised where it cannot see through a sanitizer's own code (its manual says so).
SANITIZE_FLAGS := -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all -Wno-maybe-uninitialized
endif
WARNINGS := -Wall -Wextra -Wnon-virtual-dtor -Wshadow=local $(WERROR)
ALL_CXXFLAGS = -std=c++20 $(OPTIMISE) $(WARNINGS) $(HARDENING) $(SANITIZE_FLAGS) -pthread -MMD -MP \
  -Isrc -DPIXMILTER_VERSION='"$(PACKAGE_VERSION)"' -DPIXMILTER_LIBEXECDIR='"$(libexecdir)"' \
  -DPIXMILTER_SYSCONFDIR='"$(sysconfdir)"' $(CPPFLAGS) $(CXXFLAGS)
# To look at a virtual table the runtime asks for a pipe, which the seal of workers forbids.
$B/src/render/%.o: SANITIZE_FLAGS += $(if $(findstring undefined,$(SANITIZE)),-fno-sanitize=vptr)
ALL_LDFLAGS = $(HARDENING_LINK) $(SANITIZE_FLAGS) -pthread -Wl,--as-needed $(LDFLAGS)

INSTALL ?= install

# ---- what is built -----------------------------------------------------------------------------------------
# Two programs. Only pixmilter-render sees libvips; only the folders named in DOORS see the other libraries
# (.ci/floors checks the includes).

FRONT_DIRS := base config mail html image source worker core milter cli
RENDER_DIRS := base image render
FRONT_SOURCES := $(sort $(foreach d,$(FRONT_DIRS),$(wildcard src/$d/*.cc)))
RENDER_SOURCES := $(sort $(foreach d,$(RENDER_DIRS),$(wildcard src/$d/*.cc)) $(wildcard src/worker/wire*.cc))
FRONT_OBJECTS := $(FRONT_SOURCES:%.cc=$B/%.o)
RENDER_OBJECTS := $(RENDER_SOURCES:%.cc=$B/%.o)
FRONT_LIBS = $(GMIME_LIBS) $(TOML_LIBS) $(RE2_LIBS) $(CRYPTO_LIBS) $(SECCOMP_LIBS) $(HIREDIS_LIBS) $(PROMETHEUS_LIBS)
RENDER_LIBS = $(VIPS_LIBS) $(ZLIB_LIBS) $(DEFLATE_LIBS) $(CGIF_LIBS) $(CRYPTO_LIBS) $(SECCOMP_LIBS)
PROGRAMS := $B/pixmilter $B/pixmilter-render

$B/src/mail/%.o: LIBRARY_CFLAGS = $(GMIME_CFLAGS)
$B/src/config/%.o: LIBRARY_CFLAGS = $(TOML_CFLAGS) $(RE2_CFLAGS)
# libcurl is loaded by the fetch process (source/curl_library.h), not linked.
$B/src/source/%.o: LIBRARY_CFLAGS = $(CURL_CFLAGS) $(HIREDIS_CFLAGS)
$B/src/milter/%.o: LIBRARY_CFLAGS = $(PROMETHEUS_CFLAGS)
$B/src/render/%.o: LIBRARY_CFLAGS = $(VIPS_CFLAGS) $(ZLIB_CFLAGS) $(DEFLATE_CFLAGS)

.PHONY: all
all: $(PROGRAMS)

$B/pixmilter: $B/src/main/pixmilter.o $B/front.a $B/libmilter.a
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^ $(FRONT_LIBS)

$B/pixmilter-render: $B/src/main/pixmilter_render.o $B/render.a
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^ $(RENDER_LIBS)

$B/front.a: $(FRONT_OBJECTS)
$B/render.a: $(RENDER_OBJECTS)
$B/front.a $B/render.a:
	$(call say,AR)
	$(Q)rm -f $@ && ar rcs $@ $^

# libmilter, with the calls that src/milter/seams.cc answers renamed, for it alone.
MILTER_SEAMS := pthread_create pthread_cond_signal pthread_cond_timedwait writev sigwait accept close poll read \
  malloc time syslog
$B/libmilter.a: config.mk Makefile
	@mkdir -p $(@D)
	$(call say,COPY)
	$(Q)$(OBJCOPY) $(foreach s,$(MILTER_SEAMS),--redefine-sym $s=pixmilter_seam_$s) \
	  --redefine-sym __syslog_chk=pixmilter_seam_syslog_chk $(MILTER_ARCHIVE) $@

$B/%.o: %.cc | config.mk
	@mkdir -p $(@D)
	$(call say,CXX)
	$(Q)$(CXX) $(ALL_CXXFLAGS) $(LIBRARY_CFLAGS) -c -o $@ $<

config.mk: config.mk.in configure
	./configure $(CONFIGURE_FLAGS)
configure: configure.ac
	autoreconf -i

# ---- tests -------------------------------------------------------------------------------------------------

UNIT_SOURCES := $(sort $(foreach d,$(FRONT_DIRS),$(wildcard tests/unit/$d/*_test.cc)) $(wildcard tests/mail/*_test.cc tests/issues/*_test.cc))
RENDER_UNIT_SOURCES := $(sort $(wildcard tests/unit/render/*_test.cc))
UNIT_PROGRAMS := $(if $(UNIT_SOURCES),$B/tests/unit_front) $(if $(RENDER_UNIT_SOURCES),$B/tests/unit_render)

$B/tests/unit_front: $(UNIT_SOURCES:%.cc=$B/%.o) $B/front.a $B/libmilter.a
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^ -lgtest_main -lgtest $(FRONT_LIBS) $(if $(filter yes,$(HAVE_GUMBO)),-lgumbo)
$B/tests/unit_render: $(RENDER_UNIT_SOURCES:%.cc=$B/%.o) $B/render.a
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^ -lgtest_main -lgtest $(RENDER_LIBS)
# Renders pictures for tests/render without mail or worker around.
RENDER_TOOL := $B/tests/render_tool
$(RENDER_TOOL): $B/tests/render/render_tool.o $B/render.a
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^ $(RENDER_LIBS)
# The milter over a pipeline that does what the message says, for tests/milter.
MILTER_TOOLS := $B/tests/scripted_milter $B/tests/milter_load
$B/tests/scripted_milter: $B/tests/milter/scripted_milter.o $B/front.a $B/libmilter.a
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^ $(FRONT_LIBS)
# Its load, without anything of ours in it.
$B/tests/milter_load: $B/tests/milter/milter_load.o
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^
$B/tests/bench/png_bench $B/tests/bench/jpeg_bench: $B/tests/bench/%: $B/tests/bench/%.o $B/render.a
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^ -lbenchmark $(RENDER_LIBS)
$B/tests/bench/hop_bench: $B/tests/bench/hop_bench.o $B/front.a $B/render.a
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^ -lbenchmark $(FRONT_LIBS) $(RENDER_LIBS)
$B/tests/%.o: LIBRARY_CFLAGS = $(VIPS_CFLAGS) $(if $(filter yes,$(HAVE_GUMBO)),-DPIXMILTER_HAVE_GUMBO)

# Render programs whose render_picture is wrapped at link time: one that has been taken over, for tests/sandbox,
# and one that renders nothing, for tests/source.
ATTACK := $B/tests/render_attack
REFUSE := $B/tests/render_refuse
$(ATTACK): $B/tests/sandbox/attack.o
$(REFUSE): $B/tests/sandbox/refuse.o
$(ATTACK) $(REFUSE): $B/src/main/pixmilter_render.o $B/render.a
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -Wl,--wrap=_ZN9pixmilter6render14render_pictureERKNS_5image8ImageJobE -o $@ $(filter %.o,$^) $(filter %.a,$^) $(RENDER_LIBS)
# Renders pictures through the pool for tests/sandbox.
POOL_TOOL := $B/tests/pool_tool
$(POOL_TOOL): $B/tests/sandbox/pool_tool.o $B/front.a
	$(call say,LINK)
	$(Q)$(CXX) $(ALL_LDFLAGS) -o $@ $^ $(FRONT_LIBS)

.PHONY: unit
unit: $(PROGRAMS) $(UNIT_PROGRAMS)
	tests/run unit --build $B

.PHONY: check check-installed
# As root this installs what is missing first, so that it works on a machine that has nothing.
check:
	@if [ "$$(id -u)" = 0 ]; then .ci/deps; fi
	@$(MAKE) check-all

.PHONY: check-all
check-all: $(PROGRAMS) $(UNIT_PROGRAMS) $(RENDER_TOOL) $(MILTER_TOOLS) $(ATTACK) $(REFUSE) $(POOL_TOOL)
	tests/run all --build $B $(RUN_OPTIONS)

.PHONY: demo demo-run
demo:
	@if [ "$$(id -u)" = 0 ]; then .ci/deps; fi
	@$(MAKE) demo-run
demo-run: $(PROGRAMS)
	tests/mta/demo.py --build $B

# Half an hour of everything at once, after which nothing may have grown; not a part of check.
.PHONY: soak
soak: SECONDS = 1800
soak: $(PROGRAMS)
	tests/milter/soak.py --build $B --seconds $(SECONDS)

include tests/bench/bench.mk
include tests/fuzz/fuzz.mk

# ---- the rest ----------------------------------------------------------------------------------------------

.PHONY: deps
deps:
	.ci/deps

# Everything that `make install` puts somewhere, as FILE=PLACE; `make uninstall` removes exactly these.
systemdunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
examplesdir = $(docdir)/examples
SAMPLES := $(filter-out conf/debian/% conf/systemd/%,$(wildcard conf/*.* conf/*/*))
INSTALLED_PROGRAMS = $B/pixmilter=$(sbindir)/pixmilter $B/pixmilter-render=$(libexecdir)/pixmilter/pixmilter-render
INSTALLED_FILES = \
  $(foreach page,$(wildcard man/*.[1-8]),$(page)=$(mandir)/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
  $(foreach file,README.md CHANGELOG.md LICENSE,$(file)=$(docdir)/$(file)) \
  $(foreach sample,$(SAMPLES),$(sample)=$(examplesdir)/$(patsubst examples/%,%,$(sample:conf/%=%))) \
  conf/systemd/pixmilter.socket=$(systemdunitdir)/pixmilter.socket \
  conf/systemd/sysusers.conf=$(sysusersdir)/pixmilter.conf conf/systemd/tmpfiles.conf=$(tmpfilesdir)/pixmilter.conf
INSTALLED_UNIT = $(systemdunitdir)/pixmilter.service

.PHONY: install uninstall
install: all
	$(Q)for pair in $(INSTALLED_PROGRAMS); do $(INSTALL) -D -m 755 "$${pair%%=*}" "$(DESTDIR)$${pair#*=}" || exit; done
	$(Q)for pair in $(INSTALLED_FILES); do $(INSTALL) -D -m 644 "$${pair%%=*}" "$(DESTDIR)$${pair#*=}" || exit; done
	$(Q)$(INSTALL) -d "$(DESTDIR)$(systemdunitdir)" && sed 's|/usr/sbin/|$(sbindir)/|' conf/systemd/pixmilter.service \
	  >"$(DESTDIR)$(INSTALLED_UNIT)" && chmod 644 "$(DESTDIR)$(INSTALLED_UNIT)"
uninstall:
	$(Q)for pair in $(INSTALLED_PROGRAMS) $(INSTALLED_FILES) =$(INSTALLED_UNIT); do rm -f "$(DESTDIR)$${pair#*=}"; done
	$(Q)for folder in $(docdir) $(libexecdir)/pixmilter; do \
	  if [ -d "$(DESTDIR)$$folder" ]; then find "$(DESTDIR)$$folder" -depth -type d -empty -delete; fi; done

# A package for Debian of what is built, as $B/pixmilter_VERSION_ARCHITECTURE.deb.
.PHONY: deb
deb: all
	$(Q)MAKE="$(MAKE)" conf/debian/build $B $(PACKAGE_VERSION)

.PHONY: format tidy
format:
	clang-format -i $$(git ls-files '*.cc' '*.h')
tidy: config.mk
	clang-tidy --quiet $(FRONT_SOURCES) $(wildcard src/render/*.cc src/main/*.cc) -- -std=c++20 -Isrc \
	  -DPIXMILTER_VERSION='""' -DPIXMILTER_LIBEXECDIR='""' -DPIXMILTER_SYSCONFDIR='""' \
	  $(GMIME_CFLAGS) $(TOML_CFLAGS) $(VIPS_CFLAGS)

.PHONY: clean distclean distcheck dist
clean:
	rm -rf build build-*
distclean: clean
	rm -rf config.mk config.log config.status configure autom4te.cache

DIST := pixmilter-$(PACKAGE_VERSION)
dist: config.mk
	git archive --prefix=$(DIST)/ -o $(DIST).tar.gz HEAD
# The archive alone must configure, build, pass and install.
distcheck: dist
	rm -rf $B/dist && mkdir -p $B/dist && tar -xzf $(DIST).tar.gz -C $B/dist
	cd $B/dist/$(DIST) && $(MAKE) && $(MAKE) check && $(MAKE) install DESTDIR=$(abspath $B)/dist/root
	rm -rf $B/dist && echo "$(DIST).tar.gz is ready"

# All dependency files; a source that went away takes its own with it.
-include $(shell [ -d $B ] && find $B -name '*.d')
