/// Rows of text in columns as wide as their widest cell; long cells are cut.
struct Table {
  private var rows: [[String]]
  /// Characters of a cell that are shown.
  private let widestCell: Int

  init(_ header: String..., widestCell: Int = 48) {
    rows = [header]
    self.widestCell = widestCell
  }

  mutating func add(_ cells: String...) { rows.append(cells) }

  func print(on console: Console) {
    let cut = rows.map { $0.map(shortened) }
    let columns = cut.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in cut.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    for (index, row) in cut.enumerated() {
      var line = "  "
      for (cell, width) in zip(row, widths) {
        line += cell + String(repeating: " ", count: width - cell.count + 2)
      }
      while line.last == " " { line.removeLast() }
      console.line(index == 0 ? console.styled(line, .bold) : line)
    }
  }

  private func shortened(_ cell: String) -> String {
    cell.count <= widestCell ? cell : cell.prefix(widestCell - 1) + "…"
  }
}
