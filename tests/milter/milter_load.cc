// Loads a milter the way many SMTP sessions do and measures how long each command waits for its answer.
//
//   milter_load --socket unix:PATH|inet:PORT@HOST [--connections 30] [--seconds 10] [--slow 0.05] [--slow-ms
//   1000]
//               [--burn THREADS] [--think-us 2000] [--tick-us 0] [--no-reply 0|1]
//               [--header LINE]
//
// Each connection sends one message after the other, pausing at random before each command, as an MTA
// does that waits for its client, so that sessions go idle and become ready all the time. A share of the
// messages is slow (tests/milter/scripted_milter.cc takes --slow-ms over them); all commands of the others
// are innocent, and their answers are what is measured. --burn keeps processors busy beside it. Prints one
// line of key=value pairs: times in microseconds.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string socket;
  int connections = 30;
  double seconds = 10;
  double slow = 0.05;
  int slow_ms = 1000;
  int burn = 0;
  int think_us = 2000;
  int tick_us = 0;
  bool no_reply = true;
  std::string header;
};

class Connection {
 public:
  explicit Connection(const std::string& spec) {
    const auto colon = spec.find(':');
    const std::string kind = spec.substr(0, colon), rest = spec.substr(colon + 1);
    sockaddr_storage storage{};
    socklen_t size;
    if (kind == "unix") {
      auto& address = reinterpret_cast<sockaddr_un&>(storage);
      address.sun_family = AF_UNIX;
      std::strncpy(address.sun_path, rest.c_str(), sizeof address.sun_path - 1);
      size = sizeof address;
    } else {
      auto& address = reinterpret_cast<sockaddr_in&>(storage);
      address.sin_family = AF_INET;
      address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(rest.c_str())));
      ::inet_pton(AF_INET, rest.substr(rest.find('@') + 1).c_str(), &address.sin_addr);
      size = sizeof address;
    }
    fd_ = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&storage), size) != 0) throw std::runtime_error("connect");
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Connection() { ::close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(char command, std::string_view data) {
    std::string frame(5, '\0');
    const std::uint32_t size = htonl(static_cast<std::uint32_t>(data.size() + 1));
    std::memcpy(frame.data(), &size, 4);
    frame[4] = command;
    frame += data;
    for (std::size_t at = 0; at < frame.size();) {
      const ssize_t sent = ::send(fd_, frame.data() + at, frame.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("send");
      at += static_cast<std::size_t>(sent);
    }
  }
  // The command letter of the next frame.
  char receive(std::string* into = nullptr) {
    std::uint32_t size = 0;
    read(reinterpret_cast<char*>(&size), 4);
    std::string frame(ntohl(size), '\0');
    read(frame.data(), frame.size());
    if (into != nullptr) *into = frame.substr(1);
    return frame.empty() ? '\0' : frame[0];
  }

 private:
  void read(char* to, std::size_t size) {
    while (size > 0) {
      const ssize_t got = ::recv(fd_, to, size, 0);
      if (got <= 0) throw std::runtime_error("the filter has closed the connection");
      to += got;
      size -= static_cast<std::size_t>(got);
    }
  }
  int fd_ = -1;
};

struct Measured {
  std::mutex mutex;
  std::map<char, std::vector<std::uint32_t>> times;  // microseconds, by command
  std::atomic<unsigned long> messages{0}, slow{0}, failed{0};
};

constexpr std::uint32_t kNoReply = 0x80 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x40000 | 0x80000;

class Sender {
 public:
  Sender(const Options& options, unsigned seed, Measured& measured)
      : options_(options), random_(seed), measured_(measured), connection_(options.socket) {}

  void run(Clock::time_point until) {
    negotiate();
    std::map<char, std::vector<std::uint32_t>> times;
    times_ = &times;
    innocent_ = true;
    step('C', 0x1000, std::string("localhost\0004\0\0", 13) + std::string("127.0.0.1\0", 10));
    while (Clock::now() < until) message();
    const std::lock_guard lock(measured_.mutex);
    for (auto& [command, list] : times) {
      auto& all = measured_.times[command];
      all.insert(all.end(), list.begin(), list.end());
    }
  }

 private:
  void negotiate() {
    std::uint32_t offer[3] = {htonl(6), htonl(0x1ff),
                              htonl(options_.no_reply ? 0x1fffff : 0x1fffff & ~kNoReply)};
    connection_.send('O', {reinterpret_cast<char*>(offer), sizeof offer});
    std::string answer;
    if (connection_.receive(&answer) != 'O' || answer.size() < 12) throw std::runtime_error("negotiation");
    std::memcpy(&steps_, answer.data() + 8, 4);
    steps_ = ntohl(steps_);
  }

  void pause() {
    if (options_.tick_us > 0) {
      // All connections at the same moments, as they come from a machine that is busy otherwise.
      const auto tick = std::chrono::microseconds(options_.tick_us);
      const auto now = Clock::now().time_since_epoch();
      std::this_thread::sleep_until(Clock::time_point((now / tick + 1) * tick));
      return;
    }
    if (options_.think_us > 0)
      std::this_thread::sleep_for(
          std::chrono::microseconds(random_() % (2u * static_cast<unsigned>(options_.think_us))));
  }

  // Whether the filter wants to see more of the message.
  bool step(char command, std::uint32_t silent, std::string_view data) {
    pause();
    const auto start = Clock::now();
    connection_.send(command, data);
    if ((steps_ & silent) != 0) return true;
    char answer;
    while ((answer = connection_.receive()) == 'b' || answer == 'h' || answer == 'm' || answer == 'p') {
    }
    if (answer != 'c' && answer != 'a') ++measured_.failed;
    if (innocent_)
      (*times_)[command].push_back(static_cast<std::uint32_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count()));
    return answer == 'c';
  }

  void message() {
    const bool slow = std::uniform_real_distribution<>(0, 1)(random_) < options_.slow;
    innocent_ = !slow;
    step('M', 0x4000, std::string_view("<a@example.test>\0", 17));
    step('R', 0x8000, std::string_view("<b@example.test>\0", 17));
    step('L', 0x80, std::string_view("Subject\0 load\0", 14));
    if (slow) {
      const std::string value = " " + std::to_string(options_.slow_ms);
      step('L', 0x80, std::string("X-Script-Sleep\0", 15) + value + '\0');
    }
    if (!options_.header.empty()) {
      const auto colon = options_.header.find(':');
      step('L', 0x80, options_.header.substr(0, colon) + '\0' + options_.header.substr(colon + 1) + '\0');
    }
    if (step('N', 0x40000, {})) {
      step('B', 0x80000, "A body of one line.\r\n");
      step('E', 0, {});
    }
    ++measured_.messages;
    if (slow) ++measured_.slow;
  }

  const Options& options_;
  std::minstd_rand random_;
  Measured& measured_;
  Connection connection_;
  std::uint32_t steps_ = 0;
  bool innocent_ = true;
  std::map<char, std::vector<std::uint32_t>>* times_ = nullptr;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--socket") options.socket = value;
    if (name == "--connections") options.connections = std::atoi(value);
    if (name == "--seconds") options.seconds = std::atof(value);
    if (name == "--slow") options.slow = std::atof(value);
    if (name == "--slow-ms") options.slow_ms = std::atoi(value);
    if (name == "--burn") options.burn = std::atoi(value);
    if (name == "--think-us") options.think_us = std::atoi(value);
    if (name == "--tick-us") options.tick_us = std::atoi(value);
    if (name == "--no-reply") options.no_reply = std::atoi(value) != 0;
    if (name == "--header") options.header = value;
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  Measured measured;
  std::atomic<bool> burning{true};
  std::vector<std::thread> burners, senders;
  for (int i = 0; i < options.burn; ++i)
    burners.emplace_back([&burning] {
      volatile unsigned long sum = 0;
      while (burning) sum = sum + 1;
    });
  const auto start = Clock::now();
  const auto until =
      start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
  for (int i = 0; i < options.connections; ++i)
    senders.emplace_back([&, i] {
      try {
        Sender(options, 1000u + static_cast<unsigned>(i), measured).run(until);
      } catch (const std::exception& exception) {
        std::fprintf(stderr, "connection %d: %s\n", i, exception.what());
        ++measured.failed;
      }
    });
  for (auto& thread : senders) thread.join();
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  burning = false;
  for (auto& thread : burners) thread.join();

  std::vector<std::uint32_t> all;
  for (const auto& [command, list] : measured.times) all.insert(all.end(), list.begin(), list.end());
  std::sort(all.begin(), all.end());
  const auto percentile = [&](double share) {
    return all.empty() ? 0u
                       : all[std::min(all.size() - 1,
                                      static_cast<std::size_t>(share * static_cast<double>(all.size())))];
  };
  const auto over = [&](std::uint32_t limit) {
    return static_cast<long>(all.end() - std::upper_bound(all.begin(), all.end(), limit));
  };
  std::printf(
      "messages=%lu slow=%lu failed=%lu per_second=%.0f commands=%zu p50=%u p99=%u p999=%u max=%u "
      "over_50ms=%ld "
      "over_1s=%ld\n",
      measured.messages.load(), measured.slow.load(), measured.failed.load(),
      static_cast<double>(measured.messages.load()) / took, all.size(), percentile(0.5), percentile(0.99),
      percentile(0.999), all.empty() ? 0u : all.back(), over(50'000), over(1'000'000));
  return measured.failed == 0 ? 0 : 1;
}
