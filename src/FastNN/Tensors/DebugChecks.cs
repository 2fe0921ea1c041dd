namespace FastNN.Tensors;

/// <summary>
/// The debug mode <c>FASTNN_CHECKS=1</c>: each kernel's tensors are held against the live blocks of the device, and memory that
/// holds nothing yet, or nothing any more, is filled with NaN. Read once, so that the JIT drops every branch on it where the mode
/// is off.
/// </summary>
internal static class DebugChecks
{
    /// <summary>The environment variable.</summary>
    public const string Variable = "FASTNN_CHECKS";

    /// <summary>All ones: NaN in every floating type, and -1 or the largest number in integers.</summary>
    public const byte Poison = 0xFF;

    public static readonly bool Enabled = Environment.GetEnvironmentVariable(Variable) == "1";
}
