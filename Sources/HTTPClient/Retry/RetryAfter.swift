internal import CCurl

/// The `Retry-After` header: a number of seconds or a date (RFC 9110 section 10.2.3).
enum RetryAfter {
  /// How long from `now`, in seconds since 1970, the server asks to wait; `nil` when the value says neither.
  static func delay(_ value: String, now: Int) -> Duration? {
    let value = value.drop { $0 == " " }
    if !value.isEmpty, value.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
      return .seconds(Int(value) ?? .max)
    }
    // All three date forms that RFC 9110 section 5.6.7 lists; -1 for anything else.
    let date = curl_getdate(String(value), nil)
    return date < 0 ? nil : .seconds(max(date - now, 0))
  }
}
