internal import CCurl
internal import Glibc

/// The process-wide part of libcurl: set up once, before the first handle, and never torn down, because
/// librdkafka shares it.
enum CurlLibrary {
  /// Throws ``HTTPError/Reason/library`` when libcurl cannot be used at all.
  static func prepare() throws(HTTPError) {
    guard initialization == CURLE_OK else {
      throw HTTPError(.libcurl, "curl_global_init_mem failed: \(text(initialization))")
    }
  }

  /// libcurl's static sentence for a code.
  static func text(_ code: CURLcode) -> String { String(cString: curl_easy_strerror(code)) }

  /// A `static let` runs once, whoever comes first. If another library initialised libcurl before, the call only
  /// counts up, and libcurl's memory is not wiped.
  private static let initialization = curl_global_init_mem(
    Int(CURL_GLOBAL_DEFAULT), { malloc($0) }, { WipingAllocator.free($0) },
    { WipingAllocator.reallocate($0, $1) }, { text in text.flatMap { strdup($0) } }, { calloc($0, $1) })
}
