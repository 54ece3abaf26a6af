// Report: what explain and preview show beyond the outcome. Filled only when somebody asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/decide.h"
#include "image/format.h"
#include "mail/message.h"
#include "mail/mime_tree.h"

namespace pixmilter::core {

struct Work;

// One part of a MIME tree, for people.
struct PartLine {
  std::string number;  // "1.2"; "" for the message itself
  std::size_t depth = 0;
  std::string type;
  std::string encoding;     // as the header says, in lower case; empty: none given
  std::string disposition;  // "inline", "attachment" or empty
  std::string name;         // file name, UTF-8
  std::string content_id;
  std::uint64_t bytes = 0;  // header and body as they stand in the message
  std::string note;         // why the part is never touched; empty: it may be
};

// The bytes of one distinct picture, by index of Finding::picture.
struct ReportPicture {
  image::Format format = image::Format::unknown;  // of before
  std::string before;                             // decoded; empty for bare pixels
  std::string after;                              // empty where it stays as it was
};

struct Report {
  bool with_bytes = false;  // asked for by whoever hands it in: the next two are filled
  std::vector<ReportPicture> pictures;
  std::string message_after;  // the whole message as it would go out, in audit mode too; empty: as before

  Plan plan;  // with the trace of every rule
  std::vector<PartLine> before;
  std::vector<PartLine> after;  // as it would go out, in audit mode too; empty: as before
  std::string asset_root;       // where assets were looked for
  std::size_t skipped = 0;      // references that the sender has marked to be left alone
  double render_ms = 0;
  double total_ms = 0;
};

std::vector<PartLine> part_lines(const mail::MimeTree& tree);
std::vector<ReportPicture> report_pictures(const Work& work);

}  // namespace pixmilter::core
