/// What the error codes of KMS and STS mean. AWS answers most of them with status 400.
enum AWSProblem {
  /// - Parameters:
  ///   - code: such as `AccessDeniedException`, or `com.amazonaws.kms#AccessDeniedException`.
  ///   - message: quoted only where it cannot repeat a request, which may hold a session token.
  static func failure(_ answer: ServiceAnswer, code: String?, message: String?) -> ServiceFailure {
    let code = code?.split(separator: "#").last.map(String.init)
    let reason = code.flatMap { reasons[$0] }
    var failure = answer.failure(
      reason, code: code,
      message: reason == .denied && code?.hasPrefix("AccessDenied") != true ? nil : message)
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
