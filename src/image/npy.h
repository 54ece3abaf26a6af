// The header of numpy's .npy files, versions 1.0 to 3.0 (NEP 1, and numpy.lib.format's documentation).
//
// The header is a Python literal. It is parsed here by a grammar that knows dictionaries of strings, truth
// values and tuples of integers and nothing else; nothing is ever evaluated.
#pragma once

#include <string_view>

#include "base/result.h"
#include "image/job.h"

namespace pixmilter::image {

// Where and how the pixels of a .npy file lie. Two dimensions are height x width; three are
// height x width x bands where the last is 1 to 4, else frames x height x width; four are
// frames x height x width x bands. The byte count has been checked (see layout.h).
// Errors: not .npy, an unknown version, a header that is no such literal, a dtype that holds no pixels
// (objects, structures, strings, complex numbers, dates), a shape that is no picture's, a wrong length.
Result<RawLayout> read_npy(std::string_view bytes);

}  // namespace pixmilter::image
