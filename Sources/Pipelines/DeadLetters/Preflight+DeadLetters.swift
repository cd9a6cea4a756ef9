internal import FieldCrypto
internal import Kafka
internal import KeyManagement

extension Preflight {
  /// Whether dead letters can be written, and opened again, before the first is needed. The key is found, or made when
  /// told to.
  ///
  /// Letters hold whole records of the source, so their key is one of the source's side: in a hand-off, the recipient
  /// must not be able to open what was not meant for them.
  func deadLetters(
    makes: Bool, _ refusals: inout [String], _ notices: inout [String]
  ) async throws(JobFailure) -> DeadLetterTarget? {
    guard let settings = definition.deadLetters else { return nil }
    let count: Int?
    do throws(KafkaError) {
      count = try await clients.sinkAdmin.topics()[settings.topic]
    } catch {
      throw .kafka(error)
    }
    if count == nil {
      refusals.append(
        "the dead letter topic \(settings.topic) does not exist on the sink's cluster; create it")
    }
    let topic = count == nil ? nil : try await self.settings(settings.topic, of: clients.sinkAdmin, &notices)
    if let topic { check(settings.topic, topic, &refusals, &notices) }
    do throws(KeyError) {
      let key = try await key(settings, makes: makes)
      return DeadLetterTarget(
        settings: settings, partitionCount: count ?? 0, maximumBytes: topic?.maximumBytes, key: key)
    } catch {
      guard !error.isRetriable else { throw .key(error) }
      refusals.append("dead letters: \(error)")
      return nil
    }
  }

  /// What the topic's settings mean for letters.
  private func check(
    _ topic: String, _ settings: TopicSettings, _ refusals: inout [String], _ notices: inout [String]
  ) {
    if settings.compacts {
      refusals.append(
        "the dead letter topic \(topic) is compacted, and letters have no keys; its cleanup.policy must be delete"
      )
    }
    if let retention = settings.retention {
      notices.append(
        "the dead letter topic \(topic) keeps letters for \(TopicFindings.time(retention)) (retention.ms), and no longer"
      )
    }
  }

  /// A pipeline whose dead letters may be replayed, with the keys it seals under made where there were none.
  package func replay() async throws(JobFailure) -> (prepared: PreparedJob, settings: DeadLetterSettings) {
    guard let settings = definition.deadLetters else {
      throw .refused(["the pipeline has no dead letters: onFailure.deadLetter is missing"])
    }
    guard !definition.isInPlace else {
      throw .refused([
        "the job works in place, so what it could not process is still where it was; --new-job processes it"
      ])
    }
    // Not under the schemas that the job keeps to: one that was mended is what letters wait for.
    var prepared = try await examine(makes: true, startsNewJob: true)
    guard prepared.refusals.isEmpty else { throw .refused(prepared.refusals) }
    prepared.priorUse.apply(to: clients)
    // One for all instances: of two replays at once only one may count.
    if definition.guarantee == .exactlyOnce { prepared.transactionalID = "\(definition.name)-replay" }
    return (prepared, settings)
  }

  private func key(_ settings: DeadLetterSettings, makes: Bool) async throws(KeyError) -> DataKey? {
    let keyRing = clients.keyRings[.source]
    guard makes else {
      _ = try await keyRing.forecast(for: settings.specification, subject: settings.subject)
      return nil
    }
    let key = try await keyRing.sealingKey(for: settings.specification, subject: settings.subject)
    // Asked for anew it comes out of its wrapping, as it will for whoever reads the letters.
    let again = try await keyRing.openingKey(key.identity)
    do throws(CryptoError) {
      let ivs = IVSource()
      let probe = Array("dead letter".utf8)
      let sealed = try FieldCipher(key.material, ivs: ivs).seal(probe)
      guard try FieldCipher(again.material, ivs: ivs).open(sealed) == probe else { throw .doesNotOpen }
    } catch {
      throw KeyError(.damaged, key.identity, "what is sealed under it does not open again: \(error)")
    }
    return key
  }
}
