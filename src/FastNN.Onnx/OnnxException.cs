namespace FastNN.Onnx;

/// <summary>
/// A model cannot be compiled or run: an operator that is not supported, or inputs that an operator does not take. The message
/// names the node, what was expected and what was given.
/// </summary>
public sealed class OnnxException : Exception
{
    /// <summary>An exception with a message.</summary>
    public OnnxException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with a message and its cause.</summary>
    public OnnxException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
