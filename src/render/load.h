// Pictures that libvips decodes: one loader each, called by its name.
//
// libvips' own choice among its loaders is never asked: what the bytes are has been found by image::sniff.
#pragma once

#include "image/job.h"
#include "render/vips_image.h"

namespace pixmilter::render {

// Reads the header and judges it by the job's limits; pixels are decoded when rows are asked for, from top
// to bottom and once. The image is as it stands in the file: any colour space, depth and orientation. Where
// the job makes it smaller anyway, loaders that can do so cheaply give it smaller, but never smaller than
// twice what is wanted (SVG: exactly). The job's bytes have to outlive the picture.
Attempt<Picture> load(const image::ImageJob& job);

// Judges dimensions, wherever they come from.
Attempt<Done> check_limits(const image::Limits& limits, std::uint64_t width, std::uint64_t height,
                           std::uint64_t frames);

}  // namespace pixmilter::render
