// The main function of every test program: gives each process a temporary folder of its own, so
// that tests which run side by side never meet, and removes it in the end.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  std::string folder = (std::filesystem::temp_directory_path() / "mase_test_XXXXXX").string();
  if (!mkdtemp(folder.data())) {
    perror("cannot make a temporary folder");
    return 1;
  }
  setenv("TEST_TMPDIR", folder.c_str(), 1);  // what testing::TempDir() returns
  const int failures = RUN_ALL_TESTS();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return failures;
}
