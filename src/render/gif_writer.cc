#include "render/gif_writer.h"

#include <cgif.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "render/palette.h"

namespace pixmilter::render {
namespace {

constexpr std::uint32_t kMaxSide = 65535;  // GIF's lengths have 16 bits

// Milliseconds to GIF's hundredths of a second, so that frames start when they should.
std::vector<std::uint16_t> hundredths(const std::vector<double>& delays, std::uint32_t frames) {
  std::vector<std::uint16_t> out(frames, 10);
  double milliseconds = 0;
  std::int64_t spent = 0;
  for (std::size_t i = 0; i < frames && i < delays.size(); ++i) {
    milliseconds += std::clamp(delays[i], 0.0, 600'000.0);
    out[i] = static_cast<std::uint16_t>(
        std::clamp<std::int64_t>(std::llround(milliseconds / 10) - spent, 0, 65535));
    spent += out[i];
  }
  return out;
}

struct Frame {
  std::vector<std::uint8_t> indices;
  std::vector<std::uint8_t> palette;  // three bytes a colour
  int transparent = -1;               // its number
};

bool is_transparent(std::uint32_t colour) { return colour >> 31 == 0; }

bool any_transparent(const std::uint8_t* pixels, std::uint64_t count, std::uint32_t bands) {
  if (bands == 1 || bands == 3) return false;
  for (std::uint64_t i = 0; i < count; ++i)
    if (is_transparent(colour_at(pixels + i * bands, bands))) return true;
  return false;
}

// The frame in its own colours, or nothing where these are more than 256. Where any frame of an animation is
// transparent somewhere, all have an entry for it: readers (Pillow among them) take the first frame's word.
std::optional<Frame> exact_frame(const std::uint8_t* pixels, std::size_t count, std::uint32_t bands,
                                 bool transparency) {
  Frame frame;
  Palette palette;
  frame.indices.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t colour = colour_at(pixels + i * bands, bands);
    colour = is_transparent(colour) ? 0 : colour | 0xFF000000u;  // GIF knows nothing between
    const int index = palette.index(colour);
    if (index < 0) return {};
    frame.indices[i] = static_cast<std::uint8_t>(index);
  }
  if (transparency) frame.transparent = palette.index(0);
  for (const std::uint32_t colour : palette.colours())
    for (int shift = 0; shift < 24; shift += 8)
      frame.palette.push_back(static_cast<std::uint8_t>(colour >> shift));
  return frame;
}

struct Sink {
  std::string bytes;
  std::uint64_t max_bytes;
  bool full = false;
};
int take(void* context, const std::uint8_t* data, const std::size_t size) {
  auto* sink = static_cast<Sink*>(context);
  sink->full = sink->full || sink->bytes.size() + size > sink->max_bytes;
  if (sink->full) return -1;
  try {
    sink->bytes.append(reinterpret_cast<const char*>(data), size);
  } catch (...) {  // must not travel through a C library
    sink->full = true;
    return -1;
  }
  return 0;
}

// Nothing: a frame has more than 256 colours.
std::optional<Attempt<std::string>> write_exact(const Picture& picture, std::uint64_t max_output_bytes) {
  const std::uint32_t bands = static_cast<std::uint32_t>(picture.image->Bands);
  const std::size_t frame_pixels = std::size_t{picture.width()} * picture.height();
  const auto* pixels = reinterpret_cast<const std::uint8_t*>(VIPS_IMAGE_ADDR(picture.image.get(), 0, 0));
  const bool transparency = any_transparent(pixels, frame_pixels * picture.frames, bands);
  const bool moves = picture.frames > 1;
  Sink sink{{}, max_output_bytes};
  CGIF_Config config{};
  config.attrFlags = CGIF_ATTR_NO_GLOBAL_TABLE;
  // cgif 0.3 writes the extension that names the transparent colour only for what it takes for an animation.
  // One that is not repeated, of one frame, without delay, is a still picture.
  if (moves || transparency) config.attrFlags |= CGIF_ATTR_IS_ANIMATED;
  if (!moves || picture.loop == 1) config.attrFlags |= CGIF_ATTR_NO_LOOP;
  config.numLoops = static_cast<std::uint16_t>(picture.loop > 1 ? std::min(picture.loop - 1, 65535) : 0);
  config.width = static_cast<std::uint16_t>(picture.width());
  config.height = static_cast<std::uint16_t>(picture.height());
  config.pWriteFn = take;
  config.pContext = &sink;
  struct Close {
    void operator()(CGIF* gif) const { cgif_close(gif); }
  };
  std::unique_ptr<CGIF, Close> gif(cgif_newgif(&config));
  if (!gif) return Attempt<std::string>(over_limit("no memory for a GIF"));

  const std::vector<std::uint16_t> delays = hundredths(picture.delays, picture.frames);
  for (std::uint32_t i = 0; i < picture.frames; ++i) {
    std::optional<Frame> frame =
        exact_frame(pixels + i * frame_pixels * bands, frame_pixels, bands, transparency);
    if (!frame) return {};
    CGIF_FrameConfig one{};
    one.pLocalPalette = frame->palette.data();
    one.pImageData = frame->indices.data();
    one.numLocalPaletteEntries = static_cast<std::uint16_t>(frame->palette.size() / 3);
    one.attrFlags = CGIF_FRAME_ATTR_USE_LOCAL_TABLE;
    one.delay = moves ? delays[i] : 0;
    if (frame->transparent >= 0) {
      one.attrFlags |= CGIF_FRAME_ATTR_HAS_ALPHA;
      one.transIndex = static_cast<std::uint8_t>(frame->transparent);
    }
    if (cgif_addframe(gif.get(), &one) != CGIF_OK) break;
  }
  const int closed = cgif_close(gif.release());
  if (sink.full)
    return Attempt<std::string>(over_limit("the GIF exceeds " + std::to_string(max_output_bytes) + " bytes"));
  if (closed != CGIF_OK) return Attempt<std::string>(refused("the GIF cannot be written"));
  return Attempt<std::string>(std::move(sink.bytes));
}

Attempt<std::string> write_quantised(const Picture& picture, std::uint64_t max_output_bytes) {
  VipsImage* image = nullptr;
  if (vips_copy(picture.image.get(), &image, nullptr)) return refused(vips_complaint("gif"));
  const Image owner(image);
  vips_image_set_int(image, VIPS_META_PAGE_HEIGHT, static_cast<int>(picture.height()));
  vips_image_set_int(image, "loop", picture.loop);
  std::vector<int> delays;
  for (const std::uint16_t delay : hundredths(picture.delays, picture.frames)) delays.push_back(delay * 10);
  vips_image_set_array_int(image, "delay", delays.data(), static_cast<int>(delays.size()));
  void* bytes = nullptr;
  std::size_t size = 0;
  if (vips_gifsave_buffer(image, &bytes, &size, nullptr)) return refused(vips_complaint("gif"));
  const std::unique_ptr<void, decltype(&g_free)> release(bytes, g_free);
  if (size > max_output_bytes)
    return over_limit("the GIF exceeds " + std::to_string(max_output_bytes) + " bytes");
  return std::string(static_cast<const char*>(bytes), size);
}

}  // namespace

Attempt<std::string> write_gif(const Picture& picture, std::uint64_t max_output_bytes) {
  if (picture.width() > kMaxSide || picture.height() > kMaxSide)
    return over_limit("a GIF has at most 65535 pixels a side");
  Picture still;
  still.frames = picture.frames;
  still.delays = picture.delays;
  still.loop = picture.loop;
  // The frames are read twice where they have to be quantised, and the source may give them only once.
  still.image.reset(vips_image_copy_memory(picture.image.get()));
  if (!still.image) return refused(vips_complaint("pixels cannot be read"));
  if (auto exact = write_exact(still, max_output_bytes)) return std::move(*exact);
  return write_quantised(still, max_output_bytes);
}

}  // namespace pixmilter::render
