#include "config/rule.h"

#include "base/ascii.h"

namespace pixmilter::config {

// class "." subject "." detail: one digit, then one to three each.
std::string_view status_code(std::string_view reply) {
  const std::string_view word = reply.substr(0, reply.find(' '));
  std::size_t numbers = 0, digits = 0;
  for (const char c : word) {
    if (ascii::is_digit(c) && digits < (numbers == 0 ? 1u : 3u))
      ++digits;
    else if (c == '.' && digits > 0 && numbers < 2)
      ++numbers, digits = 0;
    else
      return {};
  }
  return numbers == 2 && digits > 0 ? word : std::string_view();
}

std::string_view name(MessageAction action) {
  switch (action) {
    case MessageAction::rewrite:
      return "rewrite";
    case MessageAction::skip:
      return "skip";
    case MessageAction::quarantine:
      return "quarantine";
    case MessageAction::tempfail:
      return "tempfail";
    case MessageAction::reject:
      return "reject";
  }
  return "?";
}

std::string_view name(ImageAction action) {
  switch (action) {
    case ImageAction::automatic:
      return "auto";
    case ImageAction::embed:
      return "embed";
    case ImageAction::convert:
      return "convert";
    case ImageAction::keep:
      return "keep";
    case ImageAction::placeholder:
      return "placeholder";
    case ImageAction::drop:
      return "drop";
  }
  return "?";
}

std::string_view name(ImageFormat format) {
  switch (format) {
    case ImageFormat::automatic:
      return "auto";
    case ImageFormat::png:
      return "png";
    case ImageFormat::gif:
      return "gif";
    case ImageFormat::jpeg:
      return "jpeg";
  }
  return "?";
}

std::string_view name(Resize resize) {
  switch (resize) {
    case Resize::none:
      return "none";
    case Resize::fit:
      return "fit";
    case Resize::fill:
      return "fill";
    case Resize::force:
      return "force";
  }
  return "?";
}

std::string_view name(OnFail action) {
  switch (action) {
    case OnFail::accept:
      return "accept";
    case OnFail::quarantine:
      return "quarantine";
    case OnFail::tempfail:
      return "tempfail";
    case OnFail::reject:
      return "reject";
  }
  return "?";
}

std::string_view name(Failure failure) {
  switch (failure) {
    case Failure::unreadable:
      return "unreadable";
    case Failure::limit:
      return "limit";
    case Failure::missing:
      return "missing";
    case Failure::timeout:
      return "timeout";
    case Failure::internal:
      return "internal";
  }
  return "?";
}

std::string_view name(StripMetadata strip) {
  switch (strip) {
    case StripMetadata::none:
      return "none";
    case StripMetadata::gps:
      return "gps";
    case StripMetadata::all:
      return "all";
  }
  return "?";
}

std::string_view name(Mode mode) {
  switch (mode) {
    case Mode::enforce:
      return "enforce";
    case Mode::audit:
      return "audit";
    case Mode::off:
      return "off";
  }
  return "?";
}

}  // namespace pixmilter::config
