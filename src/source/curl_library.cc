#include "source/curl_library.h"

#include <dlfcn.h>

namespace pixmilter::source {
namespace {

constexpr char kFile[] = "libcurl.so.4";

class Loader {
 public:
  Loader() : library_(::dlopen(kFile, RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr) fail();
  }
  template <class Function>
  void find(const char* name, Function& function) {
    if (!error_.empty()) return;
    function = reinterpret_cast<Function>(::dlsym(library_, name));
    if (function == nullptr) fail();
  }
  const std::string& error() const { return error_; }

 private:
  void fail() {
    const char* why = ::dlerror();
    error_ = why != nullptr ? why : std::string(kFile) + " cannot be loaded";
  }
  void* library_;
  std::string error_;
};

}  // namespace

Result<CurlLibrary> load_curl() {
  CurlLibrary curl;
  Loader loader;
  loader.find("curl_global_init", curl.global_init);
  loader.find("curl_free", curl.free);
  loader.find("curl_easy_init", curl.easy_init);
  loader.find("curl_easy_cleanup", curl.easy_cleanup);
  loader.find("curl_easy_setopt", curl.easy_setopt);
  loader.find("curl_easy_getinfo", curl.easy_getinfo);
  loader.find("curl_easy_strerror", curl.easy_strerror);
  loader.find("curl_multi_init", curl.multi_init);
  loader.find("curl_multi_cleanup", curl.multi_cleanup);
  loader.find("curl_multi_setopt", curl.multi_setopt);
  loader.find("curl_multi_add_handle", curl.multi_add_handle);
  loader.find("curl_multi_remove_handle", curl.multi_remove_handle);
  loader.find("curl_multi_perform", curl.multi_perform);
  loader.find("curl_multi_info_read", curl.multi_info_read);
  loader.find("curl_multi_poll", curl.multi_poll);
  loader.find("curl_slist_append", curl.slist_append);
  loader.find("curl_slist_free_all", curl.slist_free_all);
  loader.find("curl_url", curl.url);
  loader.find("curl_url_cleanup", curl.url_cleanup);
  loader.find("curl_url_get", curl.url_get);
  loader.find("curl_url_set", curl.url_set);
  if (!loader.error().empty()) return Error{loader.error()};
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return Error{"libcurl does not start"};
  return curl;
}

}  // namespace pixmilter::source
