// File names of pictures as they go out: safe on every recipient's system, and true to the bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "image/format.h"

namespace pixmilter::image {

// What a part says about its name, decoded to UTF-8; empty where it says nothing.
struct NameHints {
  std::string_view filename;     // filename= of Content-Disposition, or name= of Content-Type
  std::string_view description;  // Content-Description
  std::string_view content_id;   // with or without angle brackets
};

// "frame.npy" becomes "frame.png". Without a file name the description serves, then what stands before the @
// of the Content-ID, then "image-NUMBER". UTF-8 of at most kMaxNameBytes; no folder, no control or invisible
// directional character, nothing that Windows refuses; an extension that says the format, once. A picture
// extension that says the same in other letters (jpeg) stays.
std::string picture_name(const NameHints& hints, Format format, std::size_t number);

inline constexpr std::size_t kMaxNameBytes = 120;

}  // namespace pixmilter::image
