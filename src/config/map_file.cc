#include "config/map_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>

#include "base/ascii.h"
#include "base/log.h"
#include "config/glob_set.h"
#include "config/net.h"

namespace pixmilter::config {
namespace {

constexpr std::chrono::seconds kLookAgain{1};

// Most files hold names by the thousand; none of them need be read as an address.
bool looks_like_net(std::string_view value) {
  if (value.starts_with("ipv6:")) value.remove_prefix(5);
  return value.find_first_not_of("0123456789abcdef.:/[]") == std::string_view::npos;
}

}  // namespace

struct MapFile::Contents {
  GlobSet values;
  NetSet nets;  // of the lines that are addresses or blocks
  Line no_address;
  std::string problem;
  std::int64_t changed_ns = -1;  // modification time and size of what was read
  std::int64_t size = -1;
};

std::shared_ptr<MapFile> MapFile::open(const std::string& path) {
  // Shared by path for as long as somebody uses it: a thousand rules with one list hold it once.
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<MapFile>> open_files;
  const std::lock_guard lock(mutex);
  std::weak_ptr<MapFile>& known = open_files[path];
  if (std::shared_ptr<MapFile> file = known.lock()) return file;
  auto file = std::make_shared<MapFile>(path);
  known = file;
  return file;
}

MapFile::MapFile(std::string path)
    : path_(std::move(path)), look_again_(std::chrono::steady_clock::now() + kLookAgain) {
  std::string trouble;
  contents_ = read(path_, nullptr, trouble);
}

std::shared_ptr<const MapFile::Contents> MapFile::read(const std::string& path, const Contents* before,
                                                       std::string& trouble) {
  struct stat status {};
  const bool there = ::stat(path.c_str(), &status) == 0;
  const std::int64_t changed = there ? status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec : -1;
  if (before != nullptr && there && changed == before->changed_ns && status.st_size == before->size)
    return nullptr;
  auto contents = std::make_shared<Contents>();
  std::ifstream file(path);
  if (!there || S_ISDIR(status.st_mode) || !file) {
    trouble = path + ": " + std::strerror(there && S_ISDIR(status.st_mode) ? EISDIR : errno);
    if (before != nullptr && before->size >= 0) return nullptr;
    contents->problem = trouble;
    return contents;
  }
  contents->changed_ns = changed;
  contents->size = status.st_size;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const std::string value = ascii::to_lower(ascii::trim(std::string_view(line).substr(0, line.find('#'))));
    if (value.empty()) continue;
    contents->values.insert(value);
    if (const Result<Net> net = looks_like_net(value) ? Net::parse(value) : Error{}; net)
      contents->nets.insert(*net);
    else if (contents->no_address.number == 0 && value.find_first_of("*?") == std::string::npos)
      contents->no_address = {number, value};
  }
  return contents;
}

std::shared_ptr<const MapFile::Contents> MapFile::current() const {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now >= look_again_) {
    look_again_ = now + kLookAgain;
    std::string trouble;
    if (std::shared_ptr<const Contents> fresh = read(path_, contents_.get(), trouble))
      contents_ = std::move(fresh);
    const bool keeps = contents_->size >= 0 && !trouble.empty();
    if (keeps && !gone_) log::warning("map file " + trouble + "; what it held still counts");
    if (!keeps && gone_) log::notice("map file " + path_ + " can be read again");
    gone_ = keeps;
  }
  return contents_;
}

bool MapFile::contains(std::string_view lower) const { return current()->values.matches(lower); }

bool MapFile::contains_address(std::string_view address) const { return current()->nets.contains(address); }

MapFile::Line MapFile::no_address() const { return current()->no_address; }
std::string MapFile::problem() const { return current()->problem; }
std::size_t MapFile::size() const { return current()->values.size(); }

}  // namespace pixmilter::config
