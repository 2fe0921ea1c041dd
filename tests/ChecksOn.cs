using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace FastNN.Testing;

/// <summary>
/// Turns the debug mode on before the first code of a test project runs, for its child processes too. <c>FASTNN_CHECKS=0</c>
/// leaves it off, to time tests.
/// </summary>
[SuppressMessage(
    "Usage", "CA2255", Justification = "The engine reads the variable once, so it has to be there before anything else runs.")]
file static class ChecksOn
{
    [ModuleInitializer]
    internal static void Set()
    {
        if (Environment.GetEnvironmentVariable("FASTNN_CHECKS") is null)
        {
            Environment.SetEnvironmentVariable("FASTNN_CHECKS", "1");
        }
    }
}
