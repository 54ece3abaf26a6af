#include "source/fetch_wire.h"

#include <concepts>
#include <type_traits>

#include "base/packet_fields.h"

namespace pixmilter::source::wire {
namespace {

enum class Kind : std::uint8_t { session = 1, begun, request, answer };

constexpr PacketLimits kLimits{kMaxMessage, kMaxText};

// The table: each message's fields, in order. Binding every member by name makes the compiler refuse a
// struct that has gained one which is not listed here.

template <class T, class M>
concept Is = std::same_as<std::remove_const_t<T>, M>;

void fields(auto&, Is<Session> auto&) {}

void fields(auto&, Is<Begun> auto&) {}

void fields(auto& way, Is<Request> auto& message) {
  auto& [number, milliseconds, request] = message;
  auto& [url, if_none_match, if_modified_since] = request;
  way.number(number);
  way.number(milliseconds);
  way.text(url);
  way.text(if_none_match);
  way.text(if_modified_since);
}

void fields(auto& way, Is<Freshness> auto& freshness) {
  auto& [cache_control, expires, date, age, etag, last_modified, vary] = freshness;
  way.text(cache_control);
  way.text(expires);
  way.text(date);
  way.text(age);
  way.text(etag);
  way.text(last_modified);
  way.text(vary);
}

void fields(auto& way, Is<Answer> auto& message) {
  auto& [number, size, response] = message;
  auto& [status, reason, http_status, content_type, bytes, freshness, redirected, personal, process] =
      response;
  static_cast<void>(bytes);    // in the memfd
  static_cast<void>(process);  // the client's own
  way.number(number);
  way.number(size);
  way.choice(status, FetchStatus::internal);
  way.text(reason);
  way.number(http_status);
  way.text(content_type);
  fields(way, freshness);
  way.flag(redirected);
  way.flag(personal);
}

template <class Message>
std::string write(Kind kind, const Message& message) {
  PacketWriter writer(static_cast<std::uint8_t>(kind), kLimits);
  fields(writer, message);
  return writer.take();
}

template <class Message>
std::optional<Message> read(Kind kind, std::string_view packet) {
  PacketReader reader(packet, static_cast<std::uint8_t>(kind), kLimits);
  Message message;
  fields(reader, message);
  if (!reader.ended()) return std::nullopt;
  return message;
}

}  // namespace

std::string encode(const Session& message) { return write(Kind::session, message); }
std::string encode(const Begun& message) { return write(Kind::begun, message); }
std::string encode(const Request& message) { return write(Kind::request, message); }
std::string encode(const Answer& message) { return write(Kind::answer, message); }

template <>
std::optional<Session> decode(std::string_view packet) {
  return read<Session>(Kind::session, packet);
}
template <>
std::optional<Begun> decode(std::string_view packet) {
  return read<Begun>(Kind::begun, packet);
}
template <>
std::optional<Request> decode(std::string_view packet) {
  return read<Request>(Kind::request, packet);
}
template <>
std::optional<Answer> decode(std::string_view packet) {
  return read<Answer>(Kind::answer, packet);
}

}  // namespace pixmilter::source::wire
