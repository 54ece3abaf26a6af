// The MTA's side of the milter protocol (version 6, as Postfix speaks it) under load, for run.py.
//
//   load --socket unix:PATH [--connections 1] [--seconds 2] [--messages 0] [--warm-up 1] FILE...
//
// Each connection brings one message, as an SMTP session mostly does; --connections of them are open at any
// time. They bring the messages of the files in turn, until the seconds have passed (or --messages of them
// are done, where that is not 0). Before anything is measured each connection brings --warm-up messages. A
// time is what a client waits: from the connection to the last reply. Prints one JSON object; every reply to
// one file must be the same, which "same" says.
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::string_view_literals;

constexpr std::size_t kChunk = 65'535;  // of a body; Postfix sends no more in one frame
constexpr int kPatience = 300;          // seconds to wait for a reply

// "Do not reply" bits of the negotiation, by the command that they silence (libmilter/mfdef.h).
constexpr std::pair<char, std::uint32_t> kSilent[] = {{'C', 0x1000},  {'H', 0x2000},  {'M', 0x4000},
                                                      {'R', 0x8000},  {'T', 0x10000}, {'L', 0x80},
                                                      {'N', 0x40000}, {'B', 0x80000}};
// "Do not send" bits.
constexpr std::pair<char, std::uint32_t> kUnwanted[] = {{'C', 0x1},  {'H', 0x2},  {'M', 0x4},  {'R', 0x8},
                                                        {'B', 0x10}, {'L', 0x20}, {'N', 0x40}, {'T', 0x200}};
constexpr std::uint32_t kLeadingSpace = 0x100000;

std::uint32_t bit_of(char command, const std::pair<char, std::uint32_t> (&bits)[8]) {
  for (const auto& [of, bit] : bits)
    if (of == command) return bit;
  return 0;
}

struct Message {
  std::vector<std::pair<std::string, std::string>> fields;  // values as they stand after the colon
  std::string body;                                         // CRLF lines
};

Message read_message(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::string text;
  char before = 0;
  for (std::istreambuf_iterator<char> at(file), end; at != end; ++at) {
    if (*at == '\n' && before != '\r') text.push_back('\r');
    text.push_back(before = *at);
  }
  Message message;
  std::size_t at = 0;
  while (at < text.size() && text.compare(at, 2, "\r\n") != 0) {
    std::size_t end = text.find("\r\n", at);
    while (end + 2 < text.size() && (text[end + 2] == ' ' || text[end + 2] == '\t'))
      end = text.find("\r\n", end + 2);
    const std::string field = text.substr(at, end - at);
    const std::size_t colon = field.find(':');
    std::string value;
    for (const char c : field.substr(colon + 1))
      if (c != '\r') value.push_back(c);
    message.fields.emplace_back(field.substr(0, colon), value);
    at = end + 2;
  }
  message.body = text.substr(std::min(at + 2, text.size()));
  return message;
}

struct Reply {
  char verdict = 0;
  std::uint64_t body_bytes = 0;  // handed back
  std::size_t hash = 0;          // of all that was said at the end
};

class Connection {
 public:
  explicit Connection(const std::string& path) : input_(256 << 10, '\0') {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("the socket's path is too long");
    std::memcpy(address.sun_path, path.data(), path.size());
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{kPatience, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ::close(fd_);
      throw std::runtime_error("cannot connect");
    }
  }
  ~Connection() { ::close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Reply bring(const Message& message) {
    negotiate();
    macros('C', "j\0mail.example.org\0{daemon_name}\0smtpd\0v\0load\0"sv);
    Reply reply;
    const bool all = step('C',
                          "localhost\0"
                          "4\0\0"
                          "127.0.0.1\0"sv,
                          reply) &&
                     step('H', "localhost\0"sv, reply);
    if (all && transaction(message, reply)) end(reply);
    send('Q', {});
    return reply;
  }

 private:
  void negotiate() {
    const std::uint32_t offer[] = {htonl(6), htonl(0x1ff), htonl(0x1fffff)};
    send('O', {reinterpret_cast<const char*>(offer), sizeof offer});
    const auto [command, data] = receive();
    if (command != 'O' || data.size() < 12) throw std::runtime_error("negotiation failed");
    std::uint32_t steps = 0;
    std::memcpy(&steps, data.data() + 8, 4);
    steps_ = ntohl(steps);
  }

  bool transaction(const Message& message, Reply& reply) {
    macros('M', "{mail_addr}\0a@example.org\0"sv);
    if (!step('M', "<a@example.org>\0"sv, reply)) return false;
    macros('R', "{rcpt_addr}\0b@example.net\0i\0load\0"sv);
    if (!step('R', "<b@example.net>\0"sv, reply)) return false;
    if (!step('T', {}, reply)) return false;
    std::string field;
    for (const auto& [name, value] : message.fields) {
      const bool space = (steps_ & kLeadingSpace) != 0 || !value.starts_with(' ');
      field.assign(name).push_back('\0');
      field.append(space ? value : value.substr(1)).push_back('\0');
      if (!step('L', field, reply)) return false;
    }
    macros('N', "i\0load\0"sv);
    if (!step('N', {}, reply)) return false;
    for (std::size_t at = 0; at < message.body.size(); at += kChunk)
      if (!step('B', std::string_view(message.body).substr(at, kChunk), reply)) return false;
    return true;
  }

  // The end of the message, and what the filter wants changed.
  void end(Reply& reply) {
    macros('E', "i\0load\0"sv);
    send('E', {});
    const std::hash<std::string_view> hash;
    for (;;) {
      const auto [command, data] = receive();
      if (command == 'p') continue;  // still at it
      if (command == 'b') reply.body_bytes += data.size();
      if (std::strchr("bmhiq+-2e", command) != nullptr) {
        reply.hash = reply.hash * 31 + hash(data) + static_cast<unsigned char>(command);
        continue;
      }
      reply.verdict = command;
      return;
    }
  }

  // Whether the filter wants to see more.
  bool step(char command, std::string_view data, Reply& reply) {
    if ((steps_ & bit_of(command, kUnwanted)) != 0) return true;
    send(command, data);
    if ((steps_ & bit_of(command, kSilent)) != 0) return true;
    char answer;
    while ((answer = receive().first) == 'p') {
    }
    if (answer == 'c') return true;
    reply.verdict = answer;
    return false;
  }

  void macros(char command, std::string_view list) { send('D', std::string(1, command).append(list)); }

  void send(char command, std::string_view data) {
    char head[5];
    const std::uint32_t size = htonl(static_cast<std::uint32_t>(data.size() + 1));
    std::memcpy(head, &size, 4);
    head[4] = command;
    iovec parts[] = {{head, sizeof head}, {const_cast<char*>(data.data()), data.size()}};
    msghdr frame{};
    frame.msg_iov = parts;
    frame.msg_iovlen = 2;
    for (std::size_t left = sizeof head + data.size(); left > 0;) {
      const ssize_t sent = ::sendmsg(fd_, &frame, MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("the filter takes no more");
      left -= static_cast<std::size_t>(sent);
      auto gone = static_cast<std::size_t>(sent);
      for (iovec& part : parts) {
        const std::size_t of_this = std::min(gone, part.iov_len);
        part.iov_base = static_cast<char*>(part.iov_base) + of_this;
        part.iov_len -= of_this;
        gone -= of_this;
      }
    }
  }

  // The next frame; its data lie in input_ until the next call.
  std::pair<char, std::string_view> receive() {
    fill(4);
    std::uint32_t size = 0;
    std::memcpy(&size, input_.data() + begin_, 4);
    size = ntohl(size);
    if (size == 0 || size > (1u << 26)) throw std::runtime_error("a frame of no size");
    fill(4 + std::size_t{size});
    const std::string_view frame = std::string_view(input_).substr(begin_ + 4, size);
    begin_ += 4 + std::size_t{size};
    return {frame.front(), frame.substr(1)};
  }

  // Reads until so many bytes lie from begin_ on.
  void fill(std::size_t wanted) {
    if (end_ - begin_ >= wanted) return;
    std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    if (input_.size() < wanted) input_.resize(wanted);
    while (end_ < wanted) {
      const ssize_t got = ::recv(fd_, input_.data() + end_, input_.size() - end_, 0);
      if (got <= 0) throw std::runtime_error("no reply");
      end_ += static_cast<std::size_t>(got);
    }
  }

  int fd_ = -1;
  std::uint32_t steps_ = 0;
  std::string input_;
  std::size_t begin_ = 0, end_ = 0;
};

struct Options {
  std::string path;
  int connections = 1;
  double seconds = 2;
  std::size_t messages = 0;
  int warm_up = 1;
  std::vector<Message> corpus;
};

struct Measured {
  std::mutex mutex;
  std::vector<double> times;  // milliseconds
  std::uint64_t bytes_in = 0, bytes_back = 0;
  std::map<char, std::size_t> verdicts;
  std::map<std::size_t, std::size_t> said;  // hash of the reply by file
  bool same = true;
  std::string error;

  void add(std::size_t file, std::size_t in, const Reply& reply, double time) {
    const std::lock_guard lock(mutex);
    times.push_back(time);
    bytes_in += in;
    bytes_back += reply.body_bytes;
    ++verdicts[reply.verdict];
    same = same && said.emplace(file, reply.hash).first->second == reply.hash;
  }
};

double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

// All connections at once, each until go_on(messages begun) is false.
void run(const Options& options, Measured& measured, const std::function<bool(std::size_t)>& go_on) {
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < options.connections; ++i)
    threads.emplace_back([&] {
      try {
        for (std::size_t number; number = next++, go_on(number);) {
          const std::size_t file = number % options.corpus.size();
          const auto start = Clock::now();
          const Reply reply = Connection(options.path).bring(options.corpus[file]);
          measured.add(file, options.corpus[file].body.size(), reply, milliseconds(Clock::now() - start));
        }
      } catch (const std::exception& exception) {
        const std::lock_guard lock(measured.mutex);
        measured.error = exception.what();
      }
    });
  for (std::thread& thread : threads) thread.join();
}

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--")) {
      options.corpus.push_back(read_message(argv[i]));
      continue;
    }
    const char* value = i + 1 < argc ? argv[++i] : "";
    if (word == "--socket" && std::string_view(value).starts_with("unix:")) options.path = value + 5;
    if (word == "--connections") options.connections = std::max(1, std::atoi(value));
    if (word == "--seconds") options.seconds = std::atof(value);
    if (word == "--messages") options.messages = static_cast<std::size_t>(std::atoll(value));
    if (word == "--warm-up") options.warm_up = std::atoi(value);
  }
  if (options.path.empty() || options.corpus.empty())
    throw std::runtime_error("usage: load --socket unix:PATH [OPTION VALUE]... FILE...");
  return options;
}

}  // namespace

int main(int argc, char** argv) try {
  const Options options = parse(argc, argv);
  {
    Measured warm;
    const auto wanted = static_cast<std::size_t>(options.connections * options.warm_up);
    run(options, warm, [&](std::size_t number) { return number < wanted; });
    if (!warm.error.empty()) throw std::runtime_error(warm.error);
  }
  Measured measured;
  const double cpu = processor_seconds();
  const auto start = Clock::now();
  const auto until =
      start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
  run(options, measured, [&](std::size_t number) {
    return options.messages > 0 ? number < options.messages : number == 0 || Clock::now() < until;
  });
  const double took = milliseconds(Clock::now() - start) / 1000;
  if (!measured.error.empty()) throw std::runtime_error(measured.error);

  std::vector<double>& times = measured.times;
  std::sort(times.begin(), times.end());
  const auto percentile = [&](double share) {
    return times[std::min(times.size() - 1,
                          static_cast<std::size_t>(share * static_cast<double>(times.size())))];
  };
  const auto count = static_cast<double>(times.size());
  std::printf(
      "{\"messages\": %zu, \"seconds\": %.6f, \"per_second\": %.6g, \"p50_ms\": %.6g, \"p95_ms\": %.6g, "
      "\"p99_ms\": %.6g, \"kb_in\": %.6g, \"kb_back\": %.6g, \"load_cpu_ms\": %.6g, \"same\": %s, "
      "\"verdicts\": {",
      times.size(), took, count / took, percentile(0.5), percentile(0.95), percentile(0.99),
      static_cast<double>(measured.bytes_in) / 1000 / count,
      static_cast<double>(measured.bytes_back) / 1000 / count, (processor_seconds() - cpu) * 1000 / count,
      measured.same ? "true" : "false");
  const char* comma = "";
  for (const auto& [verdict, number] : measured.verdicts) {
    std::printf("%s\"%c\": %zu", comma, verdict, number);
    comma = ", ";
  }
  std::puts("}}");
  return 0;
} catch (const std::exception& exception) {
  std::fprintf(stderr, "load: %s\n", exception.what());
  return 70;
}
