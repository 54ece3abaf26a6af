#include "render/serve.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/socket.h"
#include "image/job.h"
#include "render/picture.h"
#include "render/seal.h"
#include "render/warm_up.h"
#include "render/wiping_allocator.h"

namespace pixmilter::render {

using image::ImageResult;
using image::Status;

namespace wire = worker::wire;

namespace {

// Exit codes.
constexpr int kBroken = 1;
constexpr int kNotUsable = 2;

// Memory that the allocator holds. Asked for without a system call.
class Footprint {
 public:
  Footprint() {
    const auto all = ::mallinfo2();
    bytes_ = all.arena + all.hblkhd;
  }
  // It has kept so much more than before that starting afresh is better.
  bool exceeds(const Footprint& before, std::uint64_t allowance) const {
    return bytes_ > before.bytes_ + allowance / 4;
  }

 private:
  std::uint64_t bytes_;
};

// send(2) alone is left to a sealed worker.
bool say(int socket, const std::string& message) {
  return ::send(socket, message.data(), message.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(message.size());
}

std::string report(const Missing& missing, bool usable) {
  std::string text;
  for (const std::string& each : missing) text += (text.empty() ? "" : "; ") + each;
  if (!usable) return "render workers cannot be sealed, so no picture is touched: " + text;
  return text.empty() ? "" : "the seal of render workers is not complete: " + text;
}

// Why the seal does not hold, or nothing.
std::string seal_and_judge(wire::Purpose purpose, const Surroundings& surroundings, Missing& missing) {
  const pixmilter::Status sealed = seal(purpose, surroundings.options, missing);
  if (!sealed) return sealed.error().text;
  return surroundings.self_test.empty() ? "" : "self-test: " + surroundings.self_test;
}

// A mapping of a whole memfd, gone with the object. Empty files map to nothing.
class Mapping {
 public:
  Mapping(int fd, std::uint64_t size, int protection, int flags) : size_(size) {
    if (size > 0) address_ = ::mmap(nullptr, size, protection, flags, fd, 0);
  }
  ~Mapping() {
    if (good() && size_ > 0) ::munmap(address_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  bool good() const { return address_ != MAP_FAILED; }
  char* data() const { return static_cast<char*>(address_); }

 private:
  std::uint64_t size_;
  void* address_ = nullptr;
};

ImageResult failed(Status status, std::string reason) {
  ImageResult result;
  result.status = status;
  result.reason = std::move(reason);
  return result;
}

// Out of memory in the middle of a picture leaves a heap that nobody should go on with.
ImageResult render(const image::ImageJob& job, bool& retire) {
  try {
    return render_picture(job);
  } catch (const std::bad_alloc&) {
    retire = true;
    return failed(Status::limit, "not enough memory");
  } catch (const std::exception& problem) {
    retire = true;
    return failed(Status::refused, problem.what());
  }
}

// input: -1 where the message holds the picture. The answer holds the encoded one, whatever its size.
wire::Answer carry_out(wire::Job& message, const std::set<image::Format>& formats, int input) {
  wire::Answer answer;
  answer.number = message.number;
  ImageResult result;
  {
    const Mapping mapped(input, message.input_size, PROT_READ, MAP_PRIVATE);
    if (!formats.contains(message.job.format)) {
      result = failed(Status::refused, std::string(image::name(message.job.format)) + " is not served here");
    } else if (mapped.good()) {
      message.job.bytes = message.picture;
      if (input >= 0) message.job.bytes = {mapped.data(), message.input_size};
      result = render(message.job, answer.retire);
    } else {
      result = failed(Status::limit, "not enough memory for the picture as it came");
    }
  }
  if (result.status == Status::ok && result.bytes.empty()) result = failed(Status::refused, "no bytes");
  if (result.status == Status::ok && result.bytes.size() > message.job.limits.max_output_bytes)
    result = failed(Status::limit, "the encoded picture is over the limit");
  // libvips says it like any other error.
  if (result.status == Status::refused && result.reason.find("out of memory") != std::string::npos)
    result.status = Status::limit;
  answer.status = result.status;
  answer.reason = std::move(result.reason);
  answer.format = result.format;
  answer.width = result.width;
  answer.height = result.height;
  answer.frames = result.frames;
  if (result.status == Status::ok) answer.picture = std::move(result.bytes);
  answer.size = answer.picture.size();
  return answer;
}

// A picture that is too large for a packet, until there is memory to write it to.
class Kept {
 public:
  // The answer leaves its picture here where that is too large.
  void take(wire::Answer& answer) {
    if (answer.picture.size() <= wire::kMaxInline) return;
    picture_ = std::exchange(answer.picture, {});
    answer_ = answer;
  }
  bool is_of(std::uint64_t number) const { return !picture_.empty() && answer_.number == number; }
  // Writes the picture to output, a memfd of its size, and answers again.
  wire::Answer hand_over(int output) {
    const Mapping memory(output, picture_.size(), PROT_READ | PROT_WRITE, MAP_SHARED);
    if (memory.good()) {
      std::memcpy(memory.data(), picture_.data(), picture_.size());
    } else {
      answer_.status = Status::limit;
      answer_.reason = "not enough memory for the encoded picture";
      answer_.size = 0;
    }
    std::string().swap(picture_);  // wiped when the answer is out, like all else
    return answer_;
  }
  // Nobody asks for it any more.
  void drop() {
    if (picture_.empty()) return;
    std::string().swap(picture_);
    wipe_what_waits();
  }

 private:
  std::string picture_;
  wire::Answer answer_;
};

// What functions left of a picture in the stack below.
[[gnu::noinline]] void wipe_stack() {
  std::array<char, 256 << 10> below;  // of the eight megabytes that a stack may have, what is next
  ::explicit_bzero(below.data(), below.size());
}

// The answer to a job that memory does not suffice for.
std::string out_of_memory(std::uint64_t number) {
  wire::Answer answer;
  answer.number = number;
  answer.status = Status::limit;
  answer.reason = "not enough memory";
  answer.retire = true;
  return wire::encode(answer);
}

}  // namespace

int serve(UniqueFd socket, wire::Purpose purpose, const Surroundings& surroundings) {
  Missing missing;
  const auto shed = shed_privileges(socket, surroundings.zygote, surroundings.namespaces, missing);
  const int front = socket.get();
  if (!shed) {
    say(front, wire::encode(wire::Ready{false, report({shed.error().text}, false)}));
    return kNotUsable;
  }
  std::set<image::Format> formats = choose_loaders(purpose, surroundings.options);
  warm_up(formats);
  wipe_what_waits();
  const Footprint fresh;
  const std::string flaw = seal_and_judge(purpose, surroundings, missing);
  const bool usable = flaw.empty() || !surroundings.options.sandbox_required;
  if (!flaw.empty()) missing.push_back(flaw);
  if (!say(front, wire::encode(wire::Ready{usable, report(missing, usable)}))) return kBroken;
  if (!usable) return kNotUsable;
  Kept kept;
  // Hears one message of the front and answers it; or says with which exit code there are no more.
  const auto turn = [&]() -> std::optional<int> {
    Packet packet;  // of this picture alone: what is freed is overwritten, what is reused is not
    const auto transfer = receive_packet(front, wire::kMaxWithPicture, true, packet);
    if (transfer == Transfer::closed) return 0;
    if (transfer != Transfer::done) return kBroken;
    wire::Answer answer;
    if (const auto output = wire::decode<wire::Output>(packet.bytes)) {
      if (!kept.is_of(output->number) || packet.fds.size() != 1) return kBroken;
      answer = kept.hand_over(packet.fds[0].get());
    } else {
      kept.drop();
      auto job = wire::decode<wire::Job>(packet.bytes);
      if (!job || packet.fds.size() != (job->input_size > 0 ? 1U : 0U)) return kBroken;
      surroundings.last_words = {front, out_of_memory(job->number)};
      answer = carry_out(*job, formats, packet.fds.empty() ? -1 : packet.fds[0].get());
      answer.retire = answer.retire || Footprint().exceeds(fresh, surroundings.options.memory);
      kept.take(answer);
    }
    if (!say(front, wire::encode(answer))) return kBroken;
    return std::nullopt;
  };
  for (;;) {
    if (const auto exit_code = turn()) return *exit_code;
    // Nobody waits now, and all that belonged to the picture has been freed.
    wipe_what_waits();
    wipe_stack();
  }
}

}  // namespace pixmilter::render
