/// The newest piece of one partition's offset map: a record of the state topic, written anew as it grows and left alone
/// when it is long enough. One commit may bring more than a record should hold; then it is several.
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

  /// The records to write, in source order: each a piece of its own, none of them long.
  var records: [MapPiece] {
    var pieces = [MapPiece(from: from)]
    for run in runs.runs {
      if pieces[pieces.count - 1].runs.runs.count == Self.longest {
        pieces.append(MapPiece(from: run.source))
      }
      pieces[pieces.count - 1].runs.append(run)
    }
    return pieces
  }

  /// What to go on with once this was committed up to `position`.
  func continued(at position: Int64) -> MapPiece {
    runs.runs.count < Self.longest ? self : MapPiece(from: position)
  }
}
