/// Text under construction, line by line, two blanks for each level.
struct PrintedText {
  private(set) var text = ""
  private var indentation = ""
  /// What empty lines begin with: the registry indents those of a block as its head.
  private var headIndentation = ""

  /// Adds a line, or the lines of a value that has several.
  mutating func line(_ line: String) {
    for part in line.split(separator: "\n", omittingEmptySubsequences: false) {
      text += "\(indentation)\(part)\n"
    }
  }

  mutating func emptyLine() { text += "\(headIndentation)\n" }

  mutating func indented(_ body: (inout PrintedText) -> Void) {
    let outer = indentation
    indentation += "  "
    body(&self)
    indentation = outer
  }

  /// `head { … }`, on one line when there is nothing in it.
  mutating func block(_ head: String, _ body: (inout PrintedText) -> Void) {
    var inside = PrintedText()
    inside.indentation = indentation + "  "
    inside.headIndentation = indentation
    body(&inside)
    guard !inside.text.isEmpty else { return line("\(head) {}") }
    // The empty line that the first section begins with ends the line of the brace.
    text += "\(indentation)\(head) {\(inside.text.drop { $0 == " " })"
    line("}")
  }

  /// An empty line and the elements, or nothing.
  mutating func section<Element>(_ elements: [Element], _ print: (inout PrintedText, Element) -> Void) {
    guard !elements.isEmpty else { return }
    emptyLine()
    for element in elements { print(&self, element) }
  }
}
