// Finding: one place in a message where pixmilter saw a picture, and what became of it.
//
// The passes fill findings in one after the other; the log, explain and preview read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/rule.h"
#include "core/trace.h"
#include "html/reference.h"
#include "image/job.h"

namespace pixmilter::core {

enum class Source : std::uint8_t { data, part, svg, asset, file, http };
std::string_view name(Source source);
bool allowed(Source source, const config::Sources& sources);

enum class Decision : std::uint8_t {
  keep,         // stays as it is; reason says why
  embed,        // becomes an image part, byte for byte
  convert,      // is rendered and becomes an image part, or takes its part's place
  placeholder,  // a neutral picture takes its place
  drop,         // goes, with the element or part that held it
};
std::string_view name(Decision decision);

struct Finding {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  Source source = Source::data;
  std::size_t part = 0;           // index in the MIME tree: the HTML it stands in, or the part it is
  std::string part_number;        // "1.2", as IMAP numbers parts
  std::size_t html = kNone;       // index of the HtmlText it stands in; kNone: it is a part
  std::size_t reference = kNone;  // index in that text's scan
  html::Place place = html::Place::img_src;  // when it is a reference
  std::uint32_t page = 0;  // of a document with several: 1 and up become parts of their own behind the first
  std::string url;         // in its normal form, where it is to be fetched
  std::string label;       // a file name, a Content-ID or the beginning of a URL, for people
  std::size_t label_query = kNone;  // where in the label the query or fragment of a URL begins
  std::string file_name;            // of the asset or file behind it; empty: there is none

  Decision decision = Decision::keep;
  std::string reason;       // why it is kept; empty when it is not
  std::string note;         // what of it is not shown although it is done
  bool asked = false;       // image/x-raw-pixels, application/x-npy, message/external-body: an explicit ask
  bool external = false;    // a message/external-body: a part whose bytes lie elsewhere
  bool attachment = false;  // a part that is a file rather than part of the text
  bool silent = false;      // none of our business: only explain speaks of it
  bool may_shrink = false;  // a part that stays as it is, unless the message has to become smaller
  bool failed = false;      // kept because something went wrong, not because that is right
  config::Failure failure = config::Failure::unreadable;  // what went wrong, for on_fail
  config::ImagePlan plan;                                 // what the rules want of it
  bool ruled = false;                                     // an image rule speaks of it
  std::vector<ImageRuleTrace> trace;                      // of the image rules that were asked; for explain
  std::vector<Forced> forced;                             // who made the plan stricter than others wanted it
  std::size_t picture = kNone;                            // index in Work::pictures
  std::string new_name;                                   // file name of the part that the finding becomes

  image::Format format = image::Format::unknown;
  std::uint64_t bytes_before = 0;  // of the picture as it came, decoded
  image::Format new_format = image::Format::unknown;
  std::uint64_t bytes_after = 0;   // of the picture as it goes, before base64
  std::uint32_t width_before = 0;  // pixels, 0: not known
  std::uint32_t height_before = 0;
  std::uint32_t width = 0;  // pixels of the result
  std::uint32_t height = 0;
  bool hurried = false;  // the result was encoded the fastest way: the deadline was near
};

// A part of whose pages one cannot become a picture stays as it was, whole. first: what is left of the
// findings of its pages; page: the one that cannot, and why.
void leave_whole(Finding& first, const Finding& page);

// The label as the log may have it: what stands in a query or a fragment is the sender's business.
std::string label_for_log(const Finding& finding);

}  // namespace pixmilter::core
