// What becomes of a message/external-body whose picture is there: an attachment like any other.
//
// RFC 2046 section 5.2.3 gives the part two headers: its own says where the bytes are, the one in its body
// says what they are. The second is the header of the new part; of the first stays what is not about the
// content, and what the second is silent about.
#pragma once

#include <string>
#include <vector>

#include "core/assemble.h"
#include "core/content_fields.h"
#include "core/work.h"
#include "mail/external_body.h"

namespace pixmilter::core {

// Which of the two headers says how the new part is to be shown, and under which names.
const mail::Part& disposition_part(const mail::ExternalBody& external, const mail::Part& outer);
const std::string& content_id_of(const mail::ExternalBody& external, const mail::Part& outer);
const std::string& description_of(const mail::ExternalBody& external, const mail::Part& outer);
// The file name that they give; empty where they give none.
std::string file_name_of(const mail::ExternalBody& external, const mail::Part& outer);

// The fields about the content of the part that the finding's picture becomes.
std::vector<ContentField> external_fields(const Work& work, const Finding& finding);

// Adds the edits that put the finding's picture in the place of its part.
void replace_external(const Work& work, const Finding& finding, Assembly& out);

}  // namespace pixmilter::core
