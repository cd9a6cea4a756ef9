/// Rows of text in columns as wide as their widest cell; long cells are cut.
struct Table {
  private static let maximumCell = 48

  private var rows: [[String]]

  init(_ header: String...) { rows = [header] }

  mutating func add(_ cells: String...) { rows.append(cells) }

  func print(on console: Console) {
    let cut = rows.map { $0.map(Self.cut) }
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

  private static func cut(_ cell: String) -> String {
    cell.count <= maximumCell ? cell : cell.prefix(maximumCell - 1) + "…"
  }
}
