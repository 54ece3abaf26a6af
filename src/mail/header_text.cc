#include "mail/header_text.h"

#include <gmime/gmime.h>

#include <memory>

#include "base/ascii.h"

namespace pixmilter::mail {
namespace {

void collect(InternetAddressList* list, std::vector<std::string>& out, int depth) {
  const int count = list == nullptr ? 0 : internet_address_list_length(list);
  for (int i = 0; i < count; ++i) {
    InternetAddress* address = internet_address_list_get_address(list, i);
    if (INTERNET_ADDRESS_IS_MAILBOX(address)) {
      if (const char* text = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address)))
        out.emplace_back(text);
    } else if (INTERNET_ADDRESS_IS_GROUP(address) && depth < 2) {
      collect(internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)), out, depth + 1);
    }
  }
}

}  // namespace

std::vector<std::string> addresses(std::string_view raw_value) {
  std::vector<std::string> out;
  const std::string text(raw_value);
  struct Unref {
    void operator()(InternetAddressList* list) const { g_object_unref(list); }
  };
  const std::unique_ptr<InternetAddressList, Unref> list(internet_address_list_parse(nullptr, text.c_str()));
  collect(list.get(), out, 0);
  return out;
}

std::string unstructured(std::string_view raw_value) {
  std::string unfolded;
  for (const char c : ascii::trim(raw_value))
    if (c != '\r' && c != '\n') unfolded.push_back(c);
  struct Free {
    void operator()(char* text) const { g_free(text); }
  };
  const std::unique_ptr<char, Free> decoded(g_mime_utils_header_decode_text(nullptr, unfolded.c_str()));
  return decoded ? std::string(decoded.get()) : unfolded;
}

std::optional<std::int64_t> date(std::string_view raw_value) {
  struct Unref {
    void operator()(GDateTime* time) const { g_date_time_unref(time); }
  };
  const std::unique_ptr<GDateTime, Unref> time(
      g_mime_utils_header_decode_date(std::string(raw_value).c_str()));
  if (!time) return std::nullopt;
  return g_date_time_to_unix(time.get());
}

}  // namespace pixmilter::mail
