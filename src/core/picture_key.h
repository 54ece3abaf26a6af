// What a picture is told apart by: its source bytes, how they are read and what shall become of them.
#pragma once

#include "base/hash.h"
#include "config/settings.h"
#include "image/job.h"

namespace pixmilter::core {

// Within one message. source: SHA-256 of job.bytes.
Digest picture_key(const image::ImageJob& job, const Digest& source, bool needs_worker);

// Between messages, configurations and machines: the limits, the loaders (an SVG may hold other formats) and
// this version belong to what a render gives.
Digest render_key(const image::ImageJob& job, const Digest& source, const config::Render& settings);

}  // namespace pixmilter::core
