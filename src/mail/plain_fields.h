// What a part's header says, read without GMime, where it is written so that no reader could take it
// otherwise.
#pragma once

#include "base/result.h"
#include "mail/mime_tree.h"

namespace pixmilter::mail {

// Fills in type, parameters, disposition, file name, Content-ID and description from part.fields. Parameters
// are as they are written: those of RFC 2231 are left out, and the disposition's are not read. Errors: a
// field that needs a reading of its own, such as one with an encoded word; it is not wrong for that.
Status read_plain_fields(Part& part);

}  // namespace pixmilter::mail
