// Rules: what the administrator wants to happen to whose mail.
//
// The first rule whose conditions hold for a recipient is that recipient's plan; a message that no rule
// speaks of is under the defaults. Inside a rule the first image rule whose conditions hold decides over
// an image.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/condition.h"

namespace pixmilter::config {

enum class Mode : std::uint8_t { enforce, audit, off };  // from the loosest to the strictest

// What happens to a message; from the loosest to the strictest.
enum class MessageAction : std::uint8_t { rewrite, skip, quarantine, tempfail, reject };

// What happens to a message when a picture of it fails.
enum class OnFail : std::uint8_t {
  accept,
  quarantine,
  tempfail,
  reject
};  // from the loosest to the strictest

// The kinds of failure that on_fail tells apart.
enum class Failure : std::uint8_t {
  unreadable,  // a picture that cannot be read
  limit,       // a bound of [render], max_images or max_message_bytes
  missing,     // a source that is not there or not allowed
  timeout,     // not ready in time
  internal,    // a worker that crashed, or an error of ours
};
inline constexpr std::size_t kFailures = 5;
using OnFailTable = std::array<OnFail, kFailures>;

enum class StripMetadata : std::uint8_t { none, gps, all };

// A set of sources; DESIGN.md section 3.
struct Sources {
  bool data = true, part = true, svg = true, asset = true, file = false, http = false;
  bool operator==(const Sources&) const = default;
};

// The keys that [defaults] sets and every rule may set otherwise.
struct Policy {
  Sources sources;
  OnFailTable on_fail{};  // accept
  std::uint32_t max_images = 250;
  std::uint64_t max_message_bytes = 0;  // 0: no budget
  StripMetadata strip_metadata = StripMetadata::gps;
  std::uint32_t min_side = 320;  // pixels: no image shrinks under this for a byte limit
  // Where assets lie: a folder beneath [assets] root, or an absolute path. Empty: [assets] root itself.
  std::string assets;
  bool templates = false;  // SVG assets are filled in with the values of a query
  bool operator==(const Policy&) const = default;
};

// From the loosest to the strictest.
enum class ImageAction : std::uint8_t { automatic, embed, convert, keep, placeholder, drop };
enum class ImageFormat : std::uint8_t { automatic, png, gif, jpeg };
enum class Resize : std::uint8_t { none, fit, fill, force };

struct ImagePlan {
  ImageAction action = ImageAction::automatic;
  ImageFormat format = ImageFormat::automatic;
  std::uint32_t quality = 82;  // JPEG, 1 to 100
  bool lossy = false;          // automatic may take JPEG for photographs
  Resize resize = Resize::none;
  std::uint32_t width = 0;  // pixels; 0: not given
  std::uint32_t height = 0;
  bool enlarge = false;
  double density = 2;           // pixels for one CSS px, where the displayed size is known
  std::uint64_t max_bytes = 0;  // 0: no bound
  bool all_pages = false;       // of a TIFF: each page as an image of its own
  std::string reason;           // drop, placeholder: what readers are told, UTF-8
  bool operator==(const ImagePlan&) const = default;
};

struct ImageRule {
  Conditions conditions;
  ImagePlan plan;
  std::uint32_t line = 0;  // in the file
  bool operator==(const ImageRule&) const = default;
};

struct Rule {
  std::string name;  // "rule 3" where none is given
  std::uint32_t line = 0;
  Conditions conditions;
  MessageAction action = MessageAction::rewrite;
  std::optional<Mode> mode;  // not given: the global one
  Policy policy;
  std::string reply;  // "5.7.1 text" for reject, tempfail and quarantine; empty: ours
  std::vector<std::pair<std::string, std::string>> add_headers;
  std::vector<ImageRule> images;
  bool operator==(const Rule&) const = default;
};

// The enhanced status code (RFC 3463) that a reply begins with, as in "5.7.1 No images here"; empty: none.
std::string_view status_code(std::string_view reply);

std::string_view name(MessageAction action);
std::string_view name(ImageAction action);
std::string_view name(ImageFormat format);
std::string_view name(Resize resize);
std::string_view name(OnFail action);
std::string_view name(Failure failure);
std::string_view name(StripMetadata strip);
std::string_view name(Mode mode);

}  // namespace pixmilter::config
