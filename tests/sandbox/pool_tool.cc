// Renders pictures through the real pool, for the tests of the render workers: without mail around it.
//
//   pool_tool [OPTION]... FILE...
//
// Each FILE is one picture, sniffed; "raw:WxHxB" makes one of random bytes, "attack:NAME:WHERE[:FORMAT]" one
// for tests/sandbox/attack.cc. For each a line
//   FILE<TAB>STATUS<TAB>MICROSECONDS<TAB>FORMAT<TAB>WIDTH<TAB>HEIGHT<TAB>SIZE<TAB>REASON
//
//   --workers N --timeout MS --memory BYTES --loaders A,B --best-effort --program PATH   as configured
//   --deadline MS       for a message; each FILE is one, unless
//   --together          all are in one message
//   --rounds N          everything so often
//   --fresh             every picture is its worker's first
//   --out FOLDER        results are written there, by their place in the list
//   --counters          at the end a line "counters<TAB>WORKERS STARTED<TAB>ZYGOTES STARTED<TAB>KILOBYTES",
//   the
//                       last being the most memory that one process of the render program had
//   --hold              at the end waits for the end of stdin, with workers made ahead
//   --deny CALL=ERROR   a system call, by number, fails with an error, by number, here and in all children:
//                       a kernel that has less
//   --exec PROGRAM ...  nothing else, but after --deny
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "image/format.h"
#include "worker/pool.h"

namespace {
using namespace pixmilter;

struct Input {
  std::string name;
  std::string bytes;
  image::ImageJob job;
};

Input read_input(const std::string& name) {
  Input input{name, {}, {}};
  if (name.starts_with("raw:")) {
    auto& layout = input.job.layout;
    if (std::sscanf(name.c_str(), "raw:%ux%ux%u", &layout.width, &layout.height, &layout.bands) != 3)
      std::exit(64);
    input.job.format = image::Format::raw;
    input.bytes.resize(layout.pixel_bytes());
    std::mt19937 random(layout.width);
    for (char& c : input.bytes) c = static_cast<char>(random());
  } else if (name.starts_with("attack:")) {
    const std::string rest = name.substr(7);
    const auto first = rest.find(':');
    const auto second = std::min(rest.find(':', first + 1), rest.size());
    input.bytes = "ATTACK " + rest.substr(0, first) + " " + rest.substr(first + 1, second - first - 1) + " ";
    input.bytes.resize(100);
    // As much as a packet holds, for who looks for it afterwards.
    while (name.starts_with("attack:leave_packet") && input.bytes.size() < 16'000)
      input.bytes += "pixel of another mail ";
    input.job.format = rest.ends_with(":svg") ? image::Format::svg : image::Format::raw;
    input.job.layout.width = 10;
    input.job.layout.height = 10;
  } else {
    std::ifstream file(name, std::ios::binary);
    if (!file) std::exit((std::perror(name.c_str()), 66));
    input.bytes.assign(std::istreambuf_iterator<char>(file), {});
    input.job.format = image::sniff(input.bytes);
  }
  return input;
}

void deny(const std::string& order) {
  unsigned call = 0;
  unsigned error = 0;
  if (std::sscanf(order.c_str(), "%u=%u", &call, &error) != 2) std::exit(64);
  sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{std::size(code), code};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    std::exit((std::perror("--deny"), 71));
}

void say(const Input& input, const image::ImageResult& result, long long microseconds) {
  std::printf("%s\t%s\t%lld\t%s\t%u\t%u\t%zu\t%s\n", input.name.c_str(),
              std::string(image::name(result.status)).c_str(), microseconds,
              std::string(image::name(result.format)).c_str(), result.width, result.height,
              result.bytes.size(), result.reason.c_str());
  std::fflush(stdout);
}

void keep(const std::string& folder, std::size_t place, const image::ImageResult& result) {
  if (folder.empty() || result.status != image::Status::ok) return;
  std::ofstream(folder + "/" + std::to_string(place), std::ios::binary) << result.bytes;
}

}  // namespace

int main(int argc, char** argv) {
  worker::PoolOptions options;
  worker::RenderProgram program;
  Milliseconds deadline{60'000};
  bool together = false;
  bool hold = false;
  bool counters = false;
  std::string out;
  int rounds = 1;
  std::vector<std::unique_ptr<Input>> inputs;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : std::string(); };
    if (word == "--workers")
      options.workers = static_cast<std::uint32_t>(std::stoul(value()));
    else if (word == "--timeout")
      options.timeout = program.timeout = Milliseconds(std::stol(value()));
    else if (word == "--deadline")
      deadline = Milliseconds(std::stol(value()));
    else if (word == "--memory")
      program.memory = std::stoull(value());
    else if (word == "--program")
      program.path = value();
    else if (word == "--fresh")
      options.jobs_per_worker = 1;
    else if (word == "--best-effort")
      program.sandbox_required = false;
    else if (word == "--loaders") {
      program.loaders.clear();
      std::string list = value() + ",";
      for (std::size_t at; (at = list.find(',')) != std::string::npos; list.erase(0, at + 1))
        program.loaders.push_back(list.substr(0, at));
    } else if (word == "--deny")
      deny(value());
    else if (word == "--together")
      together = true;
    else if (word == "--rounds")
      rounds = std::stoi(value());
    else if (word == "--counters")
      counters = true;
    else if (word == "--out")
      out = value();
    else if (word == "--exec")
      return ::execv(argv[i + 1], argv + i + 1), std::perror("--exec"), 71;
    else if (word == "--hold")
      hold = options.ahead = true;
    else
      inputs.push_back(std::make_unique<Input>(read_input(word)));
  }
  for (auto& input : inputs) input->job.bytes = input->bytes;

  auto owned = std::make_unique<worker::Pool>(options, worker::child_zygotes(program));
  worker::Pool& pool = *owned;
  pool.prepare();
  for (int round = 0; round < rounds; ++round) {
    const auto begun = Clock::now();
    const auto passed = [&](Clock::time_point since) {
      return static_cast<long long>(
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - since).count());
    };
    if (together) {
      std::vector<image::ImageJob> jobs;
      for (const auto& input : inputs) jobs.push_back(input->job);
      const auto results = pool.render(jobs, Deadline::after(deadline));
      for (std::size_t i = 0; i < jobs.size(); ++i)
        say(*inputs[i], results[i], passed(begun)), keep(out, i, results[i]);
    } else {
      for (const auto& input : inputs) {
        const auto since = Clock::now();
        const auto results = pool.render(std::span(&input->job, 1), Deadline::after(deadline));
        say(*input, results[0], passed(since));
        keep(out, static_cast<std::size_t>(&input - inputs.data()), results[0]);
      }
    }
  }
  if (counters) {
    const auto count = pool.counters();
    owned.reset();  // and everybody has been waited for
    rusage children{};
    ::getrusage(RUSAGE_CHILDREN, &children);
    std::printf("counters\t%llu\t%llu\t%ld\n", static_cast<unsigned long long>(count.workers_started),
                static_cast<unsigned long long>(count.zygotes_started), children.ru_maxrss);
    return 0;
  }
  if (hold) {
    std::puts("holding");
    std::fflush(stdout);
    char byte;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
  }
  return 0;
}
