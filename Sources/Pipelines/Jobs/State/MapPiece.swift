/// The newest piece of one partition's offset map: one record of the state topic, written anew as it grows and left
/// alone when it is long enough.
///
/// A process that takes a partition over begins a piece of its own, so nothing has to be read, and nobody writes over
/// another's.
struct MapPiece {
  /// Source offset at which the piece begins; part of its key.
  let from: Int64
  private(set) var runs = OffsetRuns()

  /// So many runs are a kilobyte or two.
  private static let longest = 256

  init(from: Int64) { self.from = from }

  /// The piece with what was written since.
  func extended(by more: OffsetRuns) -> MapPiece {
    var piece = self
    piece.runs.append(more)
    return piece
  }

  /// What to go on with once this was committed up to `position`.
  func continued(at position: Int64) -> MapPiece {
    runs.runs.count < Self.longest ? self : MapPiece(from: position)
  }
}
