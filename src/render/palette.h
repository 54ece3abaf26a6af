// A palette that grows with the colours of a picture, for as long as they are no more than 256.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace pixmilter::render {

// Colours are red | green << 8 | blue << 16 | alpha << 24, numbered in the order of their coming.
class Palette {
 public:
  // The number of a colour, or -1 when it would be the 257th.
  int index(std::uint32_t colour) {
    if (colour == last_ && !colours_.empty()) return last_index_;
    std::uint32_t slot = colour * 0x9E3779B1u >> 22;
    while (slots_[slot] != 0) {
      const int found = slots_[slot] - 1;
      if (colours_[static_cast<std::size_t>(found)] == colour) return remember(colour, found);
      slot = (slot + 1) % kSlots;
    }
    if (colours_.size() == 256) return -1;
    colours_.push_back(colour);
    slots_[slot] = static_cast<std::uint16_t>(colours_.size());
    return remember(colour, static_cast<int>(colours_.size() - 1));
  }
  const std::vector<std::uint32_t>& colours() const { return colours_; }

 private:
  int remember(std::uint32_t colour, int index) {
    last_ = colour;
    return last_index_ = index;
  }

  static constexpr std::uint32_t kSlots =
      1024;  // 2 to the power of 32 - 22, and sparse with 256 of them used
  std::vector<std::uint32_t> colours_;
  std::array<std::uint16_t, kSlots> slots_{};  // 1 + number, 0: free
  std::uint32_t last_ = 0;
  int last_index_ = 0;
};

// The colour of a pixel of 1 to 4 bands.
inline std::uint32_t colour_at(const std::uint8_t* pixel, std::uint32_t bands) {
  const std::uint32_t red = pixel[0];
  if (bands < 3) return red * 0x010101u | (bands == 2 ? std::uint32_t{pixel[1]} : 255u) << 24;
  return red | std::uint32_t{pixel[1]} << 8 | std::uint32_t{pixel[2]} << 16 |
         (bands == 4 ? std::uint32_t{pixel[3]} : 255u) << 24;
}

}  // namespace pixmilter::render
