#include "milter/metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

#include "image/job.h"

namespace pixmilter::milter {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

ClientMetric labelled(const Labels& labels) {
  ClientMetric metric;
  for (const auto& [name, value] : labels) {
    ClientMetric::Label label;
    label.name = name;
    label.value = value;
    metric.label.push_back(std::move(label));
  }
  return metric;
}

// One name with its values.
class Family {
 public:
  Family(std::string name, std::string help, MetricType type) {
    family_.name = std::move(name);
    family_.help = std::move(help);
    family_.type = type;
  }
  Family& add(const Labels& labels, double value) {
    ClientMetric metric = labelled(labels);
    if (family_.type == MetricType::Counter)
      metric.counter.value = value;
    else
      metric.gauge.value = value;
    family_.metric.push_back(std::move(metric));
    return *this;
  }
  Family& add(const Histogram& histogram) {
    ClientMetric metric;
    for (std::size_t i = 0; i <= Histogram::kBounds.size(); ++i) {
      metric.histogram.sample_count += histogram.count(i);
      ClientMetric::Bucket bucket;
      bucket.cumulative_count = metric.histogram.sample_count;
      bucket.upper_bound =
          i < Histogram::kBounds.size() ? Histogram::kBounds[i] : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back(bucket);
    }
    metric.histogram.sample_sum = histogram.seconds();
    family_.metric.push_back(std::move(metric));
    return *this;
  }
  MetricFamily take() { return std::move(family_); }

 private:
  MetricFamily family_;
};

Family counter(std::string name, std::string help) {
  return {"pixmilter_" + std::move(name), std::move(help), MetricType::Counter};
}
Family gauge(std::string name, std::string help) {
  return {"pixmilter_" + std::move(name), std::move(help), MetricType::Gauge};
}
Family histogram(std::string name, std::string help) {
  return {"pixmilter_" + std::move(name), std::move(help), MetricType::Histogram};
}

double number(const std::atomic<std::uint64_t>& count) { return static_cast<double>(count.load()); }

void add_tally(const Tally& tally, std::vector<MetricFamily>& out) {
  Family messages = counter("messages_total", "Messages by what became of them and the rule that spoke");
  // Seen from the start, so that the first one shows as an increase.
  const Tally::Messages counted = tally.messages();
  for (const char* word : {"rewritten", "untouched", "failed"})
    if (!counted.contains({word, "defaults"})) messages.add({{"outcome", word}, {"rule", "defaults"}}, 0);
  for (const auto& [key, count] : counted)
    messages.add({{"outcome", key.first}, {"rule", key.second}}, static_cast<double>(count));
  out.push_back(messages.take());

  Family images =
      counter("images_total", "Pictures by where they came from, what they were and what was done");
  const Tally::Pictures pictures = tally.pictures();
  if (pictures.empty()) images.add({{"source", "data"}, {"type", "png"}, {"outcome", "embed"}}, 0);
  for (const auto& [key, count] : pictures)
    images.add({{"source", std::get<0>(key)}, {"type", std::get<1>(key)}, {"outcome", std::get<2>(key)}},
               static_cast<double>(count));
  out.push_back(images.take());

  out.push_back(counter("message_bytes_total", "Bytes of messages as they came and as they went")
                    .add({{"direction", "in"}}, static_cast<double>(tally.bytes_in()))
                    .add({{"direction", "out"}}, static_cast<double>(tally.bytes_out()))
                    .take());
  out.push_back(histogram("message_seconds", "Time that the MTA waited for the answer to a message")
                    .add(tally.time())
                    .take());
}

void add_workers(const worker::Statistics& workers, std::vector<MetricFamily>& out) {
  Family renders = counter("renders_total", "Pictures that went to render workers, by how that ended");
  for (std::size_t i = 0; i < workers.pictures.size(); ++i)
    renders.add({{"status", std::string(image::name(static_cast<image::Status>(i)))}},
                number(workers.pictures[i]));
  out.push_back(renders.take());
  out.push_back(counter("renders_hurried_total",
                        "Pictures encoded the fastest way because a message's deadline was near")
                    .add({}, number(workers.hurried))
                    .take());
  out.push_back(histogram("render_seconds", "Time a worker had a picture").add(workers.render).take());
  out.push_back(
      histogram("render_wait_seconds", "Time a picture waited for a worker").add(workers.wait).take());
  out.push_back(gauge("renders_waiting", "Pictures that wait for a worker now")
                    .add({}, static_cast<double>(workers.waiting))
                    .take());
  out.push_back(gauge("renders_running", "Pictures that workers have now")
                    .add({}, static_cast<double>(workers.at_work))
                    .take());
  out.push_back(counter("worker_starts_total", "Render workers that were started")
                    .add({}, number(workers.workers_started))
                    .take());
  Family ends = counter("worker_ends_total", "Render workers that ended, by cause");
  for (std::size_t i = 0; i < worker::kWorkerEnds; ++i)
    ends.add({{"cause", std::string(worker::name(static_cast<worker::WorkerEnd>(i)))}},
             number(workers.ends[i]));
  out.push_back(ends.take());
  out.push_back(counter("zygote_starts_total", "Times that the render program was started")
                    .add({}, number(workers.zygotes_started))
                    .take());
  out.push_back(gauge("workers_available", "1 while render workers can be had")
                    .add({}, workers.failing ? 0 : 1)
                    .take());
}

// Both caches, under names that they share. Redis is a tier of the first.
void add_caches(const source::CacheCounters& renders, const source::FetchCounters& fetches,
                std::vector<MetricFamily>& out) {
  const auto result = [](const char* tier, const char* name) {
    return Labels{{"tier", tier}, {"result", name}};
  };
  const auto both = [&](Family family, auto member) {
    out.push_back(family.add({{"tier", "memory"}}, number(renders.*member))
                      .add({{"tier", "fetched"}}, number(fetches.memory.*member))
                      .take());
  };
  out.push_back(counter("cache_lookups_total", "Looks into the caches, by tier and what was found")
                    .add(result("memory", "hit"), number(renders.hits))
                    .add(result("memory", "miss"), number(renders.misses))
                    .add(result("memory", "join"), number(renders.joins))
                    .add(result("redis", "hit"), number(renders.redis_hits))
                    .add(result("redis", "miss"), number(renders.redis_misses))
                    .add(result("redis", "rejected"), number(renders.redis_rejected))
                    .add(result("fetched", "hit"), number(fetches.hits))
                    .add(result("fetched", "revalidated"), number(fetches.revalidated))
                    .add(result("fetched", "miss"), number(fetches.misses))
                    .add(result("fetched", "join"), number(fetches.joins))
                    .take());
  both(counter("cache_evictions_total", "Entries that gave way to others"),
       &source::MemoryCounters::evictions);
  both(counter("cache_too_large_total", "Entries that found no room"), &source::MemoryCounters::too_large);
  both(gauge("cache_entries", "Entries in memory"), &source::MemoryCounters::entries);
  both(gauge("cache_bytes", "Memory that the entries take"), &source::MemoryCounters::bytes);
  out.push_back(counter("cache_redis_writes_total", "Entries written to Redis")
                    .add({}, number(renders.redis_writes))
                    .take());
  out.push_back(
      counter("cache_redis_failures_total", "Connections, commands and answers of Redis that failed")
          .add({}, number(renders.redis_failures))
          .take());
  out.push_back(counter("cache_redis_skipped_total",
                        "Reads and writes that were not tried: Redis is left alone, or they were too many")
                    .add({}, number(renders.redis_skipped))
                    .take());
}

void add_fetches(const source::FetchCounters& fetches, std::vector<MetricFamily>& out) {
  static constexpr std::array<const char*, source::kFetchStatuses> kNames = {
      "ok", "not_modified", "missing", "limit", "timeout", "internal"};
  Family responses = counter("fetches_total", "URLs that were asked for, by how that ended");
  for (std::size_t i = 0; i < kNames.size(); ++i)
    responses.add({{"status", kNames[i]}}, number(fetches.responses[i]));
  out.push_back(responses.take());
  out.push_back(counter("fetched_bytes_total", "Bytes of pictures that were fetched")
                    .add({}, number(fetches.bytes))
                    .take());
  out.push_back(
      histogram("fetch_seconds", "Time that asking for all URLs of a message took").add(fetches.time).take());
}

void add_standing(const Standing& standing, std::vector<MetricFamily>& out) {
  out.push_back(gauge("config_generation", "Configurations that came into force since the start")
                    .add({}, number(standing.generation))
                    .take());
  out.push_back(gauge("config_last_reload_successful", "0 when the last reload was refused")
                    .add({}, standing.last_reload_ok ? 1 : 0)
                    .take());
  out.push_back(gauge("config_in_force_timestamp_seconds", "Since when the configuration is in force")
                    .add({}, static_cast<double>(standing.in_force_since))
                    .take());
  out.push_back(counter("config_reloads_refused_total", "Reloads that were refused")
                    .add({}, number(standing.refused))
                    .take());
  out.push_back(counter("front_restarts_total", "Times that the process that speaks with MTAs died")
                    .add({}, number(standing.front_restarts))
                    .take());
  out.push_back(gauge("start_timestamp_seconds", "When pixmilter was started")
                    .add({}, static_cast<double>(standing.started))
                    .take());
}

}  // namespace

std::string metrics_text(const MetricSources& sources) {
  std::vector<MetricFamily> families;
  families.push_back(
      gauge("build_info", "1; the version is the label").add({{"version", PIXMILTER_VERSION}}, 1).take());
  if (sources.tally != nullptr) add_tally(*sources.tally, families);
  families.push_back(gauge("messages_in_hand", "Messages between MAIL and our answer now")
                         .add({}, static_cast<double>(sources.in_hand))
                         .take());
  if (sources.workers != nullptr) add_workers(*sources.workers, families);
  if (sources.cache != nullptr && sources.fetches != nullptr)
    add_caches(*sources.cache, *sources.fetches, families);
  if (sources.fetches != nullptr) add_fetches(*sources.fetches, families);
  if (sources.standing != nullptr) add_standing(*sources.standing, families);
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return text.str();
}

}  // namespace pixmilter::milter
