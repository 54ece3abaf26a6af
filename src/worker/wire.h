// The wire: what the front, the zygote and the render workers say to each other.
//
// One message is one packet (base/socket.h): a kind byte, then the fields of the message in a fixed order,
// little-endian. Each message has one function in wire.cc that lists its fields; writing and reading both
// walk that list, so they cannot disagree. Every size is capped, every choice checked against its last
// value, and leftover bytes are an error: a peer that sends anything else is broken or taken over. Pictures
// travel in memfds (base/memfd.h) beside a message; small ones stand in it, which spares making them.
//
//   front -> zygote   Fork                          make a worker
//                     Kill                          end a worker with SIGKILL
//                     Ping                          are you there?
//   zygote -> front   Hello   fds: pidfd, stderr    once, at the start
//                     Forked  fds: socket, pidfd    a worker's own socket; no descriptors where fork failed
//                     Ended                         a worker has gone, and how
//                     Pong                          the answer to Ping
//   worker -> front   Ready                         warmed up and sealed, or why that was not possible
//   front -> worker   Job     fds: input            sealed against every change; none where the message holds
//                                                   the picture
//   worker -> front   Answer                        with the picture, or how large it is
//   front -> worker   Output  fds: output           memory for that, of just this size, which cannot change
//   worker -> front   Answer                        again, now that the picture is there
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "image/job.h"

namespace pixmilter::worker::wire {

// No message is longer, in bytes, but for the picture in it.
inline constexpr std::size_t kMaxMessage = 2048;
// No larger picture stands in a message, in bytes.
inline constexpr std::size_t kMaxInline = 16 << 10;
// A job or an answer with the largest picture.
inline constexpr std::size_t kMaxWithPicture = kMaxMessage + kMaxInline;
// No text in a message is longer; writing cuts it.
inline constexpr std::size_t kMaxText = 512;

// What a worker is made for: it loads, warms up and is sealed accordingly. All but those for SVG see no files
// at all.
enum class Purpose : std::uint8_t {
  picture,  // what no other purpose serves
  tiff,     // TIFF
  heif,     // HEIC, AVIF
  svg,      // SVG; may read fonts
};
inline constexpr std::array kAllPurposes = {Purpose::picture, Purpose::tiff, Purpose::heif, Purpose::svg};
inline constexpr std::size_t kPurposes = kAllPurposes.size();
// The purpose that serves a format.
Purpose purpose_of(image::Format format);
std::string_view name(Purpose purpose);

struct Hello {
  std::uint32_t pid = 0;  // the zygote's
};

struct Fork {
  std::uint64_t worker = 0;  // the front's number for it
  Purpose purpose = Purpose::picture;
};

struct Kill {
  std::uint64_t worker = 0;
};

struct Forked {
  std::uint64_t worker = 0;
  std::uint32_t pid = 0;  // 0: fork failed
};

struct Ended {
  std::uint64_t worker = 0;
  std::uint32_t signal = 0;  // that ended it; 0: it exited
  std::uint32_t exit_code = 0;
};

struct Ping {
  std::uint64_t number = 0;  // comes back
};

struct Pong {
  std::uint64_t number = 0;
};

struct Ready {
  bool usable = false;
  std::string report;  // usable: what the seal lacks, or nothing; else why there is no worker
};

struct Job {
  std::uint64_t number = 0;      // comes back with the answer
  std::uint64_t input_size = 0;  // bytes of the input memfd; 0: there is none
  std::string picture;           // where there is no input memfd
  image::ImageJob job;           // without its bytes
};

struct Output {
  std::uint64_t number = 0;  // of the job
};

struct Answer {
  std::uint64_t number = 0;
  image::Status status = image::Status::crashed;  // ok, refused or limit
  std::string reason;
  image::Format format = image::Format::unknown;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t frames = 0;
  std::uint64_t size = 0;  // bytes of the encoded picture
  std::string picture;     // all of them, or nothing: then they are, or will be, in the output memfd
  bool retire = false;     // the worker has grown and wants to be replaced
};

std::string encode(const Hello& message);
std::string encode(const Fork& message);
std::string encode(const Kill& message);
std::string encode(const Forked& message);
std::string encode(const Ended& message);
std::string encode(const Ping& message);
std::string encode(const Pong& message);
std::string encode(const Ready& message);
std::string encode(const Job& message);
std::string encode(const Answer& message);
std::string encode(const Output& message);

// The message that the packet holds, if it is one of this kind and well-formed to its last byte.
template <class Message>
std::optional<Message> decode(std::string_view packet);
template <>
std::optional<Hello> decode(std::string_view packet);
template <>
std::optional<Fork> decode(std::string_view packet);
template <>
std::optional<Kill> decode(std::string_view packet);
template <>
std::optional<Forked> decode(std::string_view packet);
template <>
std::optional<Ended> decode(std::string_view packet);
template <>
std::optional<Ping> decode(std::string_view packet);
template <>
std::optional<Pong> decode(std::string_view packet);
template <>
std::optional<Ready> decode(std::string_view packet);
template <>
std::optional<Job> decode(std::string_view packet);
template <>
std::optional<Answer> decode(std::string_view packet);
template <>
std::optional<Output> decode(std::string_view packet);

}  // namespace pixmilter::worker::wire
