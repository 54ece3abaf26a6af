// Work: what the passes of the pipeline hand on to each other for one message.
//
// find() fills texts and findings, resolve() the pictures' bytes, the renderer their results; assemble() and
// verify() only read. Views point into the message or into storage that lives here: Work does not move.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/quoted_printable.h"
#include "core/finding.h"
#include "html/reference.h"
#include "image/job.h"
#include "mail/message.h"
#include "mail/mime_tree.h"

namespace pixmilter::core {

// An HTML part that is looked into.
struct HtmlText {
  std::size_t part = 0;   // index in the tree
  std::string_view text;  // decoded from its transfer encoding; offsets of the scan count in this
  html::Scan scan;
  std::string storage;                               // behind text where the body had to be decoded
  std::unique_ptr<quoted_printable::Mapped> mapped;  // behind text for quoted-printable
};

// One distinct picture, however often it is named.
struct Picture {
  std::string storage;  // behind job.bytes where they had to be decoded
  image::ImageJob job;
  bool as_is = false;  // goes out byte for byte, no worker sees it
  image::ImageResult result;
  std::string name;  // file name of a new part
  bool ok() const { return result.status == image::Status::ok; }
  std::string_view bytes() const { return as_is ? job.bytes : std::string_view(result.bytes); }
};

struct Work {
  Work(const mail::Message& m, const mail::MimeTree& t) : message(m), tree(t) {}
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  const mail::Message& message;
  const mail::MimeTree& tree;
  std::deque<HtmlText> texts;
  std::vector<Finding> findings;
  std::deque<Picture> pictures;
};

}  // namespace pixmilter::core
