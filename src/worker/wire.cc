#include "worker/wire.h"

#include <concepts>
#include <type_traits>

#include "base/packet_fields.h"

namespace pixmilter::worker::wire {

using image::BandFormat;
using image::Colormap;
using image::Format;
using image::OutputFormat;
using image::Resize;

namespace {

// The first byte of a packet.
enum class Kind : std::uint8_t {
  hello = 1,
  fork,
  kill,
  forked,
  ended,
  ready,
  job,
  answer,
  ping,
  pong,
  output
};

using Writer = PacketWriter;
using Reader = PacketReader;
constexpr PacketLimits kLimits{kMaxWithPicture, kMaxText};

// The table: each message's fields, in order, for a Writer (of a const message) and a Reader alike. Binding
// every member by name makes the compiler refuse a struct that has gained one which is not listed here.

template <class T, class M>
concept Is = std::same_as<std::remove_const_t<T>, M>;

void fields(auto& way, Is<Hello> auto& message) {
  auto& [pid] = message;
  way.number(pid);
}

void fields(auto& way, Is<Fork> auto& message) {
  auto& [worker, purpose] = message;
  way.number(worker);
  way.choice(purpose, Purpose::svg);
}

void fields(auto& way, Is<Kill> auto& message) {
  auto& [worker] = message;
  way.number(worker);
}

void fields(auto& way, Is<Forked> auto& message) {
  auto& [worker, pid] = message;
  way.number(worker);
  way.number(pid);
}

void fields(auto& way, Is<Ended> auto& message) {
  auto& [worker, signal, exit_code] = message;
  way.number(worker);
  way.number(signal);
  way.number(exit_code);
}

void fields(auto& way, Is<Ping> auto& message) {
  auto& [number] = message;
  way.number(number);
}

void fields(auto& way, Is<Pong> auto& message) {
  auto& [number] = message;
  way.number(number);
}

void fields(auto& way, Is<Ready> auto& message) {
  auto& [usable, report] = message;
  way.flag(usable);
  way.text(report);
}

void fields(auto& way, Is<image::RawLayout> auto& layout) {
  auto& [width, height, bands, frames, format, big_endian, planar, fortran_order, offset] = layout;
  way.number(width);
  way.number(height);
  way.number(bands);
  way.number(frames);
  way.choice(format, BandFormat::int64);
  way.flag(big_endian);
  way.flag(planar);
  way.flag(fortran_order);
  way.number(offset);
}

void fields(auto& way, Is<image::Range> auto& range) {
  auto& [kind, low, high] = range;
  way.choice(kind, image::Range::Kind::percentile);
  way.real(low);
  way.real(high);
}

void fields(auto& way, Is<image::RenderSettings> auto& settings) {
  auto& [format, quality, lossy_allowed, resize, width, height, enlarge, max_bytes, min_side, colormap, range,
         fps, svg_scale, page] = settings;
  way.choice(format, OutputFormat::gif);
  way.number(quality);
  way.flag(lossy_allowed);
  way.choice(resize, Resize::force);
  way.number(width);
  way.number(height);
  way.flag(enlarge);
  way.number(max_bytes);
  way.number(min_side);
  way.choice(colormap, Colormap::turbo);
  fields(way, range);
  way.real(fps);
  way.real(svg_scale);
  way.number(page);
}

void fields(auto& way, Is<image::Limits> auto& limits) {
  auto& [max_pixels, max_frames, max_side, max_output_bytes] = limits;
  way.number(max_pixels);
  way.number(max_frames);
  way.number(max_side);
  way.number(max_output_bytes);
}

void fields(auto& way, Is<image::ImageJob> auto& job) {
  auto& [bytes, memfd, format, layout, settings, limits, hurried] = job;
  static_cast<void>(bytes);  // in the input memfd, or beside the job
  static_cast<void>(memfd);
  way.choice(format, Format::jp2);
  fields(way, layout);
  fields(way, settings);
  fields(way, limits);
  way.flag(hurried);
}

void fields(auto& way, Is<Job> auto& message) {
  auto& [number, input_size, picture, job] = message;
  way.number(number);
  way.number(input_size);
  way.bytes(picture, kMaxInline);
  fields(way, job);
}

void fields(auto& way, Is<Answer> auto& message) {
  auto& [number, status, reason, format, width, height, frames, size, picture, retire] = message;
  way.number(number);
  way.choice(status, image::Status::limit);
  way.text(reason);
  way.choice(format, Format::jp2);
  way.number(width);
  way.number(height);
  way.number(frames);
  way.number(size);
  way.bytes(picture, kMaxInline);
  way.flag(retire);
}

void fields(auto& way, Is<Output> auto& message) {
  auto& [number] = message;
  way.number(number);
}

template <class Message>
std::string write(Kind kind, const Message& message) {
  Writer writer(static_cast<std::uint8_t>(kind), kLimits);
  fields(writer, message);
  return writer.take();
}

template <class Message>
std::optional<Message> read(Kind kind, std::string_view packet) {
  Reader reader(packet, static_cast<std::uint8_t>(kind), kLimits);
  Message message;
  fields(reader, message);
  if (!reader.ended()) return std::nullopt;
  return message;
}

}  // namespace

Purpose purpose_of(Format format) {
  switch (format) {
    case Format::tiff:
      return Purpose::tiff;
    case Format::heif:
    case Format::avif:
      return Purpose::heif;
    case Format::svg:
      return Purpose::svg;
    default:
      return Purpose::picture;
  }
}

std::string_view name(Purpose purpose) {
  static constexpr std::array<std::string_view, kPurposes> kNames = {"picture", "tiff", "heif", "svg"};
  return kNames[static_cast<std::size_t>(purpose)];
}

std::string encode(const Hello& message) { return write(Kind::hello, message); }
std::string encode(const Fork& message) { return write(Kind::fork, message); }
std::string encode(const Kill& message) { return write(Kind::kill, message); }
std::string encode(const Forked& message) { return write(Kind::forked, message); }
std::string encode(const Ended& message) { return write(Kind::ended, message); }
std::string encode(const Ping& message) { return write(Kind::ping, message); }
std::string encode(const Pong& message) { return write(Kind::pong, message); }
std::string encode(const Ready& message) { return write(Kind::ready, message); }
std::string encode(const Job& message) { return write(Kind::job, message); }
std::string encode(const Answer& message) { return write(Kind::answer, message); }
std::string encode(const Output& message) { return write(Kind::output, message); }

template <>
std::optional<Hello> decode(std::string_view packet) {
  return read<Hello>(Kind::hello, packet);
}
template <>
std::optional<Fork> decode(std::string_view packet) {
  return read<Fork>(Kind::fork, packet);
}
template <>
std::optional<Kill> decode(std::string_view packet) {
  return read<Kill>(Kind::kill, packet);
}
template <>
std::optional<Forked> decode(std::string_view packet) {
  return read<Forked>(Kind::forked, packet);
}
template <>
std::optional<Ended> decode(std::string_view packet) {
  return read<Ended>(Kind::ended, packet);
}
template <>
std::optional<Ping> decode(std::string_view packet) {
  return read<Ping>(Kind::ping, packet);
}
template <>
std::optional<Pong> decode(std::string_view packet) {
  return read<Pong>(Kind::pong, packet);
}
template <>
std::optional<Ready> decode(std::string_view packet) {
  return read<Ready>(Kind::ready, packet);
}
template <>
std::optional<Job> decode(std::string_view packet) {
  return read<Job>(Kind::job, packet);
}
template <>
std::optional<Answer> decode(std::string_view packet) {
  return read<Answer>(Kind::answer, packet);
}
template <>
std::optional<Output> decode(std::string_view packet) {
  return read<Output>(Kind::output, packet);
}

}  // namespace pixmilter::worker::wire
