package import Logging

package let silentLog = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
