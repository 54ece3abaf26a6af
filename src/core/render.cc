#include "core/render.h"

#include <string>
#include <utility>
#include <vector>

#include "core/picture_key.h"

namespace pixmilter::core {
namespace {

using image::Status;

std::vector<image::ImageResult> rendered(worker::Renderer& renderer, const std::vector<Picture*>& pictures,
                                         Deadline deadline) {
  std::vector<image::ImageJob> jobs;
  for (const Picture* picture : pictures) jobs.push_back(picture->job);
  return renderer.render(jobs, deadline);
}

// What concerns the picture itself would happen to everyone who waits for it; what concerns a worker, or the
// time that one message had left, would not.
bool shared_by_all(Status status) {
  switch (status) {
    case Status::ok:
    case Status::refused:
    case Status::limit:
      return true;
    case Status::timeout:
    case Status::crashed:
    case Status::violated:
      return false;
  }
  return false;
}

// One message's pictures through the cache: taken from it, made for everyone, or waited for.
class CachedRender {
 public:
  CachedRender(Work& work, const Services& services, const config::Settings& settings, Deadline deadline)
      : work_(work),
        renderer_(services.renderer),
        cache_(*services.cache),
        settings_(settings),
        deadline_(deadline) {}

  // Whoever waits for a picture is told, even when memory has run out here.
  ~CachedRender() {
    for (const Wanted& wanted : leads_) cache_.flights().land(wanted.key, {});
  }
  CachedRender(const CachedRender&) = delete;
  CachedRender& operator=(const CachedRender&) = delete;

  void run(const std::vector<Picture*>& pictures) {
    for (Picture* picture : pictures) {
      const Digest key = render_key(picture->job, *picture->source, settings_.render);
      if (source::CachedPicturePtr found = cache_.find(key))
        picture->take(std::move(found));
      else
        join({picture, key, nullptr}, true);
    }
    // All that this message leads is landed before it waits for another: nobody waits in a circle.
    while (!leads_.empty() || !follows_.empty()) {
      look_into_shared();
      render_leads();
      if (follows_.empty()) continue;
      Wanted next = std::move(follows_.back());
      follows_.pop_back();
      follow(std::move(next));
    }
  }

 private:
  using Flight = source::SingleFlight<source::Landing>::Flight;
  struct Wanted {
    Picture* picture;
    Digest key;
    std::shared_ptr<Flight> flight;
  };

  void join(Wanted wanted, bool counts) {
    auto [flight, leads] = cache_.flights().join(wanted.key);
    if (!leads) {
      wanted.flight = std::move(flight);
      if (counts) cache_.count_join();
      follows_.push_back(std::move(wanted));
      return;
    }
    leads_.push_back(std::move(wanted));
    // Somebody may have landed between our look and our joining.
    if (source::CachedPicturePtr found = cache_.find(leads_.back().key, false)) {
      cache_.flights().land(leads_.back().key, {found, Status::ok, {}});
      leads_.back().picture->take(std::move(found));
      leads_.pop_back();
    }
  }

  void look_into_shared() {
    std::vector<Digest> keys;
    for (const Wanted& wanted : leads_) keys.push_back(wanted.key);
    std::vector<source::CachedPicturePtr> found =
        cache_.find_shared(keys, settings_.render.max_pixels, work_.shared_cache_time, deadline_);
    std::vector<Wanted> left;
    for (std::size_t i = 0; i < leads_.size(); ++i) {
      if (!found[i]) {
        left.push_back(leads_[i]);
        continue;
      }
      cache_.flights().land(leads_[i].key, {found[i], Status::ok, {}});
      leads_[i].picture->take(std::move(found[i]));
    }
    leads_ = std::move(left);
  }

  void render_leads() {
    std::vector<Picture*> pictures;
    for (const Wanted& wanted : leads_) pictures.push_back(wanted.picture);
    if (pictures.empty()) return;
    std::vector<image::ImageResult> results = rendered(renderer_, pictures, deadline_);
    for (std::size_t i = 0; i < pictures.size() && i < results.size(); ++i)
      land(leads_[i], std::move(results[i]));
    leads_.clear();
  }

  void land(const Wanted& wanted, image::ImageResult result) {
    source::Landing landing{nullptr, result.status, result.reason, result.hurried};
    if (result.status == Status::ok) {
      landing.picture = source::cached_picture(result);
      if (!landing.picture) {
        landing.status = result.status = Status::violated;
        landing.reason = result.reason = "the picture's base64 does not decode to it";
        result.bytes.clear();
      }
    }
    if (landing.picture) {
      // Before it lands: who comes late finds it. Not one in haste: the next message may have the time.
      if (!landing.hurried) cache_.keep(wanted.key, landing.picture);
      wanted.picture->take(landing.picture);
      wanted.picture->result.hurried = landing.hurried;
    } else {
      wanted.picture->result = std::move(result);
    }
    cache_.flights().land(wanted.key, std::move(landing));
  }

  void follow(Wanted wanted) {
    const auto landing = cache_.flights().wait(*wanted.flight, deadline_);
    image::ImageResult& result = wanted.picture->result;
    if (!landing) {
      result.status = Status::timeout;
      result.reason = "not ready in time: it is being rendered for another message";
    } else if (landing->picture) {
      wanted.picture->take(landing->picture);
      result.hurried = landing->hurried;
    } else if (shared_by_all(landing->status) || deadline_.passed()) {
      result.status = landing->status;
      result.reason = landing->reason;
    } else {
      join({wanted.picture, wanted.key, nullptr}, false);
    }
  }

  Work& work_;
  worker::Renderer& renderer_;
  source::Cache& cache_;
  const config::Settings& settings_;
  const Deadline deadline_;
  std::vector<Wanted> leads_;    // this message makes them
  std::vector<Wanted> follows_;  // another is at it
};

}  // namespace

void render(Work& work, const Services& services, const config::Settings& settings, Deadline deadline) {
  std::vector<Picture*> pictures;
  for (Picture& picture : work.pictures)
    if (picture.needs_worker && !picture.ok() && picture.result.reason.empty()) pictures.push_back(&picture);
  if (pictures.empty()) return;
  if (services.cache != nullptr) return CachedRender(work, services, settings, deadline).run(pictures);
  std::vector<image::ImageResult> results = rendered(services.renderer, pictures, deadline);
  for (std::size_t i = 0; i < pictures.size() && i < results.size(); ++i)
    pictures[i]->result = std::move(results[i]);
}

}  // namespace pixmilter::core
