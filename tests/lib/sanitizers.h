// What tests do otherwise in builds with sanitizers (sanitizers.py says the same to tests in Python).
#pragma once

#include <cstddef>

#include "base/sanitized.h"

namespace pixmilter::tests {

using pixmilter::kSanitized;

// How often something is repeated: a sanitizer finds in a tenth of it what it would find in all.
constexpr std::size_t rounds(std::size_t usual) { return kSanitized ? (usual + 9) / 10 : usual; }

}  // namespace pixmilter::tests
