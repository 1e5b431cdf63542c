#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Systematic damage to small files. Each damaged copy lies in its own exactly sized buffer, so that
// the address sanitizer sees an over-read by one byte.
namespace mase::tests {

template <typename Fn>
void with_exact_copy(std::string_view text, Fn&& fn) {
  const auto buffer = std::make_unique<std::byte[]>(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) buffer[i] = static_cast<std::byte>(text[i]);
  fn(std::span<const std::byte>(buffer.get(), text.size()));
}

// fn(first `n` bytes) for every n below the whole length.
template <typename Fn>
void for_each_truncation(std::string_view whole, Fn&& fn) {
  for (std::size_t n = 0; n < whole.size(); ++n) with_exact_copy(whole.substr(0, n), fn);
}

// fn(copy with one bit turned over) for every bit.
template <typename Fn>
void for_each_bit_flip(std::string_view whole, Fn&& fn) {
  std::string copy(whole);
  for (std::size_t i = 0; i < copy.size() * 8; ++i) {
    const auto bit = static_cast<char>(1u << (i % 8));
    copy[i / 8] = static_cast<char>(copy[i / 8] ^ bit);
    with_exact_copy(copy, fn);
    copy[i / 8] = static_cast<char>(copy[i / 8] ^ bit);
  }
}

}  // namespace mase::tests
