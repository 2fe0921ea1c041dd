namespace FastNN.Testing;

/// <summary>
/// A value that differs from the stored one by more than the case's tolerance, or a tensor that nothing looked at.
/// </summary>
internal sealed class GoldenMismatchException(string message) : Exception(message);

/// <summary>A case that the engine has no operator for, or an option that its operator does not have.</summary>
internal sealed class UnsupportedCaseException(string message) : Exception(message);
