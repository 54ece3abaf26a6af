#include "worker/call.h"

#include <poll.h>
#include <sys/random.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "base/log.h"
#include "base/memfd.h"
#include "worker/judge_answer.h"
#include "worker/wire.h"

namespace pixmilter::worker {

using image::Format;
using image::ImageJob;
using image::ImageResult;
using image::Status;

namespace {

// A job that meets this many dead workers in a row is given up.
constexpr std::uint8_t kMaxAttempts = 4;
constexpr Milliseconds kLookAgain{20};

}  // namespace

bool risky(Format format) {
  switch (format) {
    case Format::tiff:
    case Format::heif:
    case Format::avif:
    case Format::svg:
    case Format::jxl:
    case Format::jp2:
      return true;
    default:
      return false;
  }
}

Call::Call(const PoolOptions& options, Stock& stock, Refusals& refusals, Statistics& statistics,
           std::span<const ImageJob> jobs, Deadline deadline)
    : options_(options),
      stock_(stock),
      refusals_(refusals),
      statistics_(statistics),
      jobs_(jobs),
      deadline_(deadline),
      attempts_(jobs.size()),
      results_(jobs.size()) {}

Call::~Call() {
  stock_.leave(waiter_);
  // Only where run() was left by an exception.
  for (Running& running : running_) {
    running.worker->kill();
    stock_.discard(std::move(running.worker), false, std::nullopt);
  }
  publish(0, 0);
}

// What this call adds to the numbers of now.
void Call::publish(std::int64_t waiting, std::int64_t at_work) {
  statistics_.waiting += waiting - std::exchange(waiting_, waiting);
  statistics_.at_work += at_work - std::exchange(at_work_, at_work);
}

std::vector<ImageResult> Call::run() {
  admit();
  for (;;) {
    expire();
    take_workers();
    if (running_.empty() && !pending()) return std::move(results_);
    publish(static_cast<std::int64_t>(pending_[0].size() + pending_[1].size()),
            static_cast<std::int64_t>(running_.size()));
    wait();
  }
}

bool Call::pending() const {
  return std::any_of(pending_.begin(), pending_.end(), [](const auto& jobs) { return !jobs.empty(); });
}

// This job and those behind it.
Pace::Left Call::left(std::size_t job) const {
  Pace::Left left;
  left.add(jobs_[job].bytes.size());
  for (const auto& pending : pending_)
    for (const std::size_t other : pending) left.add(jobs_[other].bytes.size());
  return left;
}

std::size_t Call::at_work() const {
  return static_cast<std::size_t>(
      std::count_if(running_.begin(), running_.end(), [](const Running& r) { return r.worker != nullptr; }));
}

void Call::settle(std::size_t job, Status status, std::string reason) {
  results_[job].status = status;
  results_[job].reason = std::move(reason);
}

// Which jobs go to workers at all.
void Call::admit() {
  std::size_t admitted = 0;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    if (jobs_[i].bytes.empty())
      settle(i, Status::refused, "empty");
    else if (refusals_.refused(jobs_[i].bytes))
      settle(i, Status::refused, "this picture has ended several render workers");
    else
      pending_[index(wire::purpose_of(jobs_[i].format))].push_back(i), ++admitted;
  }
  if (admitted == 0 || stock_.has_room(admitted)) return;
  for (auto& pending : pending_) {
    for (const std::size_t job : pending) settle(job, Status::timeout, "too many pictures wait for a worker");
    pending.clear();
  }
}

void Call::take_workers() {
  const PurposeCounts wanted = to_do();
  if (wanted == PurposeCounts{}) return;
  bool again = false;
  for (auto& worker : stock_.ask(waiter_, wanted)) again = !begin(std::move(worker)) || again;
  for (std::size_t purpose = 0; purpose < wire::kPurposes; ++purpose) {
    const auto failure = stock_.failure(waiter_, static_cast<wire::Purpose>(purpose));
    if (!failure) continue;
    for (const std::size_t job : pending_[purpose]) settle(job, Status::crashed, *failure);
    pending_[purpose].clear();
  }
  // A worker that was dead has left its place to another; and who waits no more says so.
  if (again || wanted != to_do()) take_workers();
}

PurposeCounts Call::to_do() const {
  PurposeCounts counts;
  for (std::size_t purpose = 0; purpose < wire::kPurposes; ++purpose)
    counts[purpose] = pending_[purpose].size();
  return counts;
}

// Gives the worker the next job of its purpose; false if the worker turned out to be dead.
bool Call::begin(WorkerPtr worker) {
  auto& pending = pending_[index(worker->purpose)];
  while (!pending.empty()) {
    const std::size_t job = pending.front();
    pending.pop_front();
    Running running;
    running.job = job;
    // Nothing of this is the worker's fault.
    const bool copied = jobs_[job].memfd < 0 && jobs_[job].bytes.size() > wire::kMaxInline;
    const auto input = copied ? sealed_memfd(jobs_[job].bytes) : Result(UniqueFd());
    if (!input) {
      settle(job, Status::limit, input.error().text);
      continue;
    }
    running.hurried = pace_.hurries(Clock::now(), left(job), 1 + at_work());
    if (!send(*worker, jobs_[job], copied ? input->get() : jobs_[job].memfd, running)) {
      if (++attempts_[job] < kMaxAttempts)
        pending.push_front(job);
      else
        settle(job, Status::crashed, "every render worker was dead");
      worker->kill();
      stock_.discard(std::move(worker), true, std::nullopt);
      return false;
    }
    ++worker->jobs;
    if (risky(jobs_[job].format) && !worker->risky) {
      worker->risky = true;
      stock_.will_not_return(*worker);
    }
    running.worker = std::move(worker);
    running.began = Clock::now();
    statistics_.wait.add(running.began - began_);
    running.deadline = earlier(Deadline::after(options_.timeout), deadline_);
    running_.push_back(std::move(running));
    return true;
  }
  stock_.give_back(std::move(worker));
  return true;
}

// False when the worker cannot have it: it has gone, or it has spoken without being asked.
bool Call::send(WorkerProcess& worker, const ImageJob& job, int input, Running& running) {
  Packet unasked;
  if (receive_packet(worker.socket.get(), wire::kMaxMessage, false, unasked) != Transfer::again) return false;
  // Nothing that a worker has prepared may pass for the answer to a picture it has not seen.
  if (::getrandom(&running.number, sizeof running.number, 0) != sizeof running.number) return false;
  wire::Job message;
  message.number = running.number;
  if (input >= 0)
    message.input_size = job.bytes.size();
  else
    message.picture = job.bytes;
  message.job = job;
  message.job.hurried = running.hurried;
  const int fds[] = {input};
  const auto given = std::span(fds).first(input >= 0 ? 1 : 0);
  return send_packet(worker.socket.get(), wire::encode(message), given, false) == Transfer::done;
}

// Until a worker says something, one more is granted, or time is up.
void Call::wait() {
  std::vector<pollfd> polled;
  Deadline until = deadline_;
  for (const Running& running : running_) {
    polled.push_back({running.worker->socket.get(), POLLIN, 0});
    until = earlier(until, running.deadline);
  }
  // Without a descriptor to be woken by, it looks for itself.
  if (waiter_.wake_fd() < 0 && pending()) until = earlier(until, Deadline::after(kLookAgain));
  if (waiter_.wake_fd() >= 0) polled.push_back({waiter_.wake_fd(), POLLIN, 0});
  if (::poll(polled.data(), polled.size(), poll_milliseconds(until)) <= 0) return;
  // Hearing one may begin another job, which comes at the end.
  const std::size_t count = running_.size();
  for (std::size_t i = 0; i < count; ++i)
    if (polled[i].revents != 0) hear(running_[i]);
  std::erase_if(running_, [](const Running& running) { return !running.worker; });
}

void Call::hear(Running& running) {
  Packet packet;
  switch (receive_packet(running.worker->socket.get(), wire::kMaxWithPicture, false, packet)) {
    case Transfer::again:
      return;
    case Transfer::done:
      return accept(running, packet);
    case Transfer::closed:
      return lose(running, Status::crashed, "the render worker died", true);
    case Transfer::broken:
      return lose(running, Status::violated, "the render worker broke the protocol", true);
  }
}

void Call::accept(Running& running, const Packet& packet) {
  const image::Limits& limits = jobs_[running.job].limits;
  const Expected expected{running.number, running.output ? running.output_size : limits.max_output_bytes,
                          limits.max_pixels};
  std::function<Result<std::string>(std::uint64_t)> copy;
  if (running.output) copy = [&](std::uint64_t size) { return copy_memfd(running.output.get(), size); };
  auto judgement = judge_answer(packet.bytes, !packet.fds.empty(), expected, copy);
  if (judgement.result.status == Status::violated)
    return lose(running, Status::violated, judgement.result.reason, true);
  if (judgement.output_size == 0) return finish(running, std::move(judgement.result), judgement.retire);
  if (const auto given = give_output(running, judgement.output_size); !given) {
    // Nothing of this is the worker's fault.
    ImageResult result;
    result.status = Status::limit;
    result.reason = given.error().text;
    finish(running, std::move(result), judgement.retire);
  }
}

// The picture is too large for a packet: memory of its size, that the worker can write to.
pixmilter::Status Call::give_output(Running& running, std::uint64_t size) {
  auto output = fixed_memfd(size);
  if (!output) return output.error();
  running.output = std::move(*output);
  running.output_size = size;
  const int fds[] = {running.output.get()};
  // A worker that has died meanwhile, or does not read, is noticed as it always is.
  static_cast<void>(
      send_packet(running.worker->socket.get(), wire::encode(wire::Output{running.number}), fds, false));
  return Done{};
}

// The worker is done with its job.
void Call::finish(Running& running, ImageResult result, bool retire) {
  const Clock::duration took = Clock::now() - running.began;
  statistics_.render.add(took);
  if (running.hurried)
    ++statistics_.hurried;
  else
    pace_.took(took, jobs_[running.job].bytes.size());
  results_[running.job] = std::move(result);
  results_[running.job].hurried = running.hurried;
  WorkerPtr worker = std::move(running.worker);
  worker->retire = worker->retire || retire || worker->jobs >= options_.jobs_per_worker;
  next(std::move(worker));
}

// A worker that is done takes the next picture of this message, unless others wait for their turn. One
// that will serve no other message goes on here as long as the message has no second one.
void Call::next(WorkerPtr worker) {
  const bool more = !pending_[index(worker->purpose)].empty() && !worker->retire;
  const bool keep =
      more && ((worker->risky && at_work() == 0) || !stock_.others_wait(waiter_, worker->purpose));
  if (keep) {
    begin(std::move(worker));
    return;
  }
  if (worker->leaving || worker->retire)
    statistics_.ended(worker->leaving ? WorkerEnd::used : WorkerEnd::worn);
  stock_.give_back(std::move(worker));
}

// Ends the worker of a job. blame: the picture is held to be the cause.
void Call::lose(Running& running, Status status, const std::string& reason, bool blame) {
  const ImageJob& job = jobs_[running.job];
  const std::uint32_t pid = running.worker->pid;
  const bool died = status == Status::crashed;
  statistics_.ended(died                        ? WorkerEnd::crashed
                    : status == Status::timeout ? WorkerEnd::timeout
                                                : WorkerEnd::violated);
  running.worker->kill();
  const auto zygote = running.worker->zygote;
  const std::string how =
      stock_.discard(std::move(running.worker), blame, died ? std::optional(deadline_) : std::nullopt);
  const std::string text = died ? reason + ": " + how : reason;
  if (blame) {
    refusals_.note(job.bytes);
    log::warning("render worker " + std::to_string(pid) + " is replaced: " + text + " (" +
                 std::string(image::name(job.format)) + ", " + std::to_string(job.bytes.size()) + " bytes)");
  }
  settle(running.job, status, text);
}

void Call::expire() {
  if (deadline_.passed()) {
    for (auto& pending : pending_) {
      for (const std::size_t job : pending)
        settle(job, Status::timeout,
               "no render worker was free within [milter] deadline, the time for the message");
      pending.clear();
    }
  }
  // Hearing one may begin another job, which comes at the end.
  const std::size_t count = running_.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (!running_[i].deadline.passed()) continue;
    hear(running_[i]);  // it may have been in time, and only this thread late
    if (!running_[i].worker) continue;
    // A picture is to blame for its own time only, not for what was left of the message's.
    if (deadline_.passed() && running_[i].deadline.at() == deadline_.at())
      lose(running_[i], Status::timeout, "not ready within [milter] deadline, the time for the message",
           false);
    else
      lose(running_[i], Status::timeout, "not ready within [render] timeout, the time for one image", true);
  }
  std::erase_if(running_, [](const Running& running) { return !running.worker; });
}

}  // namespace pixmilter::worker
