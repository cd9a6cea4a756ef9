extension [Double] {
  /// The middle value; of an even number, the upper one of the two. 0 when there is none.
  package var median: Double { isEmpty ? 0 : sorted()[count / 2] }
}
