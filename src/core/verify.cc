#include "core/verify.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/byte_search.h"
#include "core/content_fields.h"
#include "core/external_part.h"
#include "image/format.h"

namespace pixmilter::core {
namespace {

class Verifier {
 public:
  Verifier(const Work& work, const Assembly& assembly, const mail::Message& changed,
           const mail::MimeTree& tree)
      : work_(work),
        assembly_(assembly),
        old_(work.message),
        new_(changed),
        old_tree_(work.tree),
        new_tree_(tree) {}

  Status run() {
    if (Status fields = compare_message_fields(); !fields) return fields;
    if (Status parts = compare(0, 0); !parts) return parts;
    if (seen_ != new_tree_.size()) return Error{"parts that nobody asked for"};
    return check_content_ids();
  }

 private:
  static Error off(std::string text) { return Error{std::move(text)}; }

  std::string_view bytes(const mail::Message& message, mail::Span span) const {
    return std::string_view(message.bytes()).substr(span.begin, span.size());
  }

  // Fields that are not about the content stay, in their order; what is new comes after them.
  Status compare_message_fields() {
    std::vector<std::string_view> before, after;
    for (const mail::HeaderField& field : old_.fields())
      if (!is_content_field(field)) before.push_back(bytes(old_, {field.begin, field.end}));
    for (const mail::HeaderField& field : new_.fields())
      if (!is_content_field(field)) after.push_back(bytes(new_, {field.begin, field.end}));
    if (after.size() < before.size() || !std::equal(before.begin(), before.end(), after.begin()))
      return off("a header field that was not concerned has changed");
    for (std::size_t i = before.size(); i < after.size(); ++i)
      if (!ascii::istarts_with(after[i], "MIME-Version:") && !ascii::istarts_with(after[i], "X-Pixmilter:"))
        return off("a header field that nobody asked for");
    return Done{};
  }

  // The old part and the new one that stands in its place, with all beneath them.
  Status compare(std::size_t old_index, std::size_t new_index) {
    if (const auto wrapped = assembly_.wrapped.find(old_index); wrapped != assembly_.wrapped.end())
      return compare_wrapped(old_index, new_index, wrapped->second);
    if (!assembly_.paged_root.empty()) return compare_paged_root();
    return compare_content(old_index, new_index);
  }

  Status compare_wrapped(std::size_t old_index, std::size_t new_index, const std::string& boundary) {
    const mail::Part& related = new_tree_[new_index];
    const std::vector<NewPart>& images = assembly_.new_parts.at(old_index);
    if (related.type != "multipart/related" || related.boundary != boundary ||
        related.children.size() != 1 + images.size())
      return off("the multipart/related round the HTML is not as it was meant");
    if (related.body.begin != related.delimiters.front().begin ||
        related.body.end != related.delimiters.back().end)
      return off("something stands before or after the parts of a new multipart");
    ++seen_;
    if (Status html = compare_content(old_index, related.children[0]); !html) return html;
    return compare_images(images, related, 1);
  }

  Status compare_paged_root() {
    const mail::Part& mixed = new_tree_[0];
    const std::vector<std::size_t>& pages = assembly_.pages.at(0);
    if (mixed.type != "multipart/mixed" || mixed.boundary != assembly_.paged_root ||
        mixed.children.size() != 1 + pages.size() || mixed.body.begin != mixed.delimiters.front().begin ||
        mixed.body.end != mixed.delimiters.back().end)
      return off("the multipart/mixed of pages is not as it was meant");
    seen_ += 2;
    const mail::Part& page = new_tree_[mixed.children[0]];
    const std::size_t picture = assembly_.replaced.at(0);
    const auto external = work_.externals.find(0);
    if (Status first = external == work_.externals.end()
                           ? compare_replaced(old_tree_[0], page, picture)
                           : compare_external(old_tree_[0], external->second, page, picture);
        !first)
      return first;
    for (std::size_t i = 0; i < pages.size(); ++i) {
      ++seen_;
      if (Status next = compare_image(new_tree_[mixed.children[i + 1]], pages[i]); !next) return next;
    }
    return Done{};
  }

  Status compare_content(std::size_t old_index, std::size_t new_index) {
    const mail::Part& before = old_tree_[old_index];
    const mail::Part& after = new_tree_[new_index];
    ++seen_;
    if (before.is_multipart()) return compare_multipart(old_index, before, after);
    if (const auto said = assembly_.said.find(old_index); said != assembly_.said.end())
      return compare_said(after, said->second);
    if (const auto external = work_.externals.find(old_index);
        external != work_.externals.end() && assembly_.replaced.contains(old_index))
      return compare_external(before, external->second, after, assembly_.replaced.at(old_index));
    if (assembly_.replaced.contains(old_index))
      return compare_replaced(before, after, assembly_.replaced.at(old_index));
    if (const auto recoded = assembly_.recoded.find(old_index); recoded != assembly_.recoded.end()) {
      const std::string* charset = after.parameter("charset");
      if (after.type != before.type || charset == nullptr || *charset != "utf-8" ||
          (after.encoding != mail::Encoding::base64 && after.encoding != mail::Encoding::quoted_printable))
        return off("a converted text does not say its charset");
    } else if (!same_fields(before, after)) {
      return off("the header of a part that was not concerned has changed");
    }
    const auto text = assembly_.new_text.find(old_index);
    if (text == assembly_.new_text.end()) {
      if (bytes(old_, before.body) != bytes(new_, after.body))
        return off("a part that was not concerned has changed");
      return Done{};
    }
    if (mail::decoded_body(new_, after) != text->second) return off("an HTML text is not as it was meant");
    return Done{};
  }

  // A part keeps its fields byte for byte; where the message's own fields moved into a part, those about
  // the content do.
  bool same_fields(const mail::Part& before, const mail::Part& after) const {
    std::vector<std::string_view> a, b;
    const bool whole = before.parent != mail::Part::kNone;
    for (const mail::HeaderField& field : before.fields)
      if (whole || is_content_field(field)) a.push_back(bytes(old_, {field.begin, field.end}));
    for (const mail::HeaderField& field : after.fields)
      if (whole || is_content_field(field)) b.push_back(bytes(new_, {field.begin, field.end}));
    return a == b;
  }

  Status compare_multipart(std::size_t old_index, const mail::Part& before, const mail::Part& after) {
    const auto added = assembly_.new_parts.find(old_index);
    const std::size_t images = added == assembly_.new_parts.end() ? 0 : added->second.size();
    std::size_t pages = 0, dropped = 0;
    for (const std::size_t child : before.children) {
      dropped += assembly_.dropped.contains(child);
      if (const auto more = assembly_.pages.find(child); more != assembly_.pages.end())
        pages += more->second.size();
    }
    if (!same_fields(before, after) || before.boundary != after.boundary ||
        after.children.size() != before.children.size() + images + pages - dropped)
      return off("a multipart is not as it was meant");
    const auto outer = [](const mail::Part& part) {
      return std::pair(mail::Span{part.body.begin, part.delimiters.front().end},
                       mail::Span{part.delimiters.back().begin, part.body.end});
    };
    const auto [before_open, before_close] = outer(before);
    const auto [after_open, after_close] = outer(after);
    if (bytes(old_, before_open) != bytes(new_, after_open) ||
        bytes(old_, before_close) != bytes(new_, after_close))
      return off("the preamble or epilogue of a multipart has changed");
    std::size_t at = 0;  // in the new part
    for (const std::size_t child : before.children) {
      if (assembly_.dropped.contains(child)) continue;
      if (Status same = compare(child, after.children[at++]); !same) return same;
      const auto more = assembly_.pages.find(child);
      if (more == assembly_.pages.end()) continue;
      for (const std::size_t page : more->second) {
        ++seen_;
        if (Status image = compare_image(new_tree_[after.children[at++]], page); !image) return image;
      }
    }
    return images == 0 ? Status(Done{}) : compare_images(added->second, after, at);
  }

  // Line ends at the end belong to what follows.
  Status compare_said(const mail::Part& after, const std::string& text) {
    if (after.type != "text/plain" || after.is_attachment() || !after.content_id.empty() ||
        ascii::trim(mail::decoded_body(new_, after)) != ascii::trim(text))
      return off("the text in the place of a dropped part is not as it was meant");
    return Done{};
  }

  Status compare_replaced(const mail::Part& before, const mail::Part& after, std::size_t picture) {
    if (after.content_id != before.content_id || after.disposition != before.disposition)
      return off("a replaced part lost its Content-ID or disposition");
    return compare_image(after, picture);
  }

  // A part whose bytes lay elsewhere is now what its own body said that it would be.
  Status compare_external(const mail::Part& before, const mail::ExternalBody& external,
                          const mail::Part& after, std::size_t picture) {
    const std::string& disposition = disposition_part(external, before).disposition;
    if (after.content_id != content_id_of(external, before) ||
        after.description != description_of(external, before) ||
        (!disposition.empty() && after.disposition != disposition))
      return off("a part that was fetched is not what it was to be");
    if (before.parent != mail::Part::kNone) {
      std::vector<std::string_view> a, b;
      for (const mail::HeaderField& field : before.fields)
        if (!is_content_field(field)) a.push_back(bytes(old_, {field.begin, field.end}));
      for (const mail::HeaderField& field : after.fields)
        if (!is_content_field(field)) b.push_back(bytes(new_, {field.begin, field.end}));
      if (a != b) return off("a field of a part that was fetched has changed");
    }
    return compare_image(after, picture);
  }

  Status compare_images(const std::vector<NewPart>& images, const mail::Part& multipart, std::size_t first) {
    for (std::size_t i = 0; i < images.size(); ++i) {
      const mail::Part& part = new_tree_[multipart.children[first + i]];
      ++seen_;
      if (part.content_id != images[i].content_id)
        return off("a new part has another Content-ID than its reference");
      if (Status image = compare_image(part, images[i].picture); !image) return image;
    }
    return Done{};
  }

  Status compare_image(const mail::Part& part, std::size_t index) {
    const Picture& picture = work_.pictures[index];
    if (part.type != image::media_type(picture.result.format) || part.encoding != mail::Encoding::base64)
      return off("an image part has another type than its picture");
    // Lines that the cache holds were decoded and compared when they were made.
    const bool holds = picture.cached
                           ? source::holds_lines(bytes(new_, part.body), *picture.cached, new_.eol())
                           : base64::decodes_to(bytes(new_, part.body), picture.bytes());
    if (!holds) return off("an image part does not hold its picture");
    return Done{};
  }

  // Each Content-ID that we wrote names one part, and the HTML that should name it does.
  Status check_content_ids() {
    std::map<std::string_view, int> count;
    for (const mail::Part& part : new_tree_.parts())
      if (!part.content_id.empty()) ++count[part.content_id];
    std::set<std::string_view> unnamed;
    for (const auto& [container, images] : assembly_.new_parts) {
      for (const NewPart& image : images) {
        if (count[image.content_id] != 1) return off("a Content-ID is not unique");
        unnamed.insert(image.content_id);
      }
    }
    for (const auto& [part, text] : assembly_.new_text) strike_out_named(text, unnamed);
    return unnamed.empty() ? Status(Done{}) : off("a new part that no HTML names");
  }

  // Takes those out of ids that follow a "cid:" in the text.
  static void strike_out_named(std::string_view text, std::set<std::string_view>& ids) {
    constexpr std::string_view kScheme = "cid:";
    for (std::size_t at = 0; !ids.empty() && (at = find_word(text, at, kScheme)) < text.size();) {
      const std::string_view rest = text.substr(at += kScheme.size());
      // The last one that is not after the text is the one that begins it: none of ours begins another.
      const auto after = ids.upper_bound(rest);
      if (after != ids.begin() && rest.starts_with(*std::prev(after))) ids.erase(std::prev(after));
    }
  }

  const Work& work_;
  const Assembly& assembly_;
  const mail::Message& old_;
  const mail::Message& new_;
  const mail::MimeTree& old_tree_;
  const mail::MimeTree& new_tree_;
  std::size_t seen_ = 0;
};

}  // namespace

// The old message was read by two parsers which agreed. What stands of it was compared byte for byte, and
// what is new was written here, so that one strict reading of the result is enough where all is plain. Where
// it is not, or something seems off, GMime has its say.
Status verify(const Work& work, const Assembly& assembly, const mail::Message& changed) {
  if (const Result<mail::MimeTree> plain = mail::MimeTree::parse_plain(changed);
      plain && Verifier(work, assembly, changed, *plain).run())
    return Done{};
  Result<mail::MimeTree> tree = mail::MimeTree::parse(changed);
  if (!tree) return tree.error();
  return Verifier(work, assembly, changed, *tree).run();
}

}  // namespace pixmilter::core
