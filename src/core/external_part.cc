#include "core/external_part.h"

#include <algorithm>

#include "base/ascii.h"
#include "image/format.h"
#include "mail/part_writer.h"

namespace pixmilter::core {
namespace {

bool is_content_field(const mail::HeaderField& field) { return ascii::istarts_with(field.name, "Content-"); }

bool among(const std::vector<ContentField>& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const ContentField& field) { return ascii::iequals(field.first, name); });
}

// Of other bytes than the picture's.
bool of_old_bytes(std::string_view name) {
  return ascii::iequals(name, "Content-MD5") || ascii::iequals(name, "Content-Length");
}

std::string disposition(const mail::Part& says, const Finding& finding) {
  mail::Parameters parameters;
  bool named = false;
  for (const auto& [key, value] : says.disposition_parameters) {
    if (key == "size") continue;
    named = named || key == "filename";
    parameters.emplace_back(key, key == "filename" ? finding.new_name : value);
  }
  if (!named) parameters.emplace_back("filename", finding.new_name);
  const std::string_view kind = !says.disposition.empty() ? std::string_view(says.disposition)
                                : finding.attachment      ? "attachment"
                                                          : "inline";
  return mail::structured_value(kind, parameters, 21);
}

// Which of the fields of its name a field of the message is, from 1.
int occurrence(const mail::Message& message, const mail::HeaderField& wanted) {
  int index = 0;
  for (const mail::HeaderField& field : message.fields()) {
    if (ascii::iequals(field.name, wanted.name)) ++index;
    if (field.begin == wanted.begin) break;
  }
  return index;
}

// The part is the message: its fields are the message's, and change one by one.
void change_root(const Work& work, const std::vector<ContentField>& fields, Assembly& out) {
  using Kind = mail::HeaderChange::Kind;
  const auto unfolded_eol = [](const std::string& value) {
    std::string lf = value;
    lf.erase(std::remove(lf.begin(), lf.end(), '\r'), lf.end());
    return lf;
  };
  std::vector<mail::HeaderChange> removals;
  for (const mail::HeaderField& field : work.tree[0].fields) {
    const std::string name(field.name);
    const int index = occurrence(work.message, field);
    if (of_old_bytes(name) || (among(fields, name) && index > 1))
      removals.push_back({Kind::remove, name, index, {}});
  }
  for (const auto& [name, value] : fields) {
    const bool there = work.message.count(name) > 0;
    out.header_changes.push_back(
        {there ? Kind::replace : Kind::append, name, there ? 1 : 0, unfolded_eol(value)});
  }
  // From the last to the first, so that an index never moves under the next removal.
  out.header_changes.insert(out.header_changes.end(), removals.rbegin(), removals.rend());
  if (work.message.count("MIME-Version") == 0)
    out.header_changes.push_back({Kind::append, "MIME-Version", 0, " 1.0"});
}

// All new fields stand where the Content-Type was.
void change_part(const mail::Part& part, const std::vector<ContentField>& fields, std::string_view eol,
                 Assembly& out) {
  std::string header;
  for (const auto& [name, value] : fields) header += mail::field(name, value, eol);
  for (const mail::HeaderField& field : part.fields) {
    if (ascii::iequals(field.name, "Content-Type"))
      out.body_edits.replace(field.begin, field.end, header);
    else if (of_old_bytes(field.name) || among(fields, field.name))
      out.body_edits.remove(field.begin, field.end);
  }
}

}  // namespace

const mail::Part& disposition_part(const mail::ExternalBody& external, const mail::Part& outer) {
  return external.inner.disposition.empty() ? outer : external.inner;
}

const std::string& content_id_of(const mail::ExternalBody& external, const mail::Part& outer) {
  return external.inner.content_id.empty() ? outer.content_id : external.inner.content_id;
}

const std::string& description_of(const mail::ExternalBody& external, const mail::Part& outer) {
  return external.inner.description.empty() ? outer.description : external.inner.description;
}

std::vector<ContentField> external_fields(const Work& work, const Finding& finding) {
  const mail::ExternalBody& external = work.externals.at(finding.part);
  const Picture& picture = work.pictures[finding.picture];
  std::vector<ContentField> fields;
  fields.emplace_back("Content-Type", " " + mail::structured_value(image::media_type(picture.result.format),
                                                                   {{"name", finding.new_name}}, 14));
  fields.emplace_back("Content-Transfer-Encoding", " base64");
  fields.emplace_back("Content-Disposition",
                      " " + disposition(disposition_part(external, work.tree[finding.part]), finding));
  for (const mail::HeaderField& field : external.inner.fields)
    if (is_content_field(field) && !of_old_bytes(field.name) && !among(fields, field.name))
      fields.emplace_back(field.name, field.raw_value);
  return fields;
}

void replace_external(const Work& work, const Finding& finding, Assembly& out) {
  const mail::Part& part = work.tree[finding.part];
  const std::string_view eol = work.message.eol();
  const std::vector<ContentField> fields = external_fields(work, finding);
  const bool root = part.parent == mail::Part::kNone;
  if (root)
    change_root(work, fields, out);
  else
    change_part(part, fields, eol, out);
  std::string encoded;
  work.pictures[finding.picture].append_lines(eol, encoded);
  // The last line end is there only if it was: in a multipart it belongs to the boundary.
  const std::string_view body =
      std::string_view(work.message.bytes()).substr(part.body.begin, part.body.size());
  if (!root && !body.ends_with('\n') && !encoded.empty()) encoded.resize(encoded.size() - eol.size());
  out.body_edits.replace(part.body.begin, part.body.end, std::move(encoded));
  out.replaced[finding.part] = finding.picture;
}

}  // namespace pixmilter::core
