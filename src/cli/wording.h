// How numbers and decisions read for people, the same wherever a command shows them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/finding.h"
#include "image/format.h"

namespace pixmilter::cli {

// "812 B", "12.4 kB", "3.1 MB": powers of 1000.
std::string size_words(std::uint64_t bytes);

// "PNG", "JPEG", "numpy array": what people call the format.
std::string_view format_words(image::Format format);

// "a data: URI", "inline SVG", "a part of the message".
std::string_view source_words(core::Source source);

// One sentence: what is done to the picture and why, or why nothing is. same_bytes: it goes out as it came.
std::string decision_words(const core::Finding& finding, bool same_bytes);

// "1 picture", "3 pictures".
std::string counted(std::size_t number, std::string_view thing);

}  // namespace pixmilter::cli
