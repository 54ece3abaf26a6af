#include "image/job.h"

namespace pixmilter::image {

std::uint32_t sample_bytes(BandFormat format) {
  switch (format) {
    case BandFormat::uchar:
    case BandFormat::char_:
    case BandFormat::boolean:
      return 1;
    case BandFormat::ushort:
    case BandFormat::short_:
    case BandFormat::half:
      return 2;
    case BandFormat::uint:
    case BandFormat::int_:
    case BandFormat::float_:
      return 4;
    case BandFormat::double_:
    case BandFormat::uint64:
    case BandFormat::int64:
      return 8;
  }
  return 0;
}

std::string_view name(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::refused:
      return "refused";
    case Status::limit:
      return "limit";
    case Status::timeout:
      return "timeout";
    case Status::crashed:
      return "crashed";
    case Status::violated:
      return "violated";
  }
  return "unknown";
}

}  // namespace pixmilter::image
