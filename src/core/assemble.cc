#include "core/assemble.h"

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "base/base64.h"
#include "core/content_fields.h"
#include "core/fold.h"
#include "core/replace_parts.h"
#include "image/format.h"
#include "mail/part_writer.h"

namespace pixmilter::core {
namespace {

constexpr std::string_view kContentIdDomain = "pixmilter";
constexpr std::size_t kIdBytes = 16;  // of the hash

// Whether lines of the text are lines of the message.
bool is_plain(mail::Encoding encoding) {
  return encoding != mail::Encoding::quoted_printable && encoding != mail::Encoding::base64;
}

class Assembler {
 public:
  explicit Assembler(const Work& work)
      : work_(work),
        message_(work.message),
        tree_(work.tree),
        eol_(work.message.eol()),
        fields_(work.message, out_.header_changes) {
    for (const mail::Part& part : tree_.parts())
      if (!part.content_id.empty()) taken_ids_.insert(std::string(mail::bare_content_id(part.content_id)));
  }

  Result<Assembly> run() {
    for (std::size_t i = 0; i < work_.texts.size(); ++i)
      if (Status edited = edit_text(i); !edited) return edited.error();
    for (const auto& [container, parts] : out_.new_parts) place_new_parts(container, parts);
    if (const auto root = out_.recoded.find(0); root != out_.recoded.end() && !out_.wrapped.contains(0))
      recode_root(tree_[0], root->second);
    replace_parts(work_, out_);
    return std::move(out_);
  }

 private:
  // The nearest multipart/related in whose root the HTML stands: cid: links resolve there. kNone: none.
  std::size_t related_around(std::size_t part) const {
    std::size_t below = part;
    for (std::size_t at = tree_[part].parent; at != mail::Part::kNone; below = at, at = tree_[at].parent) {
      if (tree_[at].type != "multipart/related") continue;
      return tree_.related_root(at) == below ? at : mail::Part::kNone;
    }
    return mail::Part::kNone;
  }

  // The Content-ID of a picture within a container, making the new part on first use.
  const std::string& content_id(std::size_t container, std::size_t picture) {
    std::vector<NewPart>& parts = out_.new_parts[container];
    for (const NewPart& part : parts)
      if (part.picture == picture) return part.content_id;
    // The same picture in another container needs a name of its own: a Content-ID is unique in a message.
    const Digest content = work_.pictures[picture].digest();
    for (std::uint64_t attempt = 0;; ++attempt) {
      std::string id = hex(numbered_digest(content, attempt), kIdBytes);
      id.append("@").append(kContentIdDomain);
      if (!taken_ids_.insert(id).second) continue;
      return parts.emplace_back(NewPart{picture, std::move(id)}).content_id;
    }
  }

  // Edits one HTML part: references, and what was addressed to us.
  Status edit_text(std::size_t index) {
    const HtmlText& text = work_.texts[index];
    const std::size_t related = related_around(text.part);
    std::vector<Replacement> replacements;
    for (const html::ElementEdit& edit : text.edits)
      replacements.push_back({edit.range, edit.replacement, nullptr});
    for (const html::Range& range : text.scan.removals) replacements.push_back({range, {}, nullptr});
    for (const Finding& finding : work_.findings) {
      if (finding.html != index || finding.picture == Finding::kNone || finding.decision == Decision::keep)
        continue;
      const html::Reference& reference = text.scan.references[finding.reference];
      const std::size_t container = related == mail::Part::kNone ? text.part : related;
      const std::string& id = content_id(container, finding.picture);
      const auto svg = text.svgs.find(finding.reference);
      std::string written = svg == text.svgs.end() ? html::replacement(reference, "cid:" + id)
                                                   : html::img_element(reference, "cid:" + id, svg->second);
      if (svg != text.svgs.end() && finding.decision == Decision::placeholder)
        written = html::with_alt(written, finding.reason);
      replacements.push_back({reference.range, std::move(written), &reference});
    }
    mail::EditList edits;
    if (!text.recoded && is_plain(tree_[text.part].encoding))
      keep_lines_short(text.text, eol_, replacements, edits);
    for (Replacement& replacement : replacements)
      edits.replace(replacement.range.begin, replacement.range.end, std::move(replacement.text));
    if (edits.empty()) return Done{};
    Result<std::string> changed = edits.apply(text.text);
    if (!changed) return changed.error();
    write_text(text, edits, *changed);
    out_.new_text[text.part] = std::move(*changed);
    return Done{};
  }

  // Brings edits of the decoded text into the encoded body, line by line where the encoding allows.
  void write_text(const HtmlText& text, const mail::EditList& edits, std::string_view changed) {
    const mail::Part& part = tree_[text.part];
    const std::size_t base = part.body.begin;
    if (text.recoded) return write_recoded(part, text.part, changed);
    if (part.encoding == mail::Encoding::base64) {
      std::string encoded;
      base64::encode_lines(changed, eol_, encoded);
      // The last line end is there only if it was: in a multipart it belongs to the boundary.
      const std::string_view body = std::string_view(message_.bytes()).substr(base, part.body.size());
      if (!body.ends_with('\n') && encoded.size() >= eol_.size())
        encoded.resize(encoded.size() - eol_.size());
      out_.body_edits.replace(base, part.body.end, std::move(encoded));
      return;
    }
    if (part.encoding == mail::Encoding::quoted_printable) {
      write_quoted_printable(*text.mapped, part, edits);
      return;
    }
    for (const mail::Edit& edit : edits.edits())
      out_.body_edits.replace(base + edit.begin, base + edit.end, edit.replacement);
  }

  // A text that is UTF-8 now: another charset in its Content-Type, and an encoding that carries 8 bits.
  void write_recoded(const mail::Part& part, std::size_t index, std::string_view changed) {
    const bool base64 = part.encoding == mail::Encoding::base64;
    mail::Parameters parameters;
    for (const auto& [key, value] : part.parameters)
      parameters.emplace_back(key, key == "charset" ? "utf-8" : value);
    Assembly::Recoded recoded{" " + mail::structured_value(part.type, parameters, 14),
                              base64 ? " base64" : " quoted-printable"};
    std::string encoded;
    if (base64)
      base64::encode_lines(changed, eol_, encoded);
    else
      quoted_printable::encode_text(changed, eol_, encoded);
    const std::string_view body =
        std::string_view(message_.bytes()).substr(part.body.begin, part.body.size());
    if (base64 && !body.ends_with('\n') && !encoded.empty()) encoded.resize(encoded.size() - eol_.size());
    out_.body_edits.replace(part.body.begin, part.body.end, std::move(encoded));
    if (part.parent != mail::Part::kNone) {
      for (const mail::HeaderField& field : part.fields)
        if (const std::string* value = recoded_value(recoded, field))
          out_.body_edits.replace(field.begin, field.end, mail::field(field.name, *value, eol_));
      if (!has_field(part, "Content-Transfer-Encoding"))
        out_.body_edits.insert(part.header.end,
                               mail::field("Content-Transfer-Encoding", recoded.encoding, eol_));
    }
    out_.recoded[index] = std::move(recoded);
  }

  // The root keeps its fields where nothing was put round it.
  void recode_root(const mail::Part& part, const Assembly::Recoded& recoded) {
    for (const mail::HeaderField& field : part.fields)
      if (const std::string* value = recoded_value(recoded, field)) fields_.replace(field.name, *value);
    if (!has_field(part, "Content-Transfer-Encoding"))
      fields_.append("Content-Transfer-Encoding", recoded.encoding);
  }

  static const std::string* recoded_value(const Assembly::Recoded& recoded, const mail::HeaderField& field) {
    if (ascii::iequals(field.name, "Content-Type")) return &recoded.content_type;
    if (ascii::iequals(field.name, "Content-Transfer-Encoding")) return &recoded.encoding;
    return nullptr;
  }

  // Only the lines at the edits change; soft breaks keep them within 76 characters.
  void write_quoted_printable(const quoted_printable::Mapped& mapped, const mail::Part& part,
                              const mail::EditList& edits) {
    const std::string_view body =
        std::string_view(message_.bytes()).substr(part.body.begin, part.body.size());
    std::vector<const mail::Edit*> sorted;
    for (const mail::Edit& edit : edits.edits()) sorted.push_back(&edit);
    std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->begin < b->begin; });
    std::size_t done = 0;         // end of the edit before, in the encoded body
    std::size_t done_column = 0;  // where it left the line
    for (const mail::Edit* edit : sorted) {
      const std::size_t begin = mapped.encoded_offset(edit->begin);
      const std::size_t end = std::max(begin, mapped.encoded_end(edit->end));
      const std::size_t line = begin == 0 ? 0 : body.rfind('\n', begin - 1) + 1;  // npos + 1 is 0
      const std::size_t column = line >= done ? begin - line : done_column + (begin - done);
      std::string encoded;
      done_column = quoted_printable::encode_run(edit->replacement, eol_, column, encoded);
      const std::size_t rest = std::min(body.find(eol_, end), body.size()) - end;
      if (rest > 0 && done_column + rest > quoted_printable::kLineLimit) {
        encoded.append("=").append(eol_);
        done_column = 0;
      }
      out_.body_edits.replace(part.body.begin + begin, part.body.begin + end, std::move(encoded));
      done = end;
    }
  }

  // Puts the new image parts of a container where they belong.
  void place_new_parts(std::size_t container, const std::vector<NewPart>& parts) {
    const mail::Part& part = tree_[container];
    if (part.is_multipart()) {
      std::string text;
      text.reserve(room_for(parts));
      for (const NewPart& new_part : parts)
        write_part(new_part, text.append("--").append(part.boundary).append(eol_));
      out_.body_edits.insert(part.delimiters.back().begin, std::move(text));
      return;
    }
    std::vector<std::string> ids;
    for (const NewPart& new_part : parts) ids.push_back(new_part.content_id);
    const std::string boundary = mail::fresh_boundary(message_, out_.wrapped.size(), ids);
    out_.wrapped[container] = boundary;
    std::string tail;
    tail.reserve(room_for(parts));
    tail.append(eol_);
    for (const NewPart& new_part : parts)
      write_part(new_part, tail.append("--").append(boundary).append(eol_));
    tail.append("--").append(boundary).append("--");
    const std::string open = "--" + boundary + std::string(eol_);
    const std::string type =
        mail::structured_value("multipart/related", {{"type", "text/html"}, {"boundary", boundary}}, 14);
    if (part.parent == mail::Part::kNone) {
      const auto recoded = out_.recoded.find(container);
      wrap_root(part, type, open, recoded == out_.recoded.end() ? nullptr : &recoded->second);
      tail.append(eol_);
      out_.body_edits.insert(part.body.end, std::move(tail));
      return;
    }
    out_.body_edits.insert(part.header.begin,
                           mail::field("Content-Type", " " + type, eol_) + std::string(eol_) + open);
    out_.body_edits.insert(part.body.end, std::move(tail));
  }

  // The message's own Content- fields describe the HTML: they move into its part.
  void wrap_root(const mail::Part& part, const std::string& type, const std::string& open,
                 const Assembly::Recoded* recoded) {
    std::string moved;
    for (const mail::HeaderField& field : part.fields) {
      if (!is_content_field(field)) continue;
      const std::string* value = recoded == nullptr ? nullptr : recoded_value(*recoded, field);
      if (value != nullptr)
        moved.append(mail::field(field.name, *value, eol_));
      else
        moved.append(message_.bytes(), field.begin, field.end - field.begin);
      const std::string name(field.name);
      if (ascii::iequals(name, "Content-Type")) {
        fields_.replace(name, " " + type);
      } else if (recoded == nullptr && ascii::iequals(name, "Content-Transfer-Encoding") &&
                 (part.encoding == mail::Encoding::eight_bit || part.encoding == mail::Encoding::binary)) {
        continue;  // RFC 2045 section 6.4: the multipart says 8bit when a part of it is
      } else {
        fields_.remove(field);
      }
    }
    if (recoded != nullptr && !has_field(part, "Content-Transfer-Encoding"))
      moved.append(mail::field("Content-Transfer-Encoding", recoded->encoding, eol_));
    fields_.finish();
    out_.body_edits.insert(part.body.begin, open + moved + std::string(eol_));
  }

  // Enough for the parts with their boundary lines, so that what is large is not moved on the way.
  std::size_t room_for(const std::vector<NewPart>& parts) const {
    constexpr std::size_t kHeader = 1000;
    std::size_t bytes = kHeader;
    for (const NewPart& part : parts) bytes += work_.pictures[part.picture].size() / 2 * 3 + kHeader;
    return bytes;
  }

  void write_part(const NewPart& part, std::string& out) const {
    const Picture& picture = work_.pictures[part.picture];
    out += mail::image_part_header({image::media_type(picture.result.format), picture.name, part.content_id},
                                   eol_);
    picture.append_lines(eol_, out);
  }

  const Work& work_;
  const mail::Message& message_;
  const mail::MimeTree& tree_;
  std::string_view eol_;
  std::set<std::string> taken_ids_;
  Assembly out_;
  MessageFields fields_;
};

}  // namespace

Result<Assembly> assemble(const Work& work) { return Assembler(work).run(); }

}  // namespace pixmilter::core
