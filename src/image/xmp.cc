#include "image/xmp.h"

#include <utility>
#include <vector>

#include "base/ascii.h"

namespace pixmilter::image {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  return colon == kNone ? name : name.substr(colon + 1);
}

// Properties that say where: exif:GPS*, the IPTC core and extension schemas, photoshop's, and W3C's geo.
bool names_location(std::string_view name) {
  const std::string_view local = local_name(name);
  if (name.starts_with("rdf:")) return false;  // rdf:Alt is a list of languages
  if (ascii::istarts_with(local, "gps") || ascii::istarts_with(local, "geotag") || name.starts_with("geo:"))
    return true;
  for (std::string_view known :
       {"Location", "LocationCreated", "LocationShown", "Sublocation", "City", "State", "ProvinceState",
        "Country", "CountryCode", "CountryName", "WorldRegion", "Latitude", "Longitude", "Altitude"})
    if (ascii::iequals(local, known)) return true;
  return false;
}
bool unwanted(std::string_view name) {
  return names_location(name) || local_name(name) == "Thumbnails" || local_name(name) == "HasExtendedXMP" ||
         (local_name(name) == "Data" && name.find("Image") != kNone);
}

// Walks over the tags of a packet and notes which ranges have to go.
class Packet {
 public:
  explicit Packet(std::string_view text) : text_(text) {}

  XmpEdit clean() {
    XmpEdit edit;
    const bool followed = walk();
    edit.location = location_;
    if (!followed) {
      edit.changed = true;
      edit.location = location_ || mentions_location(text_);
      return edit;
    }
    std::size_t at = 0;
    for (const auto& [begin, end] : cuts_) {
      edit.text.append(text_, at, begin - at);
      at = end;
    }
    edit.text.append(text_, at, kNone);
    edit.changed = !cuts_.empty();
    if (mentions_location(edit.text)) {
      edit.location = edit.changed = true;
      edit.text.clear();
    }
    return edit;
  }

 private:
  static bool mentions_location(std::string_view text) {
    for (std::string_view word : {"GPSLatitude", "GPSLongitude", "LocationCreated", "LocationShown"})
      if (ascii::ifind(text, word) != kNone) return true;
    return false;
  }

  bool walk() {
    if (text_.find('\0') != kNone) return false;  // UTF-16
    std::size_t depth = 0;                        // of open elements
    std::size_t cut_depth = 0;                    // of the element that is being cut, 0: none
    std::size_t cut_begin = 0;
    for (std::size_t at = 0; (at = text_.find('<', at)) != kNone;) {
      const std::string_view rest = text_.substr(at);
      if (rest.starts_with("<!--") || rest.starts_with("<?") || rest.starts_with("<![CDATA[")) {
        const std::string_view end = rest[1] == '?' ? "?>" : rest[2] == '-' ? "-->" : "]]>";
        const std::size_t stop = text_.find(end, at + 2);
        if (stop == kNone) return false;
        at = stop + end.size();
        continue;
      }
      if (rest.starts_with("<!")) return false;  // no document type here
      if (rest.starts_with("</")) {
        const std::size_t stop = text_.find('>', at);
        if (stop == kNone || depth == 0) return false;
        if (depth == cut_depth) {
          cuts_.emplace_back(cut_begin, stop + 1);
          cut_depth = 0;
        }
        --depth;
        at = stop + 1;
        continue;
      }
      const std::size_t begin = at;
      bool empty = false;
      std::string_view name;
      if (!start_tag(at, name, empty, cut_depth != 0)) return false;
      if (cut_depth == 0 && unwanted(name)) {
        location_ = location_ || names_location(name);
        // What start_tag noted within it goes with it.
        while (!cuts_.empty() && cuts_.back().first >= begin) cuts_.pop_back();
        if (empty) {
          cuts_.emplace_back(begin, at);
        } else {
          cut_depth = depth + 1;
          cut_begin = begin;
        }
      }
      if (!empty) ++depth;
    }
    return depth == 0;
  }

  // at: of "<", then behind ">".
  bool start_tag(std::size_t& at, std::string_view& name, bool& empty, bool within_cut) {
    std::size_t end = at + 1;
    const auto is_name = [&](std::size_t i) {
      return i < text_.size() && !ascii::is_space(text_[i]) &&
             std::string_view("=/><\"'").find(text_[i]) == kNone;
    };
    while (is_name(end)) ++end;
    name = text_.substr(at + 1, end - at - 1);
    if (name.empty()) return false;
    for (at = end;;) {
      const std::size_t before = at;
      while (at < text_.size() && ascii::is_space(text_[at])) ++at;
      if (at >= text_.size()) return false;
      if (text_[at] == '>') return ++at, true;
      if (text_[at] == '/') {
        empty = true;
        if (++at >= text_.size() || text_[at] != '>') return false;
        return ++at, true;
      }
      const std::size_t begin = at;
      while (is_name(at)) ++at;
      const std::string_view attribute = text_.substr(begin, at - begin);
      while (at < text_.size() && ascii::is_space(text_[at])) ++at;
      if (attribute.empty() || at >= text_.size() || text_[at] != '=') return false;
      ++at;
      while (at < text_.size() && ascii::is_space(text_[at])) ++at;
      if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) return false;
      const std::size_t quote = text_.find(text_[at], at + 1);
      if (quote == kNone) return false;
      at = quote + 1;
      const bool declaration = attribute.starts_with("xmlns");
      if (within_cut || declaration || !unwanted(attribute)) continue;
      location_ = location_ || names_location(attribute);
      cuts_.emplace_back(before, at);
    }
  }

  std::string_view text_;
  std::vector<std::pair<std::size_t, std::size_t>> cuts_;  // in order, disjoint
  bool location_ = false;
};

}  // namespace

XmpEdit clean_xmp(std::string_view packet) { return Packet(packet).clean(); }

}  // namespace pixmilter::image
