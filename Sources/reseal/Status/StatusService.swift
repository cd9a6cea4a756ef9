import JSON
import Pipelines
import ServiceLifecycle
import StatusPort

/// The status port of a run: tells how its jobs are, and changes how they go.
///
/// | path | answers |
/// |---|---|
/// | `GET /status` | everything, as JSON |
/// | `GET /metrics` | the same for Prometheus |
/// | `GET /health/live` | 200 as long as the process answers |
/// | `GET /health/ready` | 200 when every job is under way or done, 503 when one is not |
/// | `POST /control/pause`, `/control/resume` | the jobs' status |
/// | `POST /control/rate` | the jobs' status; the body names new limits, `null` for none |
///
/// `?job=NAME` chooses one of several jobs.
struct StatusService: Service {
  private let server: PortServer

  /// Listens from now on, answers while it runs.
  init(_ address: PortAddress, access: PortAccess, jobs: [JobService]) async throws(PortServer.CannotListen) {
    ProcessMetrics.begin()
    let routes = StatusRoutes(access: access, jobs: jobs)
    server = try await PortServer(address) { request in await routes.answer(request) }
  }

  /// With the port the system gave.
  var address: PortAddress { server.address }

  func run() async {
    await cancelWhenGracefulShutdown { await self.server.run() }
  }
}
