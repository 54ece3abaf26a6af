#include "source/downloads.h"

#include <algorithm>
#include <new>

#include "base/socket.h"

namespace pixmilter::source {
namespace {

// Connections to one host and port at once, as browsers have them.
constexpr std::size_t kPerPlace = 6;
constexpr Milliseconds kLongestWait{60'000};

}  // namespace

struct Downloads::One {
  One(std::uint64_t with_number, const DownloadRules& rules, FetchRequest request, Deadline with_deadline,
      Done with_done)
      : number(with_number),
        download(rules, std::move(request)),
        deadline(with_deadline),
        done(std::move(with_done)) {}
  std::uint64_t number;
  Download download;
  Deadline deadline;  // of whoever waits; from the start on of the download as well
  Done done;
  bool started = false;
  bool active = false;  // in libcurl's hands
};

Downloads::Downloads(const DownloadRules& rules) : rules_(rules), multi_(rules.curl.multi_init()) {
  if (multi_ == nullptr) throw std::bad_alloc();
  rules_.curl.multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(rules.fetch.max_concurrent));
  rules_.curl.multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
}

Downloads::~Downloads() {
  for (const auto& one : all_)
    if (one->active) rules_.curl.multi_remove_handle(multi_, one->download.handle());
  all_.clear();
  rules_.curl.multi_cleanup(multi_);
}

std::uint64_t Downloads::add(FetchRequest request, Deadline deadline, Done done) {
  all_.push_back(std::make_unique<One>(++last_, rules_, std::move(request), deadline, std::move(done)));
  return last_;
}

void Downloads::cancel(std::uint64_t number) {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [number](const auto& one) { return one->number == number; });
  if (found == all_.end()) return;
  if ((*found)->active) stop(**found);
  all_.erase(found);
}

void Downloads::end(std::uint64_t number) {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [number](const auto& one) { return one->number == number; });
  if (found == all_.end()) return;
  const std::unique_ptr<One> one = std::move(*found);
  all_.erase(found);
  one->done(one->download.take_response());
}

// Takes it out of libcurl's hands.
void Downloads::stop(One& one) {
  rules_.curl.multi_remove_handle(multi_, one.download.handle());
  one.active = false;
  --active_;
  const auto place = active_at_.find(one.download.place());
  if (--place->second == 0) active_at_.erase(place);
}

void Downloads::start(One& one) {
  if (!one.started) {
    one.started = true;
    one.deadline = earlier(one.deadline, Deadline::after(rules_.fetch.timeout));
  }
  if (const Status ready = one.download.prepare(one.deadline); !ready)
    return one.download.fail(FetchStatus::missing, ready.error().text);
  if (rules_.curl.multi_add_handle(multi_, one.download.handle()) != CURLM_OK)
    return one.download.fail(FetchStatus::internal, "libcurl takes no more");
  one.active = true;
  ++active_;
  ++active_at_[one.download.place()];
}

void Downloads::start_what_may_start() {
  std::vector<std::uint64_t> over;
  for (const auto& one : all_) {
    if (one->active) continue;
    if (one->deadline.passed()) {
      one->download.fail(FetchStatus::timeout, "no complete answer in time");
    } else {
      if (active_ >= rules_.fetch.max_concurrent) continue;
      const auto there = active_at_.find(one->download.place());
      if (there != active_at_.end() && there->second >= kPerPlace) continue;
      start(*one);
    }
    if (!one->active) over.push_back(one->number);
  }
  for (const std::uint64_t number : over) end(number);
}

void Downloads::wait(std::vector<pollfd>& others) {
  Deadline next = Deadline::after(kLongestWait);
  for (const auto& one : all_) next = earlier(next, one->deadline);
  std::vector<curl_waitfd> watched;
  for (const pollfd& other : others) watched.push_back({other.fd, CURL_WAIT_POLLIN, 0});
  int ready = 0;
  rules_.curl.multi_poll(multi_, watched.data(), static_cast<unsigned>(watched.size()),
                         poll_milliseconds(next), &ready);
  // Libcurl does not say of an end that it is one: reading does.
  for (pollfd& other : others) other.events = POLLIN;
  for (pollfd& other : others) other.revents = 0;
  if (!others.empty()) ::poll(others.data(), others.size(), 0);
}

void Downloads::turn() {
  start_what_may_start();
  int running = 0;
  rules_.curl.multi_perform(multi_, &running);
  std::vector<std::uint64_t> over;
  int left = 0;
  while (const CURLMsg* message = rules_.curl.multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const handle = message->easy_handle;
    const CURLcode code = message->data.result;
    const auto found = std::find_if(all_.begin(), all_.end(), [handle](const auto& one) {
      return one->active && one->download.handle() == handle;
    });
    if (found == all_.end()) continue;
    One& one = **found;
    stop(one);  // the message goes with it
    // Where it leads on, it keeps its place in the row and is started again with the others.
    if (!one.download.follow(code)) over.push_back(one.number);
  }
  for (const std::uint64_t number : over) end(number);
  start_what_may_start();
}

}  // namespace pixmilter::source
