// pixmilter-render: the program that renders pictures for pixmilter, and the only one that maps libvips.
//
// Started by pixmilter with a socket it inherits, it becomes the zygote that forks render workers. It is
// no command: a person who starts it is told so.

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "base/unique_fd.h"
#include "render/environment.h"
#include "render/options.h"
#include "render/seal.h"
#include "render/wiping_allocator.h"
#include "render/zygote.h"

int main(int argc, char** argv) {
  using namespace pixmilter;
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::puts("pixmilter-render " PIXMILTER_VERSION);
    return EX_OK;
  }
  auto options = render::read_options(argc, argv);
  if (!options) {
    std::fprintf(stderr,
                 "pixmilter-render: %s\n"
                 "pixmilter starts this program by itself to render pictures; it is no command.\n"
                 "See pixmilter --help.\n",
                 options.error().text.c_str());
    return EX_USAGE;
  }
  if (!render::has_fixed_environment()) {
    render::start_again(argv);
    std::perror("pixmilter-render: cannot start again with its own environment");
    return EX_OSERR;
  }
  UniqueFd front(options->zygote_fd);
  if (::fcntl(front.get(), F_SETFD, FD_CLOEXEC) != 0) {
    std::perror("pixmilter-render: --zygote-fd");
    return EX_USAGE;
  }
  const bool namespaces = render::enter_namespaces();
  // Not before: a change of capabilities clears it. Whoever started us may have gone already; then the
  // socket has ended.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!render::freed_memory_is_wiped()) {
    std::fputs("pixmilter-render: freed memory is not overwritten: is another allocator loaded?\n", stderr);
    return EX_UNAVAILABLE;
  }
  render::LastWords last_words;
  render::prepare_process(last_words);
  if (!render::start_vips()) {
    std::fputs("pixmilter-render: libvips does not start\n", stderr);
    return EX_UNAVAILABLE;
  }
  return render::run_zygote(std::move(front), *options, namespaces, last_words);
}
