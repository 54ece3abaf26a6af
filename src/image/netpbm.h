// The headers of the Netpbm family: PBM, PGM, PPM (plain and raw), PAM, and PFM.
//
// Netpbm's own manual pages pbm(5), pgm(5), ppm(5) and pam(5) are followed; PFM after Paul Debevec's
// description. libvips 8.14 hands these to ImageMagick when they come from memory, so we read them ourselves.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "image/job.h"

namespace pixmilter::image {

struct Netpbm {
  enum class Coding : std::uint8_t {
    samples,     // layout says how they lie
    text,        // decimal numbers, as many as layout has samples (P2, P3)
    text_bits,   // the digits 0 and 1 (P1); 1 is black
    packed_bits  // eight pixels a byte, rows end on whole bytes (P4); 1 is black
  };
  Coding coding = Coding::samples;
  // Type, geometry and place of the samples. For text and bits: of what they decode to (uchar or ushort), and
  // offset is where they begin.
  RawLayout layout;
  std::uint32_t maxval = 255;  // white; not for PFM
  bool bottom_up = false;      // PFM begins with the lowest row
  double unit = 1;             // PFM: what a sample of 1 stands for
};

// Reads the header of bytes that image::sniff calls pnm, pam or pfm, and checks that all samples are there
// where their number of bytes is known. What follows them (a Netpbm stream may hold more pictures) is
// ignored.
Result<Netpbm> read_netpbm(std::string_view bytes);

}  // namespace pixmilter::image
