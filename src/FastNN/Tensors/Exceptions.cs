namespace FastNN;

/// <summary>Shapes or sizes that do not fit; the message names the operator and the shapes.</summary>
/// <param name="message">What did not fit, in one line.</param>
public sealed class ShapeException(string message) : ArgumentException(message);

/// <summary>A device that is not there, was built without, ran out of memory or failed; the message names it.</summary>
/// <param name="message">The cause and what to do, in one line.</param>
/// <param name="inner">The failure underneath, if any.</param>
public sealed class DeviceException(string message, Exception? inner = null) : InvalidOperationException(message, inner);

/// <summary>Training produced a loss that is NaN or infinite. The parameters are those after the update before it.</summary>
/// <param name="message">Step and loss, in one line.</param>
public sealed class NonFiniteLossException(string message) : ArithmeticException(message);

/// <summary>Data that cannot be trained or evaluated on, such as a class index out of range.</summary>
/// <param name="message">Which example and value, in one line.</param>
public sealed class InvalidDataSetException(string message) : ArgumentException(message);

/// <summary>
/// Two threads used one trainer at the same time. A trainer belongs to one thread at a time; predictors may be shared.
/// </summary>
/// <param name="message">Which object and operation, in one line.</param>
public sealed class ConcurrentUseException(string message) : InvalidOperationException(message);
