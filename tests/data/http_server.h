#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

// A web server of this process for the tests of downloads: each connection brings one request,
// which a function answers. What it answers may be cut off, late or wrong.
namespace mase::data {

struct Request {
  std::string path;
  std::string text;  // all of its header

  std::string header(const std::string& name) const {
    const std::size_t at = text.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const std::size_t first = at + name.size() + 4;
    return text.substr(first, text.find("\r\n", first) - first);
  }
  // The first byte asked for, 0 without a range.
  std::size_t range_first() const {
    const std::string range = header("Range");
    return range.starts_with("bytes=") ? std::stoul(range.substr(6)) : 0;
  }
};

class HttpServer {
 public:
  // Returns all bytes of the answer, header included; the connection is then closed.
  using Answer = std::function<std::string(const Request&)>;

  explicit HttpServer(Answer answer) : answer_(std::move(answer)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(socket_, 8) != 0) {
      throw std::system_error(errno, std::generic_category(), "no local port to serve at");
    }
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }

  std::string url(const std::string& path) const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }
  std::vector<Request> requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    for (;;) {
      const int connection = ::accept(socket_, nullptr, nullptr);
      if (connection < 0) return;
      Request request;
      char bytes[4096];
      while (request.text.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(connection, bytes, sizeof bytes, 0);
        if (n <= 0) break;
        request.text.append(bytes, static_cast<std::size_t>(n));
      }
      const std::size_t first = request.text.find(' ') + 1;
      request.path = request.text.substr(first, request.text.find(' ', first) - first);
      {
        const std::scoped_lock lock(mutex_);
        requests_.push_back(request);
      }
      const std::string out = answer_(request);
      for (std::size_t at = 0; at < out.size();) {
        const ssize_t n = ::send(connection, out.data() + at, out.size() - at, MSG_NOSIGNAL);
        if (n <= 0) break;
        at += static_cast<std::size_t>(n);
      }
      ::close(connection);
    }
  }

  Answer answer_;
  int socket_ = -1;
  int port_ = 0;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
};

}  // namespace mase::data
