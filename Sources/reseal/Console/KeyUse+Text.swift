import FieldCrypto
import Foundation
import KeyManagement

extension UInt64 {
  /// A number of fields sealed under one AES-GCM DEK, and how much that is of what one may seal.
  var fieldsUnderKey: String {
    let share = Double(self) / Double(UseBudget.limit) * 100
    return "\(Int(clamping: self).grouped) fields (\(share < 0.1 ? "<0.1" : String(format: "%.1f", share)) %)"
  }
}
