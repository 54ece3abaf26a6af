#include "image/photoshop.h"

#include "image/bytes.h"
#include "image/xmp.h"

namespace pixmilter::image {
namespace {

enum Resource : std::uint32_t {
  kIptc = 0x0404,
  kOldThumbnail = 0x0409,
  kThumbnail = 0x040C,
  kExif1 = 0x0422,
  kExif3 = 0x0423,
  kXmp = 0x0424,
};

// Datasets of record 2 that name a place.
bool names_place(std::uint32_t record, std::uint32_t dataset) {
  if (record != 2) return false;
  switch (dataset) {
    case 26:
    case 27:  // content location: code, name
    case 90:
    case 92:
    case 95:
    case 100:
    case 101:  // city, sublocation, state, country: code, name
      return true;
    default:
      return false;
  }
}

// Datasets are 0x1C, record, dataset, length, value. What cannot be followed goes.
std::string clean_iptc(std::string_view data, bool& location) {
  std::string out;
  std::size_t at = 0;
  while (has(data, at, 5) && u8(data, at) == 0x1C) {
    std::uint64_t length = u16_big(data, at + 3);
    std::size_t header = 5;
    if (length & 0x8000) {  // extended: so many bytes hold the length
      const std::uint64_t count = length & 0x7FFF;
      if (count > 4 || !has(data, at + 5, count)) break;
      length = 0;
      for (std::uint64_t i = 0; i < count; ++i) length = length << 8 | u8(data, at + 5 + i);
      header += static_cast<std::size_t>(count);
    }
    if (!has(data, at + header, length)) break;
    const std::size_t size = header + static_cast<std::size_t>(length);
    if (names_place(u8(data, at + 1), u8(data, at + 2)))
      location = true;
    else
      out.append(data, at, size);
    at += size;
  }
  return out;
}

void put_resource(std::string& out, std::string_view id_and_name, std::string_view data) {
  out.append("8BIM").append(id_and_name);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(data.size() >> shift & 255);
  out.append(data);
  if (data.size() % 2 != 0) out += '\0';
}

}  // namespace

ResourcesEdit clean_resources(std::string_view in) {
  ResourcesEdit edit;
  std::size_t at = 0;
  while (has(in, at, 12) && in.substr(at, 4) == "8BIM") {
    const std::uint32_t id = u16_big(in, at + 4);
    // The name is counted by one byte and padded with it to an even length.
    const std::size_t name = (std::size_t{u8(in, at + 6)} + 2) / 2 * 2;
    if (!has(in, at + 6 + name, 4)) break;
    const std::uint64_t length = u32_big(in, at + 6 + name);
    const std::size_t data_at = at + 10 + name;
    if (!has(in, data_at, length)) break;
    const std::string_view data = in.substr(data_at, static_cast<std::size_t>(length));
    const std::string_view id_and_name = in.substr(at + 4, 2 + name);
    if (id == kOldThumbnail || id == kThumbnail || id == kExif1 || id == kExif3) {
      edit.changed = true;
    } else if (id == kIptc) {
      const std::string cleaned = clean_iptc(data, edit.location);
      edit.changed = edit.changed || cleaned.size() != data.size();
      put_resource(edit.bytes, id_and_name, cleaned);
    } else if (id == kXmp) {
      const XmpEdit xmp = clean_xmp(data);
      edit.location = edit.location || xmp.location;
      edit.changed = edit.changed || xmp.changed;
      put_resource(edit.bytes, id_and_name, xmp.changed ? std::string_view(xmp.text) : data);
    } else {
      put_resource(edit.bytes, id_and_name, data);
    }
    at = data_at + static_cast<std::size_t>(length + length % 2);
  }
  if (at < in.size()) {
    edit.changed = true;
    if (at == 0) edit.bytes.clear();
  }
  return edit;
}

}  // namespace pixmilter::image
