// Work: what the passes of the pipeline hand on to each other for one message.
//
// find() fills texts and findings, resolve() what was fetched and the pictures' bytes, the renderer their
// results; assemble() and verify() only read. Views point into the message or into storage that lives here:
// Work does not move.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/hash.h"
#include "base/memfd.h"
#include "base/quoted_printable.h"
#include "core/decide.h"
#include "core/finding.h"
#include "html/charset.h"
#include "html/element_edits.h"
#include "html/inline_svg.h"
#include "html/reference.h"
#include "image/header.h"
#include "image/job.h"
#include "mail/external_body.h"
#include "mail/message.h"
#include "mail/mime_tree.h"
#include "source/cached_picture.h"
#include "source/fetcher.h"

namespace pixmilter::core {

// An HTML part that is looked into.
struct HtmlText {
  std::size_t part = 0;   // index in the tree
  std::string_view text;  // decoded from its transfer encoding; offsets of the scan count in this
  html::Charset charset;
  bool recoded = false;  // text is UTF-8 made from a charset that is no ASCII superset
  html::Scan scan;
  std::map<std::size_t, html::InlineSvg> svgs;       // by index of the reference
  std::vector<html::ElementEdit> edits;              // of what goes with its element, and of alts
  std::string storage;                               // behind text where the body had to be decoded
  std::unique_ptr<quoted_printable::Mapped> mapped;  // behind text for quoted-printable
};

// One distinct picture, however often it is named.
struct Picture {
  std::string storage;                        // behind job.bytes where they had to be decoded
  SharedBytes memory;                         // behind job.bytes where they are many
  std::shared_ptr<const std::string> shared;  // behind job.bytes where several findings may share them
  std::optional<Digest> source;               // SHA-256 of what job.bytes are made from, once it is known
  image::ImageJob job;
  std::optional<image::Header> header;  // what an encoded picture says of itself
  bool needs_worker = true;             // else result is there already
  // Its bytes are empty where the picture goes out as it came, or the cache holds it.
  image::ImageResult result;
  source::CachedPicturePtr cached;  // the result, ready to be copied
  std::string name;                 // file name of a new part
  bool ok() const { return result.status == image::Status::ok; }
  bool as_is() const { return !cached && result.bytes.empty(); }
  // What goes out. size(), digest() and append_lines() need no decoding where the cache holds it.
  std::string_view bytes() const;
  std::uint64_t size() const { return cached ? cached->bytes : bytes().size(); }
  Digest digest() const;  // SHA-256 of bytes()
  void append_lines(std::string_view eol, std::string& out) const;
  void take(source::CachedPicturePtr picture);
  // Back to where no result was.
  void forget();

 private:
  mutable std::string decoded_;  // of cached, once somebody has asked
};

struct Work {
  Work(const mail::Message& m, const mail::MimeTree& t, const Plan& p) : message(m), tree(t), plan(p) {}
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  // Where a finding stands in HTML; nullptr: it is a part.
  const html::Reference* reference(const Finding& finding) const {
    return finding.html == Finding::kNone ? nullptr : &texts[finding.html].scan.references[finding.reference];
  }

  const mail::Message& message;
  const mail::MimeTree& tree;
  const Plan& plan;
  Milliseconds shared_cache_time{0};  // that Redis may still cost this message
  std::deque<HtmlText> texts;
  std::map<std::size_t, mail::ExternalBody> externals;  // by index of the part
  std::vector<Finding> findings;
  std::deque<Picture> pictures;
  std::map<std::string, source::FetchResponse> fetched;  // by URL
};

}  // namespace pixmilter::core
