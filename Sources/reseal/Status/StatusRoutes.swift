import JSON
import Pipelines
import StatusPort

/// Finds what a request asks for, and whether it may.
struct StatusRoutes: Sendable {
  private enum Route {
    case index
    case status
    case metrics
    case live
    case ready
    case control(Control)

    init?(_ path: String) {
      switch path {
      case "/": self = .index
      case "/status": self = .status
      case "/metrics": self = .metrics
      case "/health/live": self = .live
      case "/health/ready": self = .ready
      case "/control/pause": self = .control(.pause)
      case "/control/resume": self = .control(.resume)
      case "/control/rate": self = .control(.rate)
      default: return nil
      }
    }

    var need: PortAccess.Need {
      switch self {
      case .live, .ready: .health
      case .index, .status, .metrics: .reading
      case .control: .control
      }
    }

    var methods: [String] { need == .control ? ["POST"] : ["GET", "HEAD"] }
  }

  private enum Control { case pause, resume, rate }

  let access: PortAccess
  let jobs: [JobService]

  func answer(_ request: PortRequest) async -> PortAnswer {
    guard let route = Route(request.path) else {
      // Nobody who may not read learns what there is.
      return access.refusal(.reading, of: request) ?? .refusal(404, "there is no such path")
    }
    if let refusal = access.refusal(route.need, of: request) { return refusal }
    guard route.methods.contains(request.method) else {
      var answer = PortAnswer.refusal(405, "the method must be \(route.methods.joined(separator: " or "))")
      answer.headers = [("Allow", route.methods.joined(separator: ", "))]
      return answer
    }
    switch route {
    case .index: return PortAnswer(body: "reseal\n/status\n/metrics\n/health/live\n/health/ready\n")
    case .status: return Self.json(StatusDocument.status(await reports(jobs)))
    case .metrics:
      return PortAnswer(
        contentType: MetricsDocument.contentType, body: MetricsDocument.text(await reports(jobs)))
    case .live: return PortAnswer(body: "alive\n")
    case .ready: return await readiness()
    case .control(let control): return await self.control(control, request)
    }
  }

  private func reports(_ jobs: [JobService]) async -> [JobReport] {
    var reports: [JobReport] = []
    for job in jobs { reports.append(await job.report()) }
    return reports
  }

  private static func json(_ value: JSONValue) -> PortAnswer {
    PortAnswer(contentType: "application/json", body: value.serialized() + "\n")
  }

  /// Names no job: whoever asks for health need not be known.
  private func readiness() async -> PortAnswer {
    for report in await reports(jobs) {
      switch report.phase {
      case .running, .paused, .stopping, .finished, .interrupted: continue
      case .preparing, .joining, .waiting, .failed: return PortAnswer(status: 503, body: "not ready\n")
      }
    }
    return PortAnswer(body: "ready\n")
  }

  // MARK: Control

  private func control(_ control: Control, _ request: PortRequest) async -> PortAnswer {
    var chosen = jobs
    if let name = request.query["job"] {
      // Job names hold nothing that would be percent-encoded.
      chosen = jobs.filter { $0.definition.name == name }
      guard !chosen.isEmpty else { return .refusal(404, "no job of that name runs here") }
    }
    switch control {
    case .pause: for job in chosen { job.pause() }
    case .resume: for job in chosen { job.resume() }
    case .rate:
      let change: LimitChange
      do throws(LimitChange.Malformed) { change = try LimitChange(request.body) } catch {
        return .refusal(400, error.reason)
      }
      for job in chosen { job.change(change) }
    }
    return Self.json(StatusDocument.status(await reports(chosen)))
  }
}
