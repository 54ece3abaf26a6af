// data: URIs: what is read is what the fast path hands out, and errors are errors.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/base64.h"
#include "check.h"
#include "source/data_uri.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pixmilter;
  const std::string_view given(reinterpret_cast<const char*>(data), size);
  for (const std::string& url :
       {std::string(given), "data:" + std::string(given), "data:image/png;base64," + std::string(given)}) {
    const auto read = source::read_data_uri(url);
    const auto payload = source::clean_base64_payload(url);
    if (read) {
      FUZZ_CHECK(source::is_data_uri(url) && !read->bytes.empty());
      FUZZ_CHECK(read->bytes.size() <= url.size());
    } else {
      FUZZ_CHECK(!read.error().text.empty());
    }
    if (payload) {
      FUZZ_CHECK(read.ok() && payload->data() >= url.data() &&
                 payload->data() + payload->size() <= url.data() + url.size());
      std::string encoded;
      base64::encode(read->bytes, encoded);
      FUZZ_CHECK(encoded == *payload);
    }
  }
  return 0;
}
