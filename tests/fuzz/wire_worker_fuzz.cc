// The worker protocol from the other end: what the zygote and a worker read.
#include <cstdint>
#include <string_view>

#include "check.h"
#include "worker/wire.h"

using namespace pixmilter;
namespace wire = worker::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view packet(reinterpret_cast<const char*>(data), size);
  if (const auto message = wire::decode<wire::Fork>(packet)) {
    FUZZ_CHECK(wire::encode(*message) == packet);
    FUZZ_CHECK(message->purpose <= wire::Purpose::svg);
  }
  if (const auto message = wire::decode<wire::Ping>(packet)) FUZZ_CHECK(wire::encode(*message) == packet);
  if (const auto message = wire::decode<wire::Kill>(packet)) FUZZ_CHECK(wire::encode(*message) == packet);
  if (const auto message = wire::decode<wire::Output>(packet)) FUZZ_CHECK(wire::encode(*message) == packet);
  if (const auto message = wire::decode<wire::Job>(packet)) {
    FUZZ_CHECK(wire::encode(*message) == packet);
    FUZZ_CHECK(packet.size() <= wire::kMaxWithPicture);
    FUZZ_CHECK(message->job.bytes.empty());
    FUZZ_CHECK(message->job.format <= image::Format::jp2);
    FUZZ_CHECK(message->job.layout.format <= image::BandFormat::int64);
    FUZZ_CHECK(message->job.settings.format <= image::OutputFormat::gif);
    FUZZ_CHECK(message->job.settings.resize <= image::Resize::force);
    FUZZ_CHECK(message->job.settings.colormap <= image::Colormap::turbo);
    FUZZ_CHECK(message->job.settings.range.kind <= image::Range::Kind::percentile);
    // What no other number of samples may be read from.
    FUZZ_CHECK(!wire::decode<wire::Job>(packet.substr(0, packet.size() - 1)));
  }
  return 0;
}
