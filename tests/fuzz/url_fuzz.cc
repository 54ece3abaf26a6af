// URLs as messages write them: the normal form is its own normal form and holds nothing that anybody could
// read otherwise, and libcurl takes it apart into the same pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/url.h"
#include "check.h"
#include "source/curl_library.h"

namespace pixmilter {
namespace {

std::string part(const source::CurlLibrary& curl, CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl.url_get(url, which, &text, flags) != CURLUE_OK || text == nullptr) return {};
  std::string copy(text);
  curl.free(text);
  return copy;
}

void check(std::string_view text) {
  static const Result<source::CurlLibrary> library = source::load_curl();
  const Result<Url> url = parse_url(text);
  if (!url) return;
  const std::string normal = url->text();
  FUZZ_CHECK(normal.size() <= Url::kMaxSize);
  FUZZ_CHECK(
      std::all_of(normal.begin(), normal.end(), [](char c) { return c > ' ' && c <= '~' && c != '\\'; }));
  FUZZ_CHECK(normal.find_first_of("@#") == std::string::npos ||
             normal.find_first_of("@#") > normal.find('/', url->scheme.size() + 3));
  FUZZ_CHECK(normal.find('#') == std::string::npos);
  FUZZ_CHECK(url->port != 0 && url->path.starts_with('/'));
  FUZZ_CHECK((url->path + "/").find("/../") == std::string::npos);
  const Result<Url> again = parse_url(normal);
  FUZZ_CHECK(again && again->text() == normal && again->host == url->host && again->port == url->port);

  FUZZ_CHECK(library);
  const source::CurlLibrary& curl = *library;
  CURLU* const theirs = curl.url();
  if (curl.url_set(theirs, CURLUPART_URL, normal.c_str(), CURLU_PATH_AS_IS) == CURLUE_OK) {
    const std::string query = part(curl, theirs, CURLUPART_QUERY);
    FUZZ_CHECK(part(curl, theirs, CURLUPART_HOST) == url->host);
    FUZZ_CHECK(part(curl, theirs, CURLUPART_PORT, CURLU_DEFAULT_PORT) == std::to_string(url->port));
    FUZZ_CHECK(part(curl, theirs, CURLUPART_PATH) == url->path);
    FUZZ_CHECK((query.empty() ? "" : "?" + query) == url->query);
    FUZZ_CHECK(part(curl, theirs, CURLUPART_USER).empty());
  }
  curl.url_cleanup(theirs);
}

}  // namespace
}  // namespace pixmilter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  pixmilter::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
