#include "core/picture_key.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pixmilter::core {
namespace {

std::string_view view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

Digest picture_key(const image::ImageJob& job, const Digest& source, bool needs_worker) {
  const image::RawLayout& layout = job.layout;
  const image::RenderSettings& s = job.settings;
  const auto word = [](auto value) { return static_cast<std::uint64_t>(value); };
  Hasher hasher;
  hasher.field(view(source)).field(word(job.format)).field(word(needs_worker));
  if (!needs_worker) return hasher.finish();
  for (const std::uint64_t value : {word(layout.width),
                                    word(layout.height),
                                    word(layout.bands),
                                    word(layout.frames),
                                    word(layout.format),
                                    word(layout.big_endian),
                                    word(layout.planar),
                                    word(layout.fortran_order),
                                    layout.offset,
                                    word(s.format),
                                    word(s.quality),
                                    word(s.lossy_allowed),
                                    word(s.resize),
                                    word(s.width),
                                    word(s.height),
                                    word(s.enlarge),
                                    s.max_bytes,
                                    word(s.min_side),
                                    word(s.colormap),
                                    word(s.range.kind),
                                    std::bit_cast<std::uint64_t>(s.range.low),
                                    std::bit_cast<std::uint64_t>(s.range.high),
                                    std::bit_cast<std::uint64_t>(s.fps),
                                    std::bit_cast<std::uint64_t>(s.svg_scale),
                                    word(s.page)})
    hasher.field(value);
  return hasher.finish();
}

Digest render_key(const image::ImageJob& job, const Digest& source, const config::Render& settings) {
  std::vector<std::string> loaders = settings.loaders;
  std::sort(loaders.begin(), loaders.end());
  loaders.erase(std::unique(loaders.begin(), loaders.end()), loaders.end());
  Hasher hasher;
  hasher.field("render " PIXMILTER_VERSION).field(view(picture_key(job, source, true)));
  for (const std::string& loader : loaders) hasher.field(loader);
  for (const std::uint64_t limit : {job.limits.max_pixels, std::uint64_t{job.limits.max_frames},
                                    std::uint64_t{job.limits.max_side}, job.limits.max_output_bytes})
    hasher.field(limit);
  return hasher.finish();
}

}  // namespace pixmilter::core
