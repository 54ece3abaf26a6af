#include "core/external_part.h"

#include <algorithm>

#include "base/ascii.h"
#include "core/content_fields.h"
#include "mail/part_writer.h"

namespace pixmilter::core {
namespace {

bool among(const std::vector<ContentField>& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const ContentField& field) { return ascii::iequals(field.first, name); });
}

// The part is the message: its fields are the message's, and change one by one.
void change_root(const Work& work, const std::vector<ContentField>& fields, Assembly& out) {
  MessageFields changes(work.message, out.header_changes);
  std::vector<std::string_view> seen;
  for (const mail::HeaderField& field : work.tree[0].fields) {
    const bool again = std::any_of(seen.begin(), seen.end(),
                                   [&](std::string_view name) { return ascii::iequals(name, field.name); });
    seen.push_back(field.name);
    if (tells_of_old_bytes(field.name) || (among(fields, field.name) && again)) changes.remove(field);
  }
  for (const auto& [name, value] : fields) {
    std::string lines = value;
    lines.erase(std::remove(lines.begin(), lines.end(), '\r'), lines.end());
    if (work.message.count(name) > 0)
      changes.replace(name, std::move(lines));
    else
      changes.append(name, std::move(lines));
  }
  changes.finish();
}

// All new fields stand where the Content-Type was.
void change_part(const mail::Part& part, const std::vector<ContentField>& fields, std::string_view eol,
                 Assembly& out) {
  std::string header;
  for (const auto& [name, value] : fields) header += mail::field(name, value, eol);
  for (const mail::HeaderField& field : part.fields) {
    if (ascii::iequals(field.name, "Content-Type"))
      out.body_edits.replace(field.begin, field.end, header);
    else if (tells_of_old_bytes(field.name) || among(fields, field.name))
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

// The name= of the outer Content-Type is that of the file here, and no file name of the part's.
std::string file_name_of(const mail::ExternalBody& external, const mail::Part& outer) {
  if (!external.inner.filename.empty()) return external.inner.filename;
  for (const auto& [key, value] : disposition_part(external, outer).disposition_parameters)
    if (key == "filename") return value;
  return {};
}

std::vector<ContentField> external_fields(const Work& work, const Finding& finding) {
  const mail::ExternalBody& external = work.externals.at(finding.part);
  const Picture& picture = work.pictures[finding.picture];
  std::vector<ContentField> fields;
  const mail::Part& says = disposition_part(external, work.tree[finding.part]);
  const std::string_view disposition = !says.disposition.empty() ? std::string_view(says.disposition)
                                       : finding.attachment      ? "attachment"
                                                                 : "inline";
  fields.emplace_back("Content-Type", " " + type_value(picture, finding.new_name));
  fields.emplace_back("Content-Transfer-Encoding", " base64");
  fields.emplace_back("Content-Disposition",
                      " " + disposition_value(disposition, says.disposition_parameters, finding.new_name));
  for (const mail::HeaderField& field : external.inner.fields)
    if (is_content_field(field) && !tells_of_old_bytes(field.name) && !among(fields, field.name))
      fields.emplace_back(field.name, field.raw_value);
  return fields;
}

void replace_external(const Work& work, const Finding& finding, Assembly& out) {
  const mail::Part& part = work.tree[finding.part];
  const std::string_view eol = work.message.eol();
  const std::vector<ContentField> fields = external_fields(work, finding);
  if (part.parent == mail::Part::kNone)
    change_root(work, fields, out);
  else
    change_part(part, fields, eol, out);
  out.body_edits.replace(part.body.begin, part.body.end,
                         body_with(work.pictures[finding.picture], work.message, part));
  out.replaced[finding.part] = finding.picture;
}

}  // namespace pixmilter::core
