#include "source/caching_fetcher.h"

#include <chrono>
#include <string>
#include <utility>

#include "source/freshness.h"

namespace pixmilter::source {
namespace {

using std::chrono::seconds;
using ResponsePtr = std::shared_ptr<const FetchResponse>;

constexpr std::uint64_t kOverhead = 128;  // control blocks, and what malloc adds to each string

// What is known of a URL.
struct Known {
  ResponsePtr response;  // ok; nothing: what came last was not to be kept
  Clock::time_point fresh_until;
  // When it came it could be used without asking. Where that is not so, nobody waits for another's request:
  // he would ask himself afterwards all the same.
  bool lasts = false;

  std::uint64_t footprint() const {
    std::uint64_t bytes = sizeof *this + kOverhead;
    if (!response) return bytes;
    const Freshness& f = response->freshness;
    for (const std::string* text :
         {&response->bytes, &response->content_type, &response->reason, &f.cache_control, &f.expires, &f.date,
          &f.age, &f.etag, &f.last_modified, &f.vary})
      bytes += text->capacity();
    return bytes + sizeof *response;
  }
};
using KnownPtr = std::shared_ptr<const Known>;

std::int64_t wall_clock() {
  return std::chrono::duration_cast<seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Of a response that is ok. asked: before its request was sent.
KnownPtr known_from(ResponsePtr response, Clock::time_point asked) {
  const Freshness& freshness = response->freshness;
  const Clock::time_point now = Clock::now();
  const Lifetime lifetime =
      lifetime_of(freshness, response->personal, wall_clock(), std::chrono::ceil<seconds>(now - asked));
  auto known = std::make_shared<Known>();
  const bool can_be_confirmed = !freshness.etag.empty() || !freshness.last_modified.empty();
  if (!lifetime.storable || response->redirected || (lifetime.fresh == seconds(0) && !can_be_confirmed))
    return known;
  known->response = std::move(response);
  known->fresh_until = now + lifetime.fresh;
  known->lasts = lifetime.fresh > seconds(0);
  return known;
}

// The same thing, whether the server calls it strong or weak (RFC 9110, 8.8.3.2).
bool same_tag(std::string_view a, std::string_view b) {
  if (a.starts_with("W/")) a.remove_prefix(2);
  if (b.starts_with("W/")) b.remove_prefix(2);
  return a == b;
}

// What the server says with its confirmation replaces what it said before (RFC 9111, 3.2); when that was and
// how old it is are always said anew.
FetchResponse confirmed(FetchResponse response, const FetchResponse& answer) {
  const auto take = [](std::string& to, const std::string& from) {
    if (!from.empty()) to = from;
  };
  Freshness& to = response.freshness;
  take(to.cache_control, answer.freshness.cache_control);
  take(to.expires, answer.freshness.expires);
  take(to.etag, answer.freshness.etag);
  take(to.last_modified, answer.freshness.last_modified);
  take(to.vary, answer.freshness.vary);
  to.date = answer.freshness.date;
  to.age = answer.freshness.age;
  response.personal = response.personal || answer.personal;
  response.process = answer.process;
  return response;
}

}  // namespace

// One call of fetch().
class CachingFetcher::Round {
 public:
  Round(CachingFetcher& cache, std::span<const FetchRequest> requests, Deadline deadline)
      : cache_(cache), requests_(requests), deadline_(deadline), responses_(requests.size()) {}

  // Whoever waits is told, even when memory has run out here.
  ~Round() {
    for (Asked& asked : asks_) land(asked, nullptr);
  }
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  std::vector<FetchResponse> run() {
    for (std::size_t i = 0; i < requests_.size(); ++i) look(i);
    // All that this message leads is landed before it waits for another: nobody waits in a circle.
    ask();
    for (const Followed& followed : std::exchange(follows_, {})) follow(followed);
    again_ = false;
    ask();
    limit_total();
    return std::move(responses_);
  }

 private:
  using Flight = SingleFlight<Landing>::Flight;
  struct Asked {
    std::size_t index;  // of the request
    Digest key;
    KnownPtr stale;  // to be confirmed; nothing: there is none
    bool leads = false;
  };
  struct Followed {
    std::size_t index;
    Digest key;
    std::shared_ptr<Flight> flight;
  };

  void land(Asked& asked, Landing landing) {
    if (std::exchange(asked.leads, false)) cache_.flights_.land(asked.key, std::move(landing));
  }

  KnownPtr find(const Digest& key) const {
    auto known = std::static_pointer_cast<const Known>(cache_.memory_.get(key));
    return known && known->response && known->response->process != cache_.process_ ? nullptr : known;
  }

  // Whether it could be used as it is.
  bool use(const KnownPtr& known, std::size_t index) {
    if (!known || !known->response || known->fresh_until <= Clock::now()) return false;
    responses_[index] = *known->response;
    ++cache_.counters_.hits;
    return true;
  }

  void look(std::size_t index) {
    const Digest key = sha256(requests_[index].url);
    KnownPtr known = find(key);
    if (use(known, index)) return;
    if (known && !known->lasts) {
      asks_.push_back({index, key, std::move(known)});
      return;
    }
    auto [flight, leads] = cache_.flights_.join(key);
    if (!leads) {
      ++cache_.counters_.joins;
      follows_.push_back({index, key, std::move(flight)});
      return;
    }
    asks_.push_back({index, key, nullptr, true});
    // Somebody may have landed between our look and our joining.
    known = find(key);
    if (use(known, index)) {
      land(asks_.back(), known->response);
      asks_.pop_back();
    } else {
      asks_.back().stale = std::move(known);
    }
  }

  // Asks for all of asks_ at once.
  void ask() {
    if (asks_.empty()) return;
    std::vector<FetchRequest> questions;
    for (const Asked& asked : asks_) {
      questions.push_back({requests_[asked.index].url, {}, {}});
      if (!asked.stale || !asked.stale->response) continue;
      questions.back().if_none_match = asked.stale->response->freshness.etag;
      questions.back().if_modified_since = asked.stale->response->freshness.last_modified;
    }
    const Clock::time_point start = Clock::now();
    std::vector<FetchResponse> answers = cache_.fetcher_->fetch(questions, deadline_);
    answers.resize(asks_.size());
    std::vector<Asked> asked_again;
    for (std::size_t i = 0; i < asks_.size(); ++i)
      if (!take(asks_[i], std::move(answers[i]), start))
        asked_again.push_back({asks_[i].index, asks_[i].key, nullptr});
    asks_ = std::move(asked_again);
  }

  // False: it has to be asked for again, without conditions.
  bool take(Asked& asked, FetchResponse answer, Clock::time_point start) {
    for (std::uint32_t latest = cache_.process_;
         latest < answer.process && !cache_.process_.compare_exchange_weak(latest, answer.process);) {
    }
    if (answer.status == FetchStatus::not_modified) {
      const FetchResponse* kept = asked.stale ? asked.stale->response.get() : nullptr;
      const std::string& tag = answer.freshness.etag;
      if (kept == nullptr ||
          (!tag.empty() && !kept->freshness.etag.empty() && !same_tag(tag, kept->freshness.etag))) {
        // It confirms what it was not asked for.
        cache_.memory_.remove(asked.key);
        land(asked, nullptr);
        if (again_) return false;
        responses_[asked.index].status = FetchStatus::missing;
        responses_[asked.index].reason = "the server answers 304 to what it was not asked";
        return true;
      }
      ++cache_.counters_.revalidated;
      answer = confirmed(*kept, answer);
    } else {
      ++cache_.counters_.misses;
    }
    const auto response = std::make_shared<const FetchResponse>(std::move(answer));
    Landing landing;
    if (response->status == FetchStatus::ok) {
      const KnownPtr known = known_from(response, start);
      cache_.memory_.put(asked.key, known, known->footprint());
      if (known->lasts) landing = response;
    } else if (response->status == FetchStatus::missing) {
      // Whoever wants it now would hear the same. What is stale stays: its server may confirm it yet.
      landing = response;
    }
    responses_[asked.index] = *response;
    land(asked, std::move(landing));
    return true;
  }

  void follow(const Followed& followed) {
    const auto landing = cache_.flights_.wait(*followed.flight, deadline_);
    FetchResponse& response = responses_[followed.index];
    if (!landing) {
      response.status = FetchStatus::timeout;
      response.reason = "not in time: it is being fetched for another message";
    } else if (*landing) {
      response = **landing;
    } else {
      KnownPtr known = find(followed.key);
      if (!use(known, followed.index)) asks_.push_back({followed.index, followed.key, std::move(known)});
    }
  }

  // Those who fetch see to it for what they fetch.
  void limit_total() {
    std::uint64_t total = 0;
    for (FetchResponse& response : responses_) {
      if (response.bytes.size() <= cache_.max_total_ - total) {
        total += response.bytes.size();
        continue;
      }
      response = {};
      response.status = FetchStatus::limit;
      response.reason = "more than [fetch] max_total = " + std::to_string(cache_.max_total_);
    }
  }

  CachingFetcher& cache_;
  const std::span<const FetchRequest> requests_;
  const Deadline deadline_;
  std::vector<FetchResponse> responses_;
  std::vector<Asked> asks_;        // this message asks for them
  std::vector<Followed> follows_;  // another does
  bool again_ = true;              // there is time to ask once more
};

std::vector<FetchResponse> CachingFetcher::fetch(std::span<const FetchRequest> requests, Deadline deadline) {
  return Round(*this, requests, deadline).run();
}

}  // namespace pixmilter::source
