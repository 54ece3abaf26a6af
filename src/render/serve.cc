#include "render/serve.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstring>
#include <new>
#include <string>

#include "base/socket.h"
#include "image/job.h"
#include "render/picture.h"

namespace pixmilter::render {

using image::ImageResult;
using image::Status;

namespace wire = worker::wire;

namespace {

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

wire::Answer carry_out(wire::Job& message, int input, int output) {
  wire::Answer answer;
  answer.number = message.number;
  ImageResult result;
  {
    const Mapping picture(input, message.input_size, PROT_READ, MAP_PRIVATE);
    if (picture.good()) {
      message.job.bytes = {picture.data(), message.input_size};
      result = render(message.job, answer.retire);
    } else {
      result = failed(Status::limit, "not enough memory for the picture as it came");
    }
  }
  if (result.status == Status::ok && result.bytes.size() > message.output_size)
    result = failed(Status::limit, "the encoded picture is over the limit");
  if (result.status == Status::ok) {
    const Mapping encoded(output, result.bytes.size(), PROT_READ | PROT_WRITE, MAP_SHARED);
    if (encoded.good() && !result.bytes.empty())
      std::memcpy(encoded.data(), result.bytes.data(), result.bytes.size());
    else
      result = failed(Status::limit, "not enough memory for the encoded picture");
  }
  answer.status = result.status;
  answer.reason = std::move(result.reason);
  answer.format = result.format;
  answer.width = result.width;
  answer.height = result.height;
  answer.frames = result.frames;
  answer.size = result.status == Status::ok ? result.bytes.size() : 0;
  return answer;
}

}  // namespace

int serve(UniqueFd front, wire::Purpose, const Options&, pid_t zygote) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != zygote) return 1;
  if (send_packet(front.get(), wire::encode(wire::Ready{true, ""}), {}, true) != Transfer::done) return 1;
  Packet packet;
  for (;;) {
    const auto transfer = receive_packet(front.get(), wire::kMaxMessage, true, packet);
    if (transfer == Transfer::closed) return 0;
    auto job = transfer == Transfer::done ? wire::decode<wire::Job>(packet.bytes) : std::nullopt;
    if (!job || packet.fds.size() != 2) return 1;
    const auto answer = carry_out(*job, packet.fds[0].get(), packet.fds[1].get());
    packet.fds.clear();
    if (send_packet(front.get(), wire::encode(answer), {}, true) != Transfer::done) return 1;
  }
}

}  // namespace pixmilter::render
