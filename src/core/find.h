// The scan pass: where in a message pictures are named or carried.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/work.h"

namespace pixmilter::core {

// Fills work.texts and work.findings. protection says for each part why it must keep its bytes.
// A finding that is out of the question has its reason at once; the others are decided by resolve().
void find(Work& work, const std::vector<std::string>& protection);

// The Content-ID that a cid: URL names, its escapes resolved (RFC 2392).
std::string content_id_of(std::string_view cid_url);

}  // namespace pixmilter::core
