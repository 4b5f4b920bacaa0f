#include "tests/server/rest_fixture.h"

#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/mutex.h"

namespace relu {

std::string_view FakeHttpCall::header(std::string_view name) const {
  const auto header = request_.headers.find(name);
  return header == request_.headers.end() ? std::string_view()
                                          : std::string_view(header->second);
}

void FakeHttpCall::Respond(HttpResponse response) {
  CHECK(!response_.has_value());
  response_ = std::move(response);
}

HttpResponse FakeHttpCall::Wait() {
  while (!response_.has_value()) {
    tasks_.Run();
  }
  return *response_;
}

void TaskQueue::Add(std::function<void()> task) {
  {
    const MutexLock lock(mu_);
    tasks_.push_back(std::move(task));
  }
  added_.NotifyAll();
}

void TaskQueue::Run() {
  std::vector<std::function<void()>> tasks;
  {
    const MutexLock lock(mu_);
    while (tasks_.empty()) {
      added_.Wait(mu_);
    }
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) {
    task();
  }
}

RestFixture::RestFixture(const LoadedRepository::Options& repository,
                         const TokenFiles& tokens)
    : loaded_(repository),
      handlers_(loaded_.repository(), /*strict_readiness=*/true),
      rpcs_(handlers_, health_),
      tokens_(*AccessTokens::Load(tokens)),
      access_(*tokens_, OpenGroups::kHealth, /*allow_control=*/false),
      control_access_(*tokens_, OpenGroups::kHealth, /*allow_control=*/true),
      environment_{.repository = loaded_.repository(),
                   .metrics = loaded_.metrics(),
                   .max_message_bytes = 1 << 20} {
  rpcs_.AddRank(environment_);
  handler_ = std::make_unique<RestHandler>(
      RestEnvironment{.rpcs = rpcs_,
                      .inference = environment_,
                      .access = access_,
                      .control_access = control_access_});
  handler_->Start([this] { tasks_.Add([this] { RunArrived(); }); });
}

RestFixture::~RestFixture() { handler_->Stop(); }

void RestFixture::RunArrived() {
  while (handler_->RunArrived()) {
  }
}

std::shared_ptr<FakeHttpCall> RestFixture::Begin(
    FakeHttpCall::Request request) {
  auto call = std::make_shared<FakeHttpCall>(std::move(request), tasks_);
  std::optional<HttpResponse> refusal = handler_->Refuse(*call);
  if (refusal.has_value()) {
    call->Respond(*std::move(refusal));
  } else {
    handler_->Handle(call);
  }
  return call;
}

HttpResponse RestFixture::Call(FakeHttpCall::Request request) {
  const auto call = Begin(std::move(request));
  if (handler_->arrived() > 0) {
    RunArrived();
  }
  return call->Wait();
}

}  // namespace relu
