/// What the error codes of KMS and STS mean. AWS answers most of them with status 400.
enum AWSProblem {
  /// - Parameters:
  ///   - code: such as `AccessDeniedException`, or `com.amazonaws.kms#AccessDeniedException`.
  ///   - message: quoted to its first stop. A signature that differs makes AWS repeat the request after that, and
  ///     there may be a session token in it.
  static func failure(_ answer: ServiceAnswer, code: String?, message: String?) -> ServiceFailure {
    let code = code?.split(separator: "#").last.map(String.init)
    var failure = answer.failure(
      code.flatMap { reasons[$0] }, code: code,
      message: message.map { String($0.prefix { $0 != "." && !$0.isNewline }) })
    failure.refusesCredential = code.map(expiries.contains) ?? false
    return failure
  }

  private static let expiries: Set = ["ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException"]

  private static let reasons: [String: KMSError.Reason] = [
    "AccessDeniedException": .denied, "AccessDenied": .denied, "UnrecognizedClientException": .denied,
    "InvalidClientTokenId": .denied, "InvalidSignatureException": .denied, "SignatureDoesNotMatch": .denied,
    "IncompleteSignature": .denied, "IncompleteSignatureException": .denied,
    "MissingAuthenticationToken": .denied, "MissingAuthenticationTokenException": .denied,
    "ExpiredTokenException": .denied, "ExpiredToken": .denied, "OptInRequired": .denied,
    "InvalidIdentityToken": .denied, "IDPRejectedClaim": .denied, "NotAuthorized": .denied,
    "NotFoundException": .keyUnavailable, "DisabledException": .keyUnavailable,
    "KMSInvalidStateException": .keyUnavailable, "InvalidKeyUsageException": .keyUnavailable,
    "InvalidArnException": .keyUnavailable,
    "InvalidCiphertextException": .doesNotUnwrap, "IncorrectKeyException": .doesNotUnwrap,
    "ThrottlingException": .throttled, "Throttling": .throttled, "RequestLimitExceeded": .throttled,
    "TooManyRequestsException": .throttled, "LimitExceededException": .throttled,
    "RequestThrottled": .throttled, "RequestThrottledException": .throttled,
    "KeyUnavailableException": .unavailable, "KMSInternalException": .unavailable,
    "DependencyTimeoutException": .unavailable, "InternalFailure": .unavailable,
    "ServiceUnavailable": .unavailable, "ServiceUnavailableException": .unavailable,
    "IDPCommunicationError": .unavailable, "RequestTimeout": .unavailable,
  ]
}
