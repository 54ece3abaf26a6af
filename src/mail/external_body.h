// ExternalBody: a part that stands for bytes that lie elsewhere (message/external-body, RFC 2046
// section 5.2.3 and RFC 2017).
//
// Its Content-Type says where the bytes are; its body is the header of the part that they would be.
#pragma once

#include <string>

#include "base/result.h"
#include "mail/message.h"
#include "mail/mime_tree.h"

namespace pixmilter::mail {

struct ExternalBody {
  std::string access_type;  // lower case: "local-file", "url", "anon-ftp", ...
  std::string name;         // local-file: of the file, directory= before it where there is one
  std::string url;          // url: without the white space that RFC 2017 lets a writer fold it at
  std::string site;         // machines that have the file, as a domain name with *; empty: not said
  std::string expiration;   // as written; empty: never
  // The part that this stands for; its offsets and views are the message's. It has a header, and no body yet.
  Part inner;
};

// Errors: a parameter or header that two readers could take in two ways, an access type without its
// parameters.
Result<ExternalBody> read_external_body(const Message& message, const Part& part);

}  // namespace pixmilter::mail
