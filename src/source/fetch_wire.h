// The wire between the front and the fetch process.
//
// The front has one line to the process. For each message with URLs it makes a socket pair and hands one end
// over; what is asked for on it is dropped when the front closes the other. So a message that cannot wait any
// longer just leaves, and no thread reads what another one has asked for. Packets as in base/packet_fields.h;
// every size is capped and leftover bytes are an error. Bodies travel in memfds.
//
//   line      front -> fetch   Session   fd: the session's socket
//   session   fetch -> front   Begun     the process has it; an end before this one has cost nothing
//             front -> fetch   Request
//             fetch -> front   Answer    fd: the body, where size is not 0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/url.h"
#include "source/fetcher.h"

namespace pixmilter::source::wire {

// No packet is longer, in bytes.
inline constexpr std::size_t kMaxMessage = 16'384;
// No text in one is longer; writing cuts it.
inline constexpr std::size_t kMaxText = Url::kMaxSize;
// Texts other than URLs are cut to this before they are sent, so that every packet keeps its limit.
inline constexpr std::size_t kMaxField = 512;
// Requests of one session that may wait for their answers.
inline constexpr std::size_t kMaxOpen = 16;

struct Session {};

struct Begun {};

struct Request {
  std::uint32_t number = 0;        // comes back with the answer
  std::uint32_t milliseconds = 0;  // until nobody waits for it any more
  FetchRequest request;
};

struct Answer {
  std::uint32_t number = 0;
  std::uint64_t size = 0;  // bytes of the body
  FetchResponse response;  // without its bytes
};

std::string encode(const Session& message);
std::string encode(const Begun& message);
std::string encode(const Request& message);
std::string encode(const Answer& message);

// The message that the packet holds, if it is one of this kind and well-formed to its last byte.
template <class Message>
std::optional<Message> decode(std::string_view packet);
template <>
std::optional<Session> decode(std::string_view packet);
template <>
std::optional<Begun> decode(std::string_view packet);
template <>
std::optional<Request> decode(std::string_view packet);
template <>
std::optional<Answer> decode(std::string_view packet);

}  // namespace pixmilter::source::wire
