// The worker protocol from the front's end: whatever a worker that was taken over sends, and leaves in the
// memory that it shares with the front.
//
// The first two bytes say how much of the input is the packet; the rest is what lies in the memory.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "check.h"
#include "image/check_picture.h"
#include "worker/judge_answer.h"
#include "worker/wire.h"

using namespace pixmilter;
namespace wire = worker::wire;

namespace {

// What reads at all was written that way.
template <class Message>
void check_one_spelling(std::string_view packet) {
  if (const auto message = wire::decode<Message>(packet)) FUZZ_CHECK(wire::encode(*message) == packet);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t length = std::min<std::size_t>(data[0] | data[1] << 8, input.size());
  const std::string_view packet = input.substr(0, length);
  const std::string_view memory = input.substr(length);

  check_one_spelling<wire::Hello>(packet);
  check_one_spelling<wire::Forked>(packet);
  check_one_spelling<wire::Ended>(packet);
  check_one_spelling<wire::Pong>(packet);
  check_one_spelling<wire::Ready>(packet);
  check_one_spelling<wire::Answer>(packet);

  // Both with a number that the worker knows and with one that it does not.
  const auto answer = wire::decode<wire::Answer>(packet);
  for (const bool guessed : {false, true}) {
    const bool with_picture = answer && !answer->picture.empty();
    worker::Expected expected{0x123456789abcdef0, with_picture ? wire::kMaxInline : memory.size(), 1'000'000};
    if (guessed && answer) expected.number = answer->number;
    std::uint64_t copied = 0;
    const auto judgement =
        worker::judge_answer(packet, false, expected, [&](std::uint64_t wanted) -> Result<std::string> {
          FUZZ_CHECK(wanted <= memory.size());
          copied = wanted;
          return std::string(memory.substr(0, wanted));
        });
    const auto& result = judgement.result;
    if (result.status == image::Status::ok) {
      FUZZ_CHECK(answer && answer->number == expected.number);
      FUZZ_CHECK(result.bytes == (answer->picture.empty() ? memory.substr(0, copied) : answer->picture));
      FUZZ_CHECK(image::shown_everywhere(result.format));
      FUZZ_CHECK(image::sniff(result.bytes) == result.format);
      FUZZ_CHECK(std::uint64_t{result.width} * result.height <= expected.max_pixels);
      FUZZ_CHECK(result.width > 0 && result.height > 0 && result.frames > 0);
    } else {
      FUZZ_CHECK(result.bytes.empty());
    }
    for (const char c : result.reason) FUZZ_CHECK(c >= ' ' && c <= '~');
    FUZZ_CHECK(judgement.output_size == 0);
    // Before the worker has memory to write to, it can ask for some, within the limit.
    const auto before = worker::judge_answer(packet, false, expected, {});
    FUZZ_CHECK(before.output_size <= expected.max_bytes);
    if (before.output_size > 0) FUZZ_CHECK(!with_picture && before.result.bytes.empty());
    if (before.output_size == 0) FUZZ_CHECK(before.result.status == result.status);
  }

  // The reader of pictures by itself, on everything.
  for (const std::string_view bytes : {memory, input}) {
    const auto facts = image::check_picture(bytes);
    if (facts) FUZZ_CHECK(image::sniff(bytes) == facts->format);
  }
  return 0;
}
