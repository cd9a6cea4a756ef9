extension String {
  /// As one line of at most `limit` printable characters, for logs and terminals; `nil` when nothing is there.
  ///
  /// Servers' words end up where control characters could hide lines or command a terminal. What cannot be printed
  /// becomes U+FFFD, white space a space.
  package func quotable(limit: Int = 300) -> String? {
    var line = String.UnicodeScalarView()
    for scalar in unicodeScalars.prefix(limit) {
      if scalar.properties.isWhitespace {
        line.append(" ")
      } else {
        line.append(scalar.isPrintable ? scalar : "\u{FFFD}")
      }
    }
    return line.isEmpty ? nil : String(line)
  }
}

extension Unicode.Scalar {
  fileprivate var isPrintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .unassigned, .privateUse, .surrogate: false
    default: true
    }
  }
}
