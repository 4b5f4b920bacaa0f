#include "server/security.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "tests/support/certificates.h"

namespace relu {
namespace {

class SecurityTest : public testing::Test {
 protected:
  SecurityTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~SecurityTest() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / "security_test";
};

TEST_F(SecurityTest, WithoutFilesThereIsNoTlsAndNothingIsGuarded) {
  const auto security = Security::Load({}, {});
  ASSERT_TRUE(security.ok()) << security.status();
  EXPECT_EQ((*security)->tls(), nullptr);
  EXPECT_FALSE((*security)->tokens().guards(AccessGroup::kInference));
}

TEST_F(SecurityTest, WrongFilesAreRefused) {
  EXPECT_EQ(Security::Load({.certificate = "no.pem", .key = "no.key"}, {})
                .status()
                .code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Security::Load({}, {.control = "no"}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(SecurityTest, NewFilesComeIntoForceByThemselves) {
  const Certificate authority = MakeAuthority(folder_, "authority");
  const Certificate first = MakeCertificate(folder_, "first", authority);
  const std::filesystem::path tokens = folder_ / "tokens";
  std::ofstream(tokens) << "first-token-0123456789\n";
  const auto security =
      Security::Load({.certificate = first.certificate, .key = first.key},
                     {.inference = tokens});
  ASSERT_TRUE(security.ok()) << security.status();
  const auto before = (*security)->tls()->current();

  const Certificate second = MakeCertificate(folder_, "second", authority);
  std::filesystem::rename(second.certificate, first.certificate);
  std::filesystem::rename(second.key, first.key);
  std::ofstream(folder_ / "new") << "second-token-0123456789\n";
  std::filesystem::rename(folder_ / "new", tokens);
  while ((*security)->tls()->current() == before ||
         !(*security)
              ->tokens()
              .Check(AccessGroup::kInference, "Bearer second-token-0123456789")
              .ok()) {
    std::this_thread::yield();
  }
}

}  // namespace
}  // namespace relu
