#include "image/raw_params.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/ascii.h"
#include "base/log.h"
#include "image/layout.h"

namespace pixmilter::image {
namespace {

constexpr double kMaxFps = 100;  // GIF counts in hundredths of a second

Error bad(std::string_view name, std::string_view value, std::string_view why) {
  return Error{"parameter " + std::string(name) + "=" + log::quoted(value) + ": " + std::string(why)};
}

// The value of a parameter, trimmed and without a comment (RFC 2045) after it; nothing where it is absent. An
// error where it comes twice.
Result<std::optional<std::string_view>> find(const Parameters& parameters, std::string_view name) {
  std::optional<std::string_view> found;
  for (const auto& [key, value] : parameters) {
    if (!ascii::iequals(key, name)) continue;
    if (found) return Error{"parameter " + std::string(name) + " comes twice"};
    found = ascii::trim(std::string_view(value).substr(0, value.find('(')));
  }
  return found;
}

// A whole number from 1 on, or fallback where it is absent and there is one.
pixmilter::Status read_count(const Parameters& parameters, std::string_view name,
                             std::optional<std::uint32_t> fallback, std::uint32_t& out) {
  const auto text = find(parameters, name);
  if (!text) return text.error();
  if (!*text) {
    if (!fallback) return Error{"parameter " + std::string(name) + " is missing"};
    out = *fallback;
    return Done{};
  }
  const std::string_view value = **text;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, out);
  if (error != std::errc() || stop != end || out == 0)
    return bad(name, value, "a whole number from 1 to 4294967295 is wanted");
  return Done{};
}

// One of the words, case-insensitive. Leaves out as it is where the parameter is absent.
template <class T, std::size_t N>
pixmilter::Status read_word(const Parameters& parameters, std::string_view name,
                            const std::pair<std::string_view, T> (&words)[N], T& out) {
  const auto text = find(parameters, name);
  if (!text) return text.error();
  if (!*text) return Done{};
  std::string known;
  for (const auto& [word, meaning] : words) {
    if (ascii::iequals(word, **text)) {
      out = meaning;
      return Done{};
    }
    known += (known.empty() ? "" : " ") + std::string(word);
  }
  return bad(name, **text, "one of these is wanted: " + known);
}

// A finite decimal number that fills the text, white space around it aside.
std::optional<double> number(std::string_view text) {
  text = ascii::trim(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return {};
  }
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

Result<Range> read_range(std::string_view text) {
  Range range;
  if (ascii::iequals(text, "auto")) {
    range.kind = Range::Kind::automatic;
    return range;
  }
  if (ascii::iequals(text, "full")) {
    range.kind = Range::Kind::full;
    return range;
  }
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return bad("range", text, "auto, full, lo,hi or pLO,pHI is wanted");
  std::string_view low = ascii::trim(text.substr(0, comma));
  std::string_view high = ascii::trim(text.substr(comma + 1));
  const auto percent = [](std::string_view& end) {
    if (end.empty() || ascii::lower(end.front()) != 'p') return false;
    end.remove_prefix(1);
    return true;
  };
  const bool low_is_percent = percent(low);
  const bool high_is_percent = percent(high);
  if (low_is_percent != high_is_percent)
    return bad("range", text, "both ends have to be percentiles, or none");
  const auto low_value = number(low);
  const auto high_value = number(high);
  if (!low_value || !high_value) return bad("range", text, "the ends have to be numbers");
  if (low_is_percent) {
    if (*low_value < 0 || *high_value > 100 || *low_value >= *high_value)
      return bad("range", text, "percentiles rise within 0 to 100");
    range.kind = Range::Kind::percentile;
  } else {
    if (*low_value > *high_value) return bad("range", text, "the low end is above the high one");
    range.kind = Range::Kind::fixed;
  }
  range.low = *low_value;
  range.high = *high_value;
  return range;
}

}  // namespace

Result<RawLayout> read_raw_layout(const Parameters& parameters, std::string_view bytes) {
  RawLayout layout;
  if (auto s = read_count(parameters, "width", {}, layout.width); !s) return s.error();
  if (auto s = read_count(parameters, "height", {}, layout.height); !s) return s.error();
  if (auto s = read_count(parameters, "bands", 1, layout.bands); !s) return s.error();
  if (auto s = read_count(parameters, "frames", 1, layout.frames); !s) return s.error();

  // libvips' names of what can be shown; its complex formats are not among them. The others are numpy's.
  static constexpr std::pair<std::string_view, BandFormat> kFormats[] = {
      {"uchar", BandFormat::uchar},  {"char", BandFormat::char_},    {"ushort", BandFormat::ushort},
      {"short", BandFormat::short_}, {"uint", BandFormat::uint},     {"int", BandFormat::int_},
      {"float", BandFormat::float_}, {"double", BandFormat::double_}};
  if (auto s = read_word(parameters, "format", kFormats, layout.format); !s) return s.error();
  static constexpr std::pair<std::string_view, bool> kEndians[] = {{"little", false}, {"big", true}};
  if (auto s = read_word(parameters, "endian", kEndians, layout.big_endian); !s) return s.error();
  static constexpr std::pair<std::string_view, bool> kLayouts[] = {{"interleaved", false}, {"planar", true}};
  if (auto s = read_word(parameters, "layout", kLayouts, layout.planar); !s) return s.error();

  if (auto s = check_layout(layout, bytes); !s) return Error{"raw pixels: " + s.error().text};
  return layout;
}

pixmilter::Status read_raw_settings(const Parameters& parameters, RenderSettings& settings) {
  static constexpr std::pair<std::string_view, Colormap> kColormaps[] = {
      {"gray", Colormap::gray},       {"viridis", Colormap::viridis}, {"magma", Colormap::magma},
      {"inferno", Colormap::inferno}, {"plasma", Colormap::plasma},   {"cividis", Colormap::cividis},
      {"turbo", Colormap::turbo}};
  RenderSettings read = settings;
  if (auto s = read_word(parameters, "colormap", kColormaps, read.colormap); !s) return s.error();

  const auto range = find(parameters, "range");
  if (!range) return range.error();
  if (*range) {
    const Result<Range> value = read_range(**range);
    if (!value) return value.error();
    read.range = *value;
  }
  const auto fps = find(parameters, "fps");
  if (!fps) return fps.error();
  if (*fps) {
    const auto value = number(**fps);
    if (!value || *value <= 0 || *value > kMaxFps)
      return bad("fps", **fps, "a number above 0 and up to 100 is wanted");
    read.fps = *value;
  }
  settings = read;
  return Done{};
}

}  // namespace pixmilter::image
