internal import HTTPClient
internal import JSON
internal import Threads

/// Requests to the services of a provider, with failures in the words of the drivers.
struct ServiceClient: Sendable {
  private let client: HTTPClient

  /// Sends one request; any status is an answer.
  func send(_ request: HTTPRequest) async throws(ServiceFailure) -> ServiceAnswer {
    do throws(HTTPError) {
      return ServiceAnswer(try await client.send(request))
    } catch {
      throw ServiceFailure(error)
    }
  }

  /// How to reach a service.
  struct Connection: Sendable, Hashable {
    /// PEM file of the authorities to trust instead of the system's.
    var certificateAuthorityFile: String?
    /// PEM files of a client certificate and its key.
    var certificateFile: String?
    var keyFile: String?
    var keyPassword: String?
    /// A service on this machine or its network, such as an instance's metadata: no proxy, and little patience,
    /// because where there is none nobody says so.
    var isLocal = false
  }

  /// The clients of one driver, each made when it is first needed.
  final class Pool: Sendable {
    private let clients = Locked<[Connection: HTTPClient]>([:])

    func client(_ connection: Connection) throws(ServiceFailure) -> ServiceClient {
      let result = clients.withLock { clients -> Result<HTTPClient, HTTPError> in
        if let known = clients[connection] { return .success(known) }
        do throws(HTTPError) {
          let made = try HTTPClient(connection.configuration)
          clients[connection] = made
          return .success(made)
        } catch {
          return .failure(error)
        }
      }
      do throws(HTTPError) {
        return ServiceClient(client: try result.get())
      } catch {
        throw ServiceFailure(error)
      }
    }
  }
}

extension ServiceClient.Connection {
  var configuration: HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration()
    configuration.certificateAuthorityFile = certificateAuthorityFile
    if let certificateFile {
      configuration.clientIdentity = HTTPClient.Configuration.ClientIdentity(
        certificateFile: certificateFile, keyFile: keyFile ?? certificateFile, keyPassword: keyPassword)
    }
    // No answer of a key management service is larger; AWS's largest ciphertext has 6 KiB.
    configuration.maximumBodyBytes = 1 << 20
    configuration.connectLimit = isLocal ? .seconds(2) : .seconds(10)
    configuration.totalLimit = isLocal ? .seconds(15) : .seconds(30)
    if isLocal { configuration.proxyURL = "" }
    return configuration
  }
}
