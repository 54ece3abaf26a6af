#include "cli/wording.h"

#include <array>
#include <cstdio>

namespace pixmilter::cli {
namespace {

std::string sentence(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out.back() != '.') out.push_back('.');
  return out;
}

std::string conversion(const core::Finding& finding) {
  const std::string to(format_words(finding.new_format));
  const std::string from(format_words(finding.format));
  if (finding.source == core::Source::svg) return "Drawn as " + to + ": mail clients take inline SVG out.";
  if (finding.format == image::Format::raw) return "Rendered as " + to + " from bare pixels.";
  if (finding.format == image::Format::npy) return "Rendered as " + to + " from a numpy array.";
  if (!image::shown_everywhere(finding.format))
    return "Converted to " + to + ": mail clients do not show " + from + ".";
  if (finding.ruled) return "Rendered anew as " + to + ", as an image rule asks.";
  return "Rendered anew as " + to + ", so that every mail client shows it alike.";
}

}  // namespace

std::string size_words(std::uint64_t bytes) {
  std::array<char, 32> text{};
  const auto value = static_cast<double>(bytes);
  if (bytes < 1000)
    std::snprintf(text.data(), text.size(), "%.0f B", value);
  else if (value < 999'950)
    std::snprintf(text.data(), text.size(), "%.1f kB", value / 1e3);
  else
    std::snprintf(text.data(), text.size(), "%.1f MB", value / 1e6);
  return text.data();
}

std::string_view format_words(image::Format format) {
  using image::Format;
  switch (format) {
    case Format::unknown:
      return "unknown";
    case Format::png:
      return "PNG";
    case Format::jpeg:
      return "JPEG";
    case Format::gif:
      return "GIF";
    case Format::webp:
      return "WebP";
    case Format::tiff:
      return "TIFF";
    case Format::heif:
      return "HEIC";
    case Format::avif:
      return "AVIF";
    case Format::svg:
      return "SVG";
    case Format::bmp:
      return "BMP";
    case Format::pnm:
      return "PNM";
    case Format::pfm:
      return "PFM";
    case Format::pam:
      return "PAM";
    case Format::npy:
      return "numpy array";
    case Format::raw:
      return "bare pixels";
    case Format::jxl:
      return "JPEG XL";
    case Format::jp2:
      return "JPEG 2000";
  }
  return "unknown";
}

std::string_view source_words(core::Source source) {
  switch (source) {
    case core::Source::data:
      return "a data: URI";
    case core::Source::part:
      return "a part of the message";
    case core::Source::svg:
      return "inline SVG";
    case core::Source::asset:
      return "an asset of the server";
    case core::Source::file:
      return "a file of the server";
    case core::Source::http:
      return "a link";
  }
  return "?";
}

std::string decision_words(const core::Finding& finding, bool same_bytes) {
  switch (finding.decision) {
    case core::Decision::keep:
      return sentence((finding.failed ? "Left as it was: " : "Stays as it is: ") +
                      (finding.reason.empty() ? "nothing to do" : finding.reason));
    case core::Decision::embed:
      if (finding.html == core::Finding::kNone)
        return same_bytes ? "Goes out as it came." : "Stays, without the metadata that the rules take out.";
      return same_bytes ? "Embedded byte for byte: now a part of the message that the HTML names."
                        : "Embedded, without the metadata that the rules take out.";
    case core::Decision::convert:
      return conversion(finding);
    case core::Decision::placeholder:
      return sentence(finding.reason.empty() ? "A neutral picture takes its place"
                                             : "A neutral picture takes its place: " + finding.reason);
    case core::Decision::drop:
      return sentence(finding.reason.empty() ? "Taken out" : "Taken out: " + finding.reason);
  }
  return {};
}

std::string counted(std::size_t number, std::string_view thing) {
  return std::to_string(number) + " " + std::string(thing) + (number == 1 ? "" : "s");
}

}  // namespace pixmilter::cli
