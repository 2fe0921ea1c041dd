namespace FastNN;

/// <summary>Shapes or sizes that do not fit; the message names the layer, the operator and the shapes.</summary>
/// <param name="message">What did not fit, in one line.</param>
public sealed class ShapeException(string message) : ArgumentException(message)
{
    private string _path = "";
    private string _type = "";
    private string _call = "";

    /// <summary>
    /// The layer that was being recorded, by its path in the model as in parameter names, and its type: "body.2 (Conv2D)". Null
    /// where the shapes did not come from a layer of a model.
    /// </summary>
    public string? Layer => _path.Length == 0 ? null : $"{_path} ({_type})";

    /// <inheritdoc/>
    public override string Message => Layer is { } layer ? $"layer {layer}: {InCall}" : Of(_type, InCall);

    private string InCall => Of(_call, base.Message);

    /// <summary>The layer last left on the way out, from the innermost to the model itself.</summary>
    internal object? Left { get; private set; }

    /// <summary>Notes the call that recorded the operator which refused, among others; the message begins with it.</summary>
    internal void LeaveCall(string call) => _call = call;

    /// <summary>
    /// Notes that the exception leaves a layer; of the layers that enclose it, each puts its name for it in front.
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <param name="childName">What it calls the layer left before it, or null.</param>
    internal void Leave(object layer, string? childName)
    {
        // A layer that has no name for the one inside it, as it took its place, answers for it.
        if (Left is null || (string.IsNullOrEmpty(childName) && _path.Length == 0))
        {
            _type = layer.GetType().Name;
        }

        if (!string.IsNullOrEmpty(childName))
        {
            _path = _path.Length == 0 ? childName : $"{childName}.{_path}";
        }

        Left = layer;
    }

    private static string Of(string name, string text) =>
        text.StartsWith(name, StringComparison.Ordinal) ? text : $"{name}: {text}";
}

/// <summary>A device that is not there, was built without, ran out of memory or failed; the message names it.</summary>
/// <param name="message">The cause and what to do, in one line.</param>
/// <param name="inner">The failure underneath, if any.</param>
public sealed class DeviceException(string message, Exception? inner = null) : InvalidOperationException(message, inner)
{
    /// <summary>Whether the device works on, but has no library or no memory for what was asked.</summary>
    internal bool IsLack { get; init; }
}

/// <summary>Training produced a loss that is NaN or infinite. The parameters are those after the update before it.</summary>
/// <param name="message">Step and loss, in one line.</param>
public sealed class NonFiniteLossException(string message) : ArithmeticException(message);

/// <summary>Data that cannot be trained or evaluated on, such as a class index out of range.</summary>
/// <param name="message">Which example and value, in one line.</param>
public sealed class InvalidDatasetException(string message) : ArgumentException(message);

/// <summary>
/// Two threads used one trainer at the same time. A trainer belongs to one thread at a time; predictors may be shared.
/// </summary>
/// <param name="message">Which object and operation, in one line.</param>
public sealed class ConcurrentUseException(string message) : InvalidOperationException(message);
